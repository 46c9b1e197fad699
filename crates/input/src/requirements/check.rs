//! Checks the syntax of requirements.

use super::meant;
use super::syntax::{DEEPEST, has_names, is_for_pip, is_shallow, parse};
use crate::look_alike;
use crate::mistake::Mistake;
use condafront_model::pypi_package::is_name_char;
use condafront_model::redact::{masked, quoted};
use condafront_step_spec::pip_variables::variables;

/// How the parser begins to say that something is not a name: it takes text with a colon, a slash or a backslash for a URL.
const NO_NAME: &str = "URL requirement must be preceded";

/// Help where it is not clear what is meant.
const EXAMPLE: &str = "Write a name, optionally with extras, versions and a marker: requests[socks]>=2.31,<3; python_version >= \"3.9\"";

/// Checks a marker, which includes its leading semicolon; messages show `text`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_marker(marker: &str, text: &str) -> Result<(), Mistake> {
    match marker.trim() {
        "" => Ok(()),
        marker => check_syntax(&format!("x {marker}"), text),
    }
}

/// Checks that all variables in `part` of a line have values; messages show `text`.
///
/// # Errors
/// The first that has none.
pub(super) fn check_variables(part: &str, text: &str) -> Result<(), Mistake> {
    match variables(part).first() {
        None => Ok(()),
        Some(name) => Err(Mistake::new(
            format!("${{{name}}} in `{}` has no value", quoted(text)),
            format!("Set it with --build-arg {name}=…"),
        )),
    }
}

/// Checks the name at the start of `requirement`; messages show `text`.
fn check_name(requirement: &str, text: &str) -> Result<(), Mistake> {
    let after = requirement
        .trim_start()
        .trim_start_matches(is_name_char)
        .chars()
        .next();
    if after.is_none_or(|c| c.is_ascii() || c.is_whitespace()) {
        return Ok(());
    }
    Err(Mistake::new(
        format!(
            "`{}` is not a valid requirement: a name can only have the letters a to z, digits, `-`, `_` and `.`",
            quoted(text)
        ),
        "Write names as PyPI shows them.",
    ))
}

/// Checks the syntax of `requirement`; messages show `text`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_syntax(requirement: &str, text: &str) -> Result<(), Mistake> {
    // pep508_rs 0.9 confuses characters with bytes, so other non-ASCII text is left to pip.
    if !requirement.is_ascii() {
        return match look_alike::find(requirement) {
            Some(found) => Err(found.mistake(text)),
            None => check_name(requirement, text),
        };
    }
    let shown = quoted(text);
    if !has_names(requirement) {
        return Err(Mistake::new(
            format!("`{shown}` is not a valid requirement: a name must end in a letter or digit"),
            "Write names as PyPI shows them.",
        ));
    }
    if !is_shallow(requirement) {
        return Err(Mistake::new(
            format!("`{shown}` has more than {DEEPEST} nested parentheses"),
            "Write its marker in a simpler way.",
        ));
    }
    let Err(error) = parse(requirement) else {
        return Ok(());
    };
    if is_for_pip(requirement) {
        return Ok(());
    }
    check_variables(requirement, text)?;
    if let Some(mistake) = meant::mistake(requirement) {
        return Err(mistake);
    }
    let reason = masked(&error.message.to_string());
    let reason = match reason.lines().next().unwrap_or_default() {
        reason if reason.starts_with(NO_NAME) && !requirement.contains("://") => {
            "a name cannot contain a colon or a slash"
        }
        reason => reason,
    };
    let help = meant::help(requirement).unwrap_or_else(|| EXAMPLE.to_owned());
    Err(Mistake::new(
        format!("`{shown}` is not a valid requirement: {reason}"),
        help,
    )
    .caused_by(error))
}
