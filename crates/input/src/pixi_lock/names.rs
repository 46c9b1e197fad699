//! The names of a lock's packages.

use std::collections::HashMap;
use std::str::FromStr as _;

use rattler_lock::UrlOrPath;

use super::select::{Kind, Selector};
use crate::locked::address;
use crate::yaml::Node;

/// The names of the packages that the lock describes, by where they are.
pub(super) struct Names<'a>(HashMap<(Kind, UrlOrPath), &'a str>);

impl<'a> Names<'a> {
    /// Finds them in `packages:`, in the layout of any version.
    pub(super) fn find(tree: &'a Node) -> Self {
        let items = tree.get("packages").and_then(Node::list);
        let named = items.unwrap_or_default().iter().filter_map(|item| {
            let text = |key: &str| item.get(key).and_then(Node::text);
            let (kind, place) = match (text("kind"), text("conda"), text("pypi")) {
                (Some("conda"), ..) => (Kind::Conda, text("url").or(text("path"))?),
                (Some("pypi"), ..) => (Kind::Pypi, text("url").or(text("path"))?),
                (_, Some(place), _) => (Kind::Conda, place),
                (.., Some(place)) => (Kind::Pypi, place),
                _ => return None,
            };
            let place = UrlOrPath::from_str(place).ok()?;
            Some(((kind, place), text("name")?))
        });
        Self(named.collect())
    }

    /// All of them, but those that only their URL says.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.values().copied()
    }

    /// The name of the package that `selector` requests.
    pub(super) fn of(&self, selector: &Selector<'_>) -> Option<String> {
        if let Some(name) = selector.name {
            return Some(name.to_owned());
        }
        if selector.kind == Kind::CondaSource {
            // `name[hash] @ location`
            return Some(selector.text.split_once('[')?.0.to_owned());
        }
        let described = selector
            .location()
            .and_then(|place| self.0.get(&(selector.kind, place)));
        match described {
            Some(name) => Some((*name).to_owned()),
            None if selector.kind == Kind::Conda => address::conda_name(selector.text),
            None => None,
        }
    }
}
