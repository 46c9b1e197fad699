//! What the extras of PyPI packages need, as far as a lock says so.

use std::collections::BTreeSet;

use crate::pylock::MarkerEnvironment;
use condafront_model::pypi_package::{normalized, requirement_name};

/// The extras that a requirement asks for: `async` in `flask[async]>=3`.
pub(super) fn extras(requirement: &str) -> BTreeSet<String> {
    let asked = requirement.split(';').next().unwrap_or_default();
    let inside = asked
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let names = inside.map_or("", |(inside, _)| inside).split(',');
    let names = names.map(str::trim).filter(|name| !name.is_empty());
    names.map(normalized).collect()
}

/// The extras that a marker is about, as they are written: `async` in `extra == 'async'`.
fn written(marker: &str) -> Vec<&str> {
    // Every other part is in quotes.
    let parts: Vec<&str> = marker.split(['\'', '"']).collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_extra = |index: usize| {
        let before = parts[index - 1].trim_end().strip_suffix("==");
        let before = before.and_then(|rest| rest.trim_end().strip_suffix("extra"));
        let after = parts.get(index + 1).copied().unwrap_or_default();
        let after = after.trim_start().strip_prefix("==");
        let after = after.and_then(|rest| rest.trim_start().strip_prefix("extra"));
        before.is_some_and(|rest| !rest.ends_with(is_word))
            || after.is_some_and(|rest| !rest.starts_with(is_word))
    };
    let quoted = (1..parts.len()).step_by(2);
    quoted
        .filter(|index| is_extra(*index))
        .map(|index| parts[index])
        .collect()
}

/// The extras that a marker is about, by their normalized names.
pub(super) fn of_marker(marker: &str) -> BTreeSet<String> {
    written(marker).into_iter().map(normalized).collect()
}

/// The first package that one with these needs surely needs in this image for the extras that a line asks for, and that is not
/// there; with the extra.
pub(super) fn missing(
    line: &str,
    needs: &[String],
    image: &MarkerEnvironment,
    is_there: impl Fn(&str) -> bool,
) -> Option<(String, String)> {
    let asked = extras(line);
    needs.iter().find_map(|needed| {
        let (requirement, marker) = needed.split_once(';')?;
        let name = requirement_name(requirement).filter(|name| !is_there(name))?;
        written(marker).into_iter().find_map(|own| {
            let extra = normalized(own);
            let mut image = image.clone();
            image.values.insert("extra", own.to_owned());
            let is_needed = asked.contains(&extra) && image.surely_meets(marker.trim());
            is_needed.then(|| (name.clone(), extra))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_about_extras() {
        for (marker, expected) in [
            (" extra == 'async'", &["async"][..]),
            ("extra==\"Dev_Tools\"", &["dev-tools"]),
            (
                "python_version < '3.9' and (extra == 'a' or extra == 'all')",
                &["a", "all"],
            ),
            ("'a' == extra and os_name == 'posix'", &["a"]),
            ("extra != 'a'", &[]),
            ("no_extra == 'a' or 'b' == extras", &[]),
            ("", &[]),
        ] {
            let found: Vec<String> = of_marker(marker).into_iter().collect();
            assert_eq!(found, expected, "{marker}");
        }
    }
}
