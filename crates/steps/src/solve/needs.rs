//! Which packages of a list need which, by name alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rattler_conda_types::PackageName;
use serde::Deserialize;

/// What the packages of a list need. No record is part of it.
#[derive(Default)]
pub(super) struct Needs {
    ids: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
    /// Whether the list has records of a name, rather than needs it.
    is_listed: Vec<bool>,
    /// A name, and one that any of its records needs; sorted.
    edges: Vec<(u32, u32)>,
}

/// The same while a list is read.
#[derive(Default)]
pub(super) struct Reader {
    needs: Needs,
    edges: HashSet<(u32, u32)>,
}

impl Reader {
    /// Adds a record of the package `name`. What it needs does not count if its JSON cannot be understood: it is not usable then.
    pub(super) fn add(&mut self, name: &str, record: &[u8]) {
        let owner = self.needs.id(name);
        self.needs.is_listed[owner as usize] = true;
        let Ok(record) = serde_json::from_slice::<Record<'_>>(record) else {
            return;
        };
        let of_extras = record.extra_depends.values().flatten();
        for Text(dependency) in record.depends.iter().chain(of_extras) {
            let needed = PackageName::normalized_name_from_matchspec_str(dependency);
            let needed = self.needs.id(&needed);
            self.edges.insert((owner, needed));
        }
    }

    pub(super) fn finish(self) -> Needs {
        let mut edges: Vec<_> = self.edges.into_iter().collect();
        edges.sort_unstable();
        Needs {
            edges,
            ..self.needs
        }
    }
}

impl Needs {
    /// The number of a name, which it gets now if it has none.
    fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        // A list that is small enough to be read does not have as many names.
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        self.ids.insert(Arc::clone(&name), id);
        self.names.push(name);
        self.is_listed.push(false);
        id
    }

    /// Whether the list has records of a package.
    pub(super) fn lists(&self, name: &str) -> bool {
        let id = self.ids.get(name);
        id.is_some_and(|id| self.is_listed[*id as usize])
    }

    /// The packages that the list has, sorted.
    pub(super) fn listed(&self) -> impl Iterator<Item = &str> {
        let all = self.names.iter().zip(&self.is_listed);
        let mut names: Vec<&str> = all
            .filter(|(_, is_listed)| **is_listed)
            .map(|(name, _)| &**name)
            .collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// What the records of a package need.
    fn of(&self, name: &str) -> impl Iterator<Item = &Arc<str>> {
        let edges = match self.ids.get(name) {
            None => &[][..],
            Some(id) => {
                let start = self.edges.partition_point(|edge| edge.0 < *id);
                let end = self.edges.partition_point(|edge| edge.0 <= *id);
                &self.edges[start..end]
            }
        };
        edges
            .iter()
            .map(|(_, needed)| &self.names[*needed as usize])
    }
}

/// These names, and all that they need in these lists, that what they need needs, and so on.
pub(super) fn reached<'a>(
    lists: &[Arc<Needs>],
    names: impl Iterator<Item = &'a str>,
) -> HashSet<Arc<str>> {
    let mut found: HashSet<Arc<str>> = names.map(Arc::from).collect();
    let mut pending: Vec<Arc<str>> = found.iter().cloned().collect();
    while let Some(name) = pending.pop() {
        for needed in lists.iter().flat_map(|list| list.of(&name)) {
            if found.insert(Arc::clone(needed)) {
                pending.push(Arc::clone(needed));
            }
        }
    }
    found
}

/// What a record says that matters here.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    depends: Vec<Text<'a>>,
    #[serde(borrow, default)]
    extra_depends: BTreeMap<Text<'a>, Vec<Text<'a>>>,
}

/// A string, which is borrowed unless it has escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(records: &[(&str, &str)]) -> Arc<Needs> {
        let mut reader = Reader::default();
        for (name, record) in records {
            reader.add(name, record.as_bytes());
        }
        Arc::new(reader.finish())
    }

    #[test]
    fn what_is_needed_is_followed_through_all_lists() {
        let lists = [
            needs(&[
                ("a", r#"{"depends": ["B >=1", "c[when=\"x\"]"], "size": 1}"#),
                ("a", r#"{"depends": ["d"]}"#),
                ("c", r#"{"depends": null}"#),
                ("e", r#"{"depends": ["f"]}"#),
            ]),
            needs(&[
                ("b", r#"{"extra_depends": {"plot": ["g 1.*"]}}"#),
                ("g", r#"{"depends": ["a"]}"#),
            ]),
        ];
        let found = reached(&lists, ["a", "h"].into_iter());
        let mut found: Vec<&str> = found.iter().map(|name| &**name).collect();
        found.sort_unstable();
        assert_eq!(found, ["a", "b", "c", "d", "g", "h"]);
        assert_eq!(lists[0].listed().collect::<Vec<_>>(), ["a", "c", "e"]);
        assert!(lists[1].lists("b") && !lists[1].lists("a") && !lists[1].lists("h"));
    }
}
