//! The tables below `target` of a manifest, each of which is for some platforms.

use super::kind::Tool;
use crate::platform_name;
use crate::yaml::{Key, Node};

/// The tables that are for the platform that conda calls `subdir`, which may have a name of its own in the manifest. Of several
/// entries, the last one counts: in pixi, that is the one that comes last in the manifest, otherwise the most specific one.
pub(super) fn for_platform<'a>(
    tables: &'a [(Key, Node)],
    subdir: &str,
    own_name: Option<&str>,
    tool: Tool,
) -> Vec<&'a Node> {
    let name = own_name.unwrap_or(subdir);
    let mut names = vec!["unix", "linux", subdir];
    names.extend(own_name);
    let rank = |(key, _): &&(Key, Node)| names.iter().position(|name| *name == key.name);
    let is_pattern = |(key, _): &&(Key, Node)| {
        key.name.contains('*') && platform_name::is_of_pattern(name, &key.name)
    };
    let all = tables.iter();
    let all = all.filter(|table| rank(table).is_some() || is_pattern(table));
    let mut all: Vec<&(Key, Node)> = all.collect();
    if tool == Tool::Conda {
        all.sort_by_key(rank);
    }
    all.into_iter().map(|(_, node)| node).collect()
}
