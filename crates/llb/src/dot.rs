//! Definitions as graphs in the DOT language of Graphviz.

use std::fmt::Write as _;

use buildkit_proto::pb;
use pb::op::Op;

use crate::graph::{Graph, Vertex};
use crate::options::CUSTOM_NAME;
use crate::title::title;

/// Longer labels are truncated.
const MAX_LABEL: usize = 120;

/// Draws a definition. Nodes are numbered as in [`crate::text`]; the members of
/// a progress group are in one box.
#[must_use]
pub fn graph(definition: &pb::Definition) -> String {
    let graph = Graph::new(definition);
    let mut dot = String::from("digraph llb {\n  rankdir=BT;\n  node [fontname=monospace];\n");
    for (number, vertex) in (1..).zip(&graph.vertices) {
        let attributes = format!(
            "label={}, shape={}",
            quote(&label(number, vertex)),
            shape(vertex.op.as_ref())
        );
        match vertex.metadata.and_then(|m| m.progress_group.as_ref()) {
            Some(group) => line(
                &mut dot,
                format_args!(
                    "subgraph {} {{ label={}; n{number} [{attributes}]; }}",
                    quote(&format!("cluster_{}", group.id)),
                    quote(&short(&group.name)),
                ),
            ),
            None => line(&mut dot, format_args!("n{number} [{attributes}];")),
        }
    }
    for (number, vertex) in (1..).zip(&graph.vertices) {
        for input in vertex.op.iter().flat_map(|op| &op.inputs) {
            edge(&mut dot, &graph, input, &format!("n{number}"));
        }
    }
    if let Some(result) = &graph.result {
        line(&mut dot, format_args!("result [shape=doublecircle];"));
        edge(&mut dot, &graph, result, "result");
    }
    dot.push_str("}\n");
    dot
}

fn line(dot: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(dot, "  {text}");
}

fn edge(dot: &mut String, graph: &Graph<'_>, input: &pb::Input, to: &str) {
    let from = match graph.number(&input.digest) {
        Some(number) => format!("n{}", number + 1),
        None => quote(&short(&input.digest)),
    };
    match input.index {
        0 => line(dot, format_args!("{from} -> {to};")),
        index => line(dot, format_args!("{from} -> {to} [label=\"{index}\"];")),
    }
}

fn label(number: usize, vertex: &Vertex<'_>) -> String {
    let name = vertex
        .metadata
        .and_then(|metadata| metadata.description.get(CUSTOM_NAME))
        .cloned()
        .or_else(|| vertex.op.as_ref().map(title))
        .unwrap_or_else(|| "unreadable".to_owned());
    format!("#{number} {}", short(&name))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_LABEL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn shape(op: Option<&pb::Op>) -> &'static str {
    match op.and_then(|op| op.op.as_ref()) {
        Some(Op::Source(_)) => "cylinder",
        Some(Op::Exec(_)) => "box",
        Some(Op::File(_)) => "note",
        Some(Op::Merge(_)) => "invtrapezium",
        Some(Op::Diff(_)) => "trapezium",
        None => "octagon",
    }
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(char);
            }
            _ if char.is_control() => quoted.push(' '),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
