//! Which packages are too new for a solve: `exclude_newer`.

use std::collections::BTreeMap;

use super::args::BuildArgs;
use super::reader::{Name, Reader};
use crate::section::image_section::{ExcludeNewer, Located};
use crate::yaml::{Node, Value};
use condafront_model::cutoff::{Limit, NotACutoff};
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

use std::sync::Arc;

/// The key.
pub(crate) const KEY: &str = "exclude_newer";
/// The build-arg that replaces the cutoff.
pub(crate) const BUILD_ARG: &str = "CONDA_EXCLUDE_NEWER";
const FIELDS: &[&str] = &["cutoff", "channels", "packages"];

/// Reads `exclude_newer`: a cutoff, or a mapping with exemptions.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Located<ExcludeNewer>, Diagnostic> {
    let name = Name::from(KEY);
    let value = match &node.value {
        Value::Mapping(_) => {
            let fields = reader.fields(name, node, FIELDS)?;
            let Some(cutoff) = fields.get("cutoff") else {
                let error = reader.error(node.lines, "`exclude_newer` has no `cutoff`");
                return Err(error.help(
                    "For example: exclude_newer: {cutoff: 2026-11-01, packages: {openssl: false}}",
                ));
            };
            ExcludeNewer {
                cutoff: Some(limit(reader, Name::from("cutoff").of(KEY), cutoff)?),
                channels: fields
                    .read("channels", KEY, |name, node| channels(reader, name, node))?
                    .unwrap_or_default(),
                packages: fields
                    .read("packages", KEY, |name, node| exemptions(reader, name, node))?
                    .unwrap_or_default(),
                by_name: BTreeMap::new(),
            }
        }
        Value::Scalar { .. } => ExcludeNewer {
            cutoff: Some(limit(reader, name, node)?),
            channels: BTreeMap::new(),
            packages: BTreeMap::new(),
            by_name: BTreeMap::new(),
        },
        _ => return Err(reader.wrong_kind(name, node, "a date, or a mapping")),
    };
    Ok(Located {
        value,
        lines: node.lines,
    })
}

fn channels(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<BTreeMap<String, Located<Option<Limit>>>, Diagnostic> {
    let entries = exemptions(reader, name, node)?;
    let trimmed = entries.into_iter().map(|(channel, limit)| {
        if channel.trim().is_empty() {
            let message = format!("a key of {name} is empty or not a string");
            let error = reader.error(limit.lines, message);
            return Err(error.help("Write a channel as in `channels:` of the environment."));
        }
        Ok((channel.trim().to_owned(), limit))
    });
    trimmed.collect()
}

/// A mapping to other cutoffs.
fn exemptions(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<BTreeMap<String, Located<Option<Limit>>>, Diagnostic> {
    let entries = reader.mapping(name, node)?;
    let entries = entries.iter().map(|(key, value)| {
        let limit = exemption(reader, Name::from(key.name.as_str()).of(KEY), value)?;
        Ok((key.name.clone(), at(limit, key.lines)))
    });
    entries.collect()
}

fn at(limit: Option<Limit>, lines: Lines) -> Located<Option<Limit>> {
    Located {
        value: limit,
        lines,
    }
}

/// A cutoff.
fn limit(reader: &Reader<'_>, name: Name<'_>, node: &Node) -> Result<Limit, Diagnostic> {
    let found = reader.word(name, node)?;
    found.value.parse().map_err(|error: NotACutoff| {
        let message = format!("{name} cannot be `{}`", quoted(&found.value));
        let error_at = reader.error(found.lines, message);
        error_at.help(NotACutoff::HELP).caused_by(error)
    })
}

/// Another cutoff, or none.
fn exemption(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<Option<Limit>, Diagnostic> {
    if node.text().is_some_and(|text| text == "false") {
        return Ok(None);
    }
    let found = limit(reader, name, node);
    found.map(Some).map_err(|error| match &error.help {
        Some(help) if help == NotACutoff::HELP => {
            let help = format!("{help} With false, no package is too new.");
            error.help(help)
        }
        _ => error,
    })
}

/// The warnings about what counts from the time of the build; `key` is what the file calls the cutoff.
pub(crate) fn unrepeatable(
    key: &str,
    said: &Located<ExcludeNewer>,
    file: &Arc<SourceFile>,
    args: &BuildArgs,
) -> Vec<Warning> {
    let value = &said.value;
    let is_replaced = args.get(BUILD_ARG).is_some_and(|arg| !arg.is_empty());
    let own = value.cutoff.filter(|_| !is_replaced);
    let own = own.map(|cutoff| (cutoff, said.lines));
    let exempt = value.channels.values().chain(value.packages.values());
    let exempt = exempt.chain(value.by_name.values());
    let exempt = exempt.filter_map(|entry| Some((entry.value?, entry.lines)));
    own.into_iter()
        .chain(exempt)
        .filter_map(|(limit, lines)| Some(of_age(limit, &format!("`{key}`"))?.at(file, lines)))
        .collect()
}

/// The warning about an age.
pub(crate) fn of_age(limit: Limit, what: &str) -> Option<Warning> {
    let Limit::Age(_) = limit else {
        return None;
    };
    Some(Warning {
        rule: Rule::Unrepeatable,
        diagnostic: Diagnostic::new(format!(
            "{what}: `{limit}` counts from the time of the build, so the same file gives different packages on a different day"
        ))
        .help("For repeatable builds, write a date, or build from a lock, which `--target lock` writes."),
    })
}
