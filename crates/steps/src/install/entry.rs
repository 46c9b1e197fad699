//! The entries of an archive, and which names and links are allowed: none that leave the package's
//! own root.

use std::collections::BTreeMap;

use crate::root::MAX_LINKS;
use condafront_model::redact::shortened;

/// The kind of an archive's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A regular file with its permission bits and the hash of its content.
    File { mode: u32, sha256: [u8; 32] },
    /// A symlink with its target.
    Symlink { target: String },
}

/// A file or symlink of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    /// Seconds since 1970, as the archive says.
    pub(crate) mtime: i64,
}

/// The files and symlinks of a package by their path inside it.
pub(crate) type Entries = BTreeMap<String, Entry>;

/// How many files a package may have.
pub(crate) const MOST_FILES: u64 = 500_000;

/// Why a name or link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsafe {
    #[error("an absolute path")]
    Absolute,
    #[error("a path with `..`")]
    Parent,
    #[error("a path that is empty, not UTF-8, or has control characters")]
    Malformed,
    #[error("a path of more than {LONGEST_PATH} bytes")]
    Long,
    #[error("a path with more than {MOST_FOLDERS} folders")]
    Deep,
    #[error("a link that leaves the package")]
    Escape,
}

/// A path as a message shows it.
pub(crate) fn shown(path: &str) -> String {
    shortened(&path.escape_debug().to_string(), 200)
}

/// The longest path that Linux takes, in bytes: `PATH_MAX` without the zero at the end.
const LONGEST_PATH: usize = 4095;

/// How many folders a path may have. Packages with `node_modules` in `node_modules` have about thirty.
const MOST_FOLDERS: usize = 200;

/// `raw` as a clean relative path: no `.` components, no double or trailing slashes. The root itself
/// (`.` or `./`) becomes an empty string.
pub(crate) fn relative_path(raw: &[u8]) -> Result<String, Unsafe> {
    if raw.len() > LONGEST_PATH {
        return Err(Unsafe::Long);
    }
    let text = std::str::from_utf8(raw).map_err(|_| Unsafe::Malformed)?;
    if text.is_empty() || text.contains(|c: char| c.is_control()) {
        return Err(Unsafe::Malformed);
    }
    if text.starts_with('/') {
        return Err(Unsafe::Absolute);
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|p| !matches!(*p, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err(Unsafe::Parent);
    }
    if parts.len() > MOST_FOLDERS {
        return Err(Unsafe::Deep);
    }
    Ok(parts.join("/"))
}

/// Checks that the symlink at `path` stays inside the root. `links` (path to target) are all symlinks
/// there.
///
/// It follows links as the kernel does, so it notices a detour through another link. A missing target
/// is fine.
pub(crate) fn check_symlink(path: &str, links: &BTreeMap<String, String>) -> Result<(), Unsafe> {
    // The components still to walk, the next one last.
    let mut ahead: Vec<&str> = path.rsplit('/').collect();
    let mut at: Vec<&str> = Vec::new();
    let mut followed = 0;
    while let Some(part) = ahead.pop() {
        match part {
            "" | "." => {}
            ".." => {
                at.pop().ok_or(Unsafe::Escape)?;
            }
            name => {
                at.push(name);
                if let Some(target) = links.get(&at.join("/")) {
                    if target.starts_with('/') {
                        return Err(Unsafe::Escape);
                    }
                    followed += 1;
                    if followed > MAX_LINKS {
                        // A loop has no target, so it cannot lead outside.
                        return Ok(());
                    }
                    at.pop();
                    ahead.extend(target.rsplit('/'));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_or_refused() {
        for (raw, expected) in [
            ("bin/x", Ok("bin/x")),
            ("./bin//x/", Ok("bin/x")),
            ("./", Ok("")),
            ("bin/..x", Ok("bin/..x")),
            ("", Err(Unsafe::Malformed)),
            ("a\nb", Err(Unsafe::Malformed)),
            ("/etc/passwd", Err(Unsafe::Absolute)),
            ("../x", Err(Unsafe::Parent)),
            ("a/../../x", Err(Unsafe::Parent)),
        ] {
            assert_eq!(
                relative_path(raw.as_bytes()),
                expected.map(str::to_owned),
                "{raw:?}"
            );
        }
        assert_eq!(relative_path(b"\xff"), Err(Unsafe::Malformed));
        assert!(relative_path(&[b'a'; LONGEST_PATH]).is_ok());
        assert_eq!(relative_path(&[b'a'; LONGEST_PATH + 1]), Err(Unsafe::Long));
        assert!(relative_path("a/".repeat(MOST_FOLDERS).as_bytes()).is_ok());
        assert_eq!(
            relative_path("a/".repeat(MOST_FOLDERS + 1).as_bytes()),
            Err(Unsafe::Deep)
        );
    }

    fn check(path: &str, links: &[(&str, &str)]) -> Result<(), Unsafe> {
        let links = links
            .iter()
            .map(|(path, target)| ((*path).to_owned(), (*target).to_owned()))
            .collect();
        check_symlink(path, &links)
    }

    #[test]
    fn links_inside_are_fine() {
        for (path, target) in [
            ("lib/libz.so", "libz.so.1"),
            ("bin/x", "../lib/x"),
            ("x", "."),
            ("a/b/c", "../../missing"),
        ] {
            assert_eq!(check(path, &[(path, target)]), Ok(()), "{path} -> {target}");
        }
        assert_eq!(check("a", &[("a", "b"), ("b", "a")]), Ok(()), "a loop");
    }

    #[test]
    fn links_that_leave_are_refused() {
        for (path, target) in [
            ("x", "/etc/passwd"),
            ("x", ".."),
            ("bin/x", "../../etc"),
            ("bin/x", "y/../../../etc"),
        ] {
            assert_eq!(
                check(path, &[(path, target)]),
                Err(Unsafe::Escape),
                "{path} -> {target}"
            );
        }
        // Reads as `a/up/../..`, which looks like the root, but `up` is already the root.
        assert_eq!(
            check("a/b/x", &[("a/b/up", "../.."), ("a/b/x", "up/..")]),
            Err(Unsafe::Escape)
        );
    }
}
