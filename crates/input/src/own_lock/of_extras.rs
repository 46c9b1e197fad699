//! What the extras of PyPI packages need, as far as a lock says so.

use std::collections::BTreeSet;

use crate::pylock::MarkerEnvironment;
use condafront_model::pypi_package::{is_for_extra, normalized, requirement_name};

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

/// The extra that a marker is about, as it is written: `async` in `extra == 'async'`.
fn written(marker: &str) -> Option<&str> {
    let (_, rest) = marker
        .split_once("extra")
        .filter(|_| is_for_extra(marker))?;
    rest.split(['\'', '"']).nth(1)
}

/// The extra that a marker is about, by its normalized name.
pub(super) fn extra(marker: &str) -> Option<String> {
    written(marker).map(normalized)
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
        let own = written(marker)?;
        let extra = normalized(own);
        let name = requirement_name(requirement)?;
        if !asked.contains(&extra) || is_there(&name) {
            return None;
        }
        let mut image = image.clone();
        image.values.insert("extra", own.to_owned());
        image.surely_meets(marker.trim()).then_some((name, extra))
    })
}
