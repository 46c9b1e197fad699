//! Whether a text is a requirement, and what it is a requirement of
//! (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/>).

use std::str::FromStr as _;

use pep508_rs::{Pep508Error, VerbatimUrl};

use super::entry::Mistake;
use condafront_model::pypi_package::is_name_char;
use condafront_model::redact::{masked, quoted};
use condafront_step_spec::pip_variables::variables;

/// Whether a marker, with the semicolon that it begins with, is one; messages show `text`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_marker(marker: &str, text: &str) -> Result<(), Mistake> {
    match marker.trim() {
        "" => Ok(()),
        marker => check_syntax(&format!("x {marker}"), text),
    }
}

/// Whether `requirement` is one; messages show `text`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_syntax(requirement: &str, text: &str) -> Result<(), Mistake> {
    // pep508_rs 0.9 counts characters where it means bytes; then it is left to pip.
    if !requirement.is_ascii() {
        return Ok(());
    }
    let shown = quoted(text);
    if !has_names(requirement) {
        return Err(Mistake::new(
            format!("`{shown}` is no requirement: a name ends in a letter or a digit"),
            "Names are as PyPI shows them.",
        ));
    }
    let outcome = pep508_rs::Requirement::<VerbatimUrl>::from_str(requirement);
    let Err(Pep508Error { message, .. }) = outcome else {
        return Ok(());
    };
    if let Some(name) = variables(requirement).into_iter().next() {
        return Err(Mistake::new(
            format!("`{shown}` has no value for ${{{name}}}"),
            format!("Give it with --build-arg {name}=…"),
        ));
    }
    let reason = masked(&message.to_string());
    let reason = reason.lines().next().unwrap_or_default();
    // What conda takes for a version that begins so.
    let help = match requirement.split_once('=') {
        Some((name, version)) if is_name(name) && is_name(version) => {
            format!("pip has two equals signs there: {name}=={version}")
        }
        _ => "A requirement is a name, with versions, extras and a marker if need be: requests[socks]>=2.31,<3; python_version >= \"3.9\"".to_owned(),
    };
    Err(Mistake::new(
        format!("`{shown}` is no requirement: {reason}"),
        help,
    ))
}

/// Whether the names of a requirement and its extras end as names do. pep508_rs 0.9 panics where they do not.
fn has_names(requirement: &str) -> bool {
    let ends_well = |name: &str| !name.trim_end().ends_with(['-', '_', '.']);
    let text = requirement.trim_start();
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let extras = rest.trim_start().strip_prefix('[').unwrap_or_default();
    let extras = extras.split(']').next().unwrap_or_default();
    let of_extra = |extra: &str| extra.split(|c| !is_name_char(c)).all(ends_well);
    ends_well(name) && of_extra(extras)
}

/// Whether a text has the characters of names alone.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_char)
}
