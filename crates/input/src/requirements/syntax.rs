//! The syntax of requirements
//! (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/>).

use std::str::FromStr as _;

use pep508_rs::pep440_rs::Version;
use pep508_rs::{VerbatimUrl, VersionOrUrl};

use condafront_model::pypi_package::is_name_char;

type Parsed = pep508_rs::Requirement<VerbatimUrl>;

pub(super) fn parse(requirement: &str) -> Result<Parsed, pep508_rs::Pep508Error<VerbatimUrl>> {
    Parsed::from_str(requirement)
}

/// Whether `requirement` is valid.
pub(crate) fn is_valid(requirement: &str) -> bool {
    is_readable(requirement) && (parse(requirement).is_ok() || is_for_pip(requirement))
}

/// Whether `requirement` can be given to pep508_rs 0.9, which panics for some that are not valid.
pub(crate) fn is_readable(requirement: &str) -> bool {
    requirement.is_ascii() && has_names(requirement) && is_shallow(requirement)
}

/// The parentheses that may be open at the same time. pep508_rs reads what is in them by recursion.
pub(crate) const DEEPEST: usize = 50;

/// Whether no more than [`DEEPEST`] parentheses are open at the same time.
pub(crate) fn is_shallow(requirement: &str) -> bool {
    let mut open: usize = 0;
    requirement.chars().all(|c| {
        match c {
            '(' => open += 1,
            ')' => open = open.saturating_sub(1),
            _ => {}
        }
        open <= DEEPEST
    })
}

/// The operators of versions, those that start with others first.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

/// Whether `requirement` is a name with versions, whatever these are: releases of pip differ in what they accept, such as
/// `x>=2.*` and a comma at the end.
pub(super) fn is_for_pip(requirement: &str) -> bool {
    let (asked, marker) = match requirement.split_once(';') {
        Some((asked, marker)) => (asked, Some(marker)),
        None => (requirement, None),
    };
    if marker.is_some_and(|marker| parse(&format!("x ; {marker}")).is_err()) {
        return false;
    }
    let Some(at) = asked.find(['=', '~', '!', '<', '>']) else {
        return false;
    };
    let (name, versions) = asked.split_at(at);
    let (name, versions) = match name.trim_end().strip_suffix('(') {
        Some(name) => (name, versions.trim_end().strip_suffix(')')),
        None => (name, Some(versions)),
    };
    let is_version = |text: &str| {
        let version = OPERATORS.iter().find_map(|it| text.strip_prefix(it));
        let version = version.unwrap_or_default().trim_start();
        !version.is_empty()
            && version
                .chars()
                .all(|c| is_name_char(c) || "*+!".contains(c))
    };
    let versions = versions.map(str::trim_end);
    let versions = versions.map(|versions| versions.strip_suffix(',').unwrap_or(versions));
    parse(name).is_ok()
        && versions.is_some_and(|versions| versions.split(',').map(str::trim).all(is_version))
}

/// Whether a version is one that `requirement`, whose syntax has been checked, asks for. What cannot be read asks for any.
pub(super) fn allows(requirement: &str, version: &str) -> bool {
    if !is_readable(requirement) {
        return true;
    }
    let asked = parse(requirement)
        .ok()
        .and_then(|asked| asked.version_or_url);
    match (asked, Version::from_str(version)) {
        (Some(VersionOrUrl::VersionSpecifier(asked)), Ok(version)) => asked.contains(&version),
        _ => true,
    }
}

/// Whether the names of a requirement and its extras end in a valid character. pep508_rs 0.9 panics if they do not.
pub(crate) fn has_names(requirement: &str) -> bool {
    let ends_well = |name: &str| !name.trim_end().ends_with(['-', '_', '.']);
    let text = requirement.trim_start();
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let extras = rest.trim_start().strip_prefix('[').unwrap_or_default();
    let extras = extras.split(']').next().unwrap_or_default();
    let of_extra = |extra: &str| extra.split(|c| !is_name_char(c)).all(ends_well);
    ends_well(name) && of_extra(extras)
}

/// Whether all characters of `text` are allowed in names.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_char)
}

/// Splits `NAME[extra]` into `NAME` and `[extra]`.
pub(super) fn without_extras(text: &str) -> (&str, &str) {
    match text.find('[') {
        Some(at) if text.ends_with(']') => (text[..at].trim_end(), &text[at..]),
        _ => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_markers_are_not_read() {
        for (open, is_valid) in [
            (1, true),
            (DEEPEST, true),
            (DEEPEST + 1, false),
            (100_000, false),
        ] {
            let text = format!(
                "a ; {}os_name == 'nt'{}",
                "(".repeat(open),
                ")".repeat(open)
            );
            assert_eq!(super::is_valid(&text), is_valid, "{open}");
            let checked = super::super::check::check_syntax(&text, &text);
            assert_eq!(checked.is_ok(), is_valid, "{open}");
        }
        let many = vec!["(os_name == 'nt')"; 2 * DEEPEST].join(" or ");
        assert!(super::is_valid(&format!("a ; {many}")));
    }
}
