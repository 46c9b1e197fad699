//! Definitions as readable text.
//!
//! Operations are numbered so that each comes after those that it uses, and
//! refer to each other by these numbers: `#3` is the first output of the third
//! operation, `#3.1` is its second. All fields that are set are shown. The text
//! depends only on the definition, so tests can compare it.

mod exec;
mod file;
mod inputs;
mod writer;

use buildkit_proto::pb;
use pb::op::Op;

use crate::graph::{Graph, Vertex};
use crate::options::CUSTOM_NAME;
use inputs::{InputNames, output_name};
use writer::{Writer, quoted};

/// Writes a definition, well-formed or not.
///
/// ```
/// use buildkit_llb::{Definition, Image, text};
///
/// let base = Image::new("docker.io/library/debian:13").build();
/// let text = text::dump(Definition::of(&base).to_pb());
/// assert!(text.starts_with("#1 source docker-image://docker.io/library/debian:13\n"));
/// ```
#[must_use]
pub fn dump(definition: &pb::Definition) -> String {
    let graph = Graph::new(definition);
    let infos = definition
        .source
        .as_ref()
        .map_or(&[][..], |source| &source.infos);
    let mut out = Writer::default();
    for (number, vertex) in (1..).zip(&graph.vertices) {
        operation(&mut out, &graph, number, vertex);
        if let Some(metadata) = vertex.metadata {
            describe(&mut out, metadata);
        }
        locations(&mut out, vertex, infos);
    }
    match &graph.result {
        Some(result) => out.head(format_args!("result {}", output_name(&graph, result))),
        None => out.head(format_args!("no result")),
    }
    if let Some(metadata) = graph.result_metadata {
        describe(&mut out, metadata);
    }
    for (index, info) in infos.iter().enumerate() {
        file_info(&mut out, index, info);
    }
    out.finish()
}

fn operation(out: &mut Writer, graph: &Graph<'_>, number: usize, vertex: &Vertex<'_>) {
    let Some(op) = &vertex.op else {
        let length = vertex.bytes.len();
        out.head(format_args!("#{number} unreadable, {length} bytes"));
        return;
    };
    let inputs = InputNames {
        graph,
        list: &op.inputs,
    };
    match &op.op {
        Some(Op::Source(source)) => {
            out.head(format_args!(
                "#{number} source {}",
                quoted(&source.identifier)
            ));
            for (key, value) in &source.attrs {
                out.field(key, value);
            }
        }
        Some(Op::Exec(exec)) => {
            out.head(format_args!("#{number} exec"));
            exec::write(out, &inputs, exec);
        }
        Some(Op::File(file)) => {
            out.head(format_args!("#{number} file"));
            file::write(out, &inputs, file);
        }
        Some(Op::Merge(merge)) => {
            out.head(format_args!("#{number} merge"));
            for input in &merge.inputs {
                out.line(format_args!("{}", inputs.name(input.input)));
            }
        }
        Some(Op::Diff(diff)) => {
            let side = |input: Option<i64>| input.map(|input| inputs.name(input));
            let none = || "none".to_owned();
            out.head(format_args!(
                "#{number} diff {} -> {}",
                side(diff.lower.map(|side| side.input)).unwrap_or_else(none),
                side(diff.upper.map(|side| side.input)).unwrap_or_else(none),
            ));
        }
        None => {
            out.head(format_args!("#{number} unknown operation"));
            for input in &op.inputs {
                out.line(format_args!("{}", output_name(graph, input)));
            }
        }
    }
    if let Some(platform) = &op.platform {
        out.line(format_args!("platform {}", show_platform(platform)));
    }
    match &op.constraints {
        Some(constraints) => {
            for filter in &constraints.filter {
                out.field("constraint", filter);
            }
        }
        None => out.line(format_args!("no constraints")),
    }
}

fn show_platform(platform: &pb::Platform) -> String {
    let parts = [&platform.os, &platform.architecture, &platform.variant];
    let mut text = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| quoted(part).to_string())
        .collect::<Vec<_>>()
        .join("/");
    if !platform.os_version.is_empty() {
        text.push_str(&format!(" version {}", quoted(&platform.os_version)));
    }
    for feature in &platform.os_features {
        text.push_str(&format!(" feature {}", quoted(feature)));
    }
    text
}

fn describe(out: &mut Writer, metadata: &pb::OpMetadata) {
    for (key, value) in &metadata.description {
        if key == CUSTOM_NAME {
            out.field("name", value);
        } else {
            out.line(format_args!(
                "description {} {}",
                quoted(key),
                quoted(value)
            ));
        }
    }
    if let Some(group) = &metadata.progress_group {
        out.line(format_args!(
            "group {} {}{}",
            quoted(&group.id),
            quoted(&group.name),
            if group.weak { " weak" } else { "" }
        ));
    }
    if metadata.ignore_cache {
        out.line(format_args!("ignore cache"));
    }
    if let Some(export) = &metadata.export_cache {
        out.line(format_args!("export cache {}", export.value));
    }
    if let Some(resources) = &metadata.linux_resources {
        exec::resources(out, resources);
    }
    if !metadata.caps.is_empty() {
        let caps: Vec<String> = metadata
            .caps
            .iter()
            .map(|(cap, needed)| {
                let not = if *needed { "" } else { "!" };
                format!("{not}{}", quoted(cap))
            })
            .collect();
        out.line(format_args!("caps {}", caps.join(" ")));
    }
}

fn locations(out: &mut Writer, vertex: &Vertex<'_>, infos: &[pb::SourceInfo]) {
    for location in vertex.locations {
        let info = usize::try_from(location.source_index)
            .ok()
            .and_then(|index| infos.get(index));
        let file = info.map_or_else(
            || format!("missing file {}", location.source_index),
            |info| quoted(&info.filename).to_string(),
        );
        let ranges: Vec<String> = location.ranges.iter().map(show_range).collect();
        out.line(format_args!("at {file} {}", ranges.join(" ")));
    }
}

fn show_range(range: &pb::Range) -> String {
    let position = |position: Option<&pb::Position>| match position {
        Some(at) if at.character == 0 => at.line.to_string(),
        Some(at) => format!("{}:{}", at.line, at.character),
        None => "?".to_owned(),
    };
    format!(
        "{}-{}",
        position(range.start.as_ref()),
        position(range.end.as_ref())
    )
}

fn file_info(out: &mut Writer, index: usize, info: &pb::SourceInfo) {
    out.head(format_args!(
        "file {index} {} {} bytes",
        quoted(&info.filename),
        info.data.len()
    ));
    if !info.language.is_empty() {
        out.field("language", &info.language);
    }
    if let Some(definition) = &info.definition {
        let operations = definition.def.len();
        out.line(format_args!("from {operations} operations"));
    }
}
