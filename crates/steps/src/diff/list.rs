//! The packages of an image, read in bounded memory: the image may come from anyone.

use std::collections::BTreeMap;

use condafront_model::redact::shortened;
use condafront_step_spec::diff::{Details, PackageKind};

/// How many packages are listed.
const MOST: usize = 50_000;
/// The longest text of a package, in characters.
const LONGEST: usize = 200;
/// How many notes there are.
const NOTES: usize = 20;
/// The longest of them, in characters. One may name a folder.
const LONGEST_NOTE: usize = 400;

/// What distinguishes a package from the others in its image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: PackageKind,
    pub(super) environment: Option<String>,
    pub(super) name: String,
}

/// The packages of an image.
#[derive(Debug, Default)]
pub(super) struct List {
    packages: BTreeMap<Key, Details>,
    notes: Vec<String>,
}

impl List {
    /// Adds a package, with what a terminal cannot show escaped. Several with the same name are distinguished by `otherwise`.
    pub(super) fn add(&mut self, mut key: Key, details: Details, otherwise: &str) {
        let shown = |text: String| shortened(&text, LONGEST);
        key.environment = key.environment.map(shown);
        key.name = shown(key.name);
        if self.packages.contains_key(&key) {
            key.name = shown(format!("{}:{otherwise}", key.name));
        }
        if self.packages.len() >= MOST {
            self.note(&format!("Only the first {MOST} packages are listed."));
            return;
        }
        let details = Details {
            version: shown(details.version),
            build: details.build.map(shown),
            channel: details.channel.map(shown),
            license: details.license.map(shown),
            sha256: details.sha256.map(shown),
            bytes: details.bytes,
        };
        self.packages.insert(key, details);
    }

    /// Notes something that could not be read, once, with what a terminal cannot show escaped.
    pub(super) fn note(&mut self, text: &str) {
        let text = shortened(text, LONGEST_NOTE);
        if self.notes.len() < NOTES && !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(super) fn len(&self) -> usize {
        self.packages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    pub(super) fn into_packages(self) -> BTreeMap<Key, Details> {
        self.packages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_short_and_on_one_line() {
        let mut list = List::default();
        for _ in 0..2 {
            list.note("Some of \u{1b}[2J\nname");
        }
        list.note(&"x".repeat(1000));
        for number in 0..100 {
            list.note(&number.to_string());
        }
        let notes = list.take_notes();
        assert_eq!(notes[0], "Some of \\u{1b}[2J name");
        assert_eq!(notes[1].chars().count(), LONGEST_NOTE + 1);
        assert_eq!(notes.len(), NOTES);
    }
}
