//! The text of a lock in the form that `rattler_lock` takes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::maker::Maker;
use crate::yaml::Node;

/// `rattler_lock` takes an empty hash for an invalid one, and the version of a `conda.lock` for another layout. Without
/// them, every line stays where it is.
pub(super) fn readable<'t>(text: &'t str, tree: &Node) -> Cow<'t, str> {
    let mut changed: BTreeMap<u32, &str> = BTreeMap::new();
    let entries = tree.mapping().unwrap_or_default().iter();
    let packages = tree.get("packages").and_then(Node::list);
    let packages = packages.unwrap_or_default().iter();
    let fields = packages.filter_map(Node::mapping).flatten();
    for (key, value) in entries {
        if key.name == "version" && Maker::of(tree) == Maker::CondaWorkspaces {
            changed.insert(value.lines.first, "version: 6");
        }
    }
    for (key, value) in fields {
        let is_hash = ["md5", "sha256", "legacy_bz2_md5"].contains(&key.name.as_str());
        let is_empty = value.is_null() || value.text().is_some_and(|text| text.trim().is_empty());
        if is_hash && is_empty && key.lines == value.lines {
            changed.insert(key.lines.first, "");
        }
    }
    if changed.is_empty() {
        return Cow::Borrowed(text);
    }
    let line = |(number, line): (u32, &'t str)| {
        let is_field = line
            .trim_start()
            .starts_with(|c: char| c.is_ascii_lowercase());
        match changed.get(&number).filter(|_| is_field) {
            Some(other) => format!("{other}\n"),
            None => format!("{line}\n"),
        }
    };
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    Cow::Owned(lines.map(line).collect())
}
