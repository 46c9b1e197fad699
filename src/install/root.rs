//! Paths inside another root: a mounted image, whose absolute links mean its own root.

use std::path::{Path, PathBuf};

/// Linux gives up after this many symlinks in one path (`MAXSYMLINKS`).
const MAX_SYMLINKS: usize = 40;

/// Where `path` (relative to `root`) is once every symlink is followed as it would be inside
/// `root`; `None` if it is not there.
pub(crate) fn resolve(root: &Path, path: &str) -> Option<PathBuf> {
    // The components still to walk, the next one last.
    let mut ahead: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
    let mut at = PathBuf::new();
    let mut followed = 0;
    while let Some(part) = ahead.pop() {
        match part.as_str() {
            "" | "." => {}
            // The root's parent is the root.
            ".." => {
                at.pop();
            }
            name => {
                at.push(name);
                let metadata = root.join(&at).symlink_metadata().ok()?;
                if metadata.is_symlink() {
                    followed += 1;
                    if followed > MAX_SYMLINKS {
                        return None;
                    }
                    let target = root.join(&at).read_link().ok()?;
                    let target = target.to_str()?;
                    if target.starts_with('/') {
                        at = PathBuf::new();
                    } else {
                        at.pop();
                    }
                    ahead.extend(target.rsplit('/').map(str::to_owned));
                }
            }
        }
    }
    Some(root.join(at))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::resolve;

    #[test]
    fn links_are_followed_inside_the_root() {
        let dir = tempfile::TempDir::new().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("usr/lib/x86_64-linux-gnu")).unwrap();
        fs::write(root.join("usr/lib/x86_64-linux-gnu/ld-2.31.so"), "").unwrap();
        symlink("usr/lib", root.join("lib")).unwrap();
        symlink("ld-2.31.so", root.join("usr/lib/x86_64-linux-gnu/ld.so")).unwrap();
        fs::create_dir(root.join("lib64")).unwrap();
        symlink("/lib/x86_64-linux-gnu/ld.so", root.join("lib64/ld.so")).unwrap();
        symlink("../../../usr", root.join("up")).unwrap();
        symlink("loop", root.join("loop")).unwrap();

        let real = root.join("usr/lib/x86_64-linux-gnu/ld-2.31.so");
        assert_eq!(resolve(root, "lib64/ld.so"), Some(real.clone()));
        assert_eq!(resolve(root, "up/lib/x86_64-linux-gnu/ld.so"), Some(real));
        assert_eq!(resolve(root, "loop"), None);
        assert_eq!(resolve(root, "lib64/missing"), None);
    }
}
