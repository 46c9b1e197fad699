//! The names in a directory of an image, in bounded memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::root::Root;

/// The first `most` of the names in the directory that `path` leads to that are `wanted`, sorted. There are none in what
/// is not a directory.
pub(super) fn names(
    root: &Root,
    path: &Path,
    most: usize,
    wanted: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let Ok(dir) = root.resolve(path) else {
        return names;
    };
    for entry in fs::read_dir(root.outside(&dir)).into_iter().flatten() {
        let name = entry.map(|entry| entry.file_name().into_string());
        if let Ok(Ok(name)) = name
            && wanted(&name)
        {
            names.insert(name);
            if names.len() > most {
                names.pop_last();
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_first_names_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["c", "a", "d", "b", "other"] {
            fs::create_dir_all(dir.path().join("folder").join(name)).unwrap();
        }
        symlink("/folder", dir.path().join("link")).unwrap();
        let root = Root::new(dir.path());
        let found = |path: &str| names(&root, Path::new(path), 2, |name| name.len() == 1);
        assert_eq!(
            found("/link"),
            BTreeSet::from(["a", "b"].map(str::to_owned))
        );
        assert!(found("/missing").is_empty());
    }
}
