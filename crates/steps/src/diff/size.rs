//! The size of a tree.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// How many files with several links are distinguished from each other.
const MOST: usize = 1_000_000;
/// How many folders inside each other are looked into. Each keeps a directory open.
const DEEPEST: usize = 200;

/// How many bytes files have.
#[derive(Debug, Default)]
pub(super) struct Size {
    pub(super) bytes: u64,
    /// Whether all files count.
    pub(super) is_whole: bool,
}

/// How many bytes the files below `dir` have, each once. What cannot be read, and what is too deep, does not count.
pub(super) fn of(dir: &Path) -> Size {
    let mut seen = HashSet::new();
    let mut size = Size {
        bytes: 0,
        is_whole: true,
    };
    let mut open = Vec::new();
    match fs::read_dir(dir) {
        Ok(entries) => open.push(entries),
        Err(_) => size.is_whole = false,
    }
    while let Some(entries) = open.last_mut() {
        let Some(entry) = entries.next() else {
            open.pop();
            continue;
        };
        let found = entry.and_then(|entry| Ok((entry.metadata()?, entry.path())));
        match found {
            Ok((metadata, path)) if metadata.is_dir() => match fs::read_dir(path) {
                Ok(entries) if open.len() < DEEPEST => open.push(entries),
                _ => size.is_whole = false,
            },
            Ok((metadata, _)) if metadata.is_file() && is_new(&metadata, &mut seen) => {
                size.bytes = size.bytes.saturating_add(metadata.len());
            }
            Ok(_) => {}
            Err(_) => size.is_whole = false,
        }
    }
    size
}

/// Whether a file was not seen before under another name.
fn is_new(metadata: &Metadata, seen: &mut HashSet<(u64, u64)>) -> bool {
    metadata.nlink() == 1 || seen.len() >= MOST || seen.insert((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_count_once() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("a")).unwrap();
        fs::write(at("a/one"), "four").unwrap();
        fs::hard_link(at("a/one"), at("two")).unwrap();
        symlink("/", at("root")).unwrap();
        let size = of(dir.path());
        assert!(size.is_whole);
        assert_eq!(size.bytes, 4);
        assert!(!of(&at("missing")).is_whole);
    }

    #[test]
    fn what_is_too_deep_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = dir.path().to_owned();
        for depth in 1..=DEEPEST {
            fs::write(folder.join("file"), "x").unwrap();
            folder.push("d");
            assert!(of(dir.path()).is_whole, "{depth}");
            fs::create_dir(&folder).unwrap();
        }
        fs::write(folder.join("file"), "x").unwrap();
        let size = of(dir.path());
        assert!(!size.is_whole);
        assert_eq!(size.bytes, DEEPEST as u64);
    }
}
