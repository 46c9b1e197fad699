//! The size of a tree.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// How many files with several links are told apart from each other.
const MOST: usize = 1_000_000;

/// How many bytes the files below `dir` have, each once. What cannot be read does not count.
pub(super) fn of(dir: &Path) -> u64 {
    let mut folders = vec![dir.to_owned()];
    let mut seen = HashSet::new();
    let mut size = 0_u64;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.path().symlink_metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let is_again = metadata.nlink() > 1
                && seen.len() < MOST
                && !seen.insert((metadata.dev(), metadata.ino()));
            if metadata.is_file() && !is_again {
                size = size.saturating_add(metadata.len());
            }
        }
    }
    size
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
        assert_eq!(of(dir.path()), 4);
    }
}
