//! The file tree of a mounted image. Its symbolic links are followed inside it and never out of it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// Linux considers a path a loop after this many symbolic links (`MAXSYMLINKS`).
pub(crate) const MAX_LINKS: usize = 40;

/// Why something in an image cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// Symbolic links that form a loop.
    #[error("too many symbolic links in {0} of the base image")]
    LinkLoop(String),
    /// A file could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

impl RootError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.display().to_string(),
            source,
        }
    }
}

/// The file tree of an image, mounted at some directory.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    dir: PathBuf,
}

impl Root {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The path in the image after following all symbolic links in `path`, including its last
    /// component. Components that do not exist are kept as they are.
    pub(crate) fn resolve(&self, path: &Path) -> Result<PathBuf, RootError> {
        let mut done = PathBuf::from("/");
        let mut rest: VecDeque<OsString> = components(path);
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&name);
            let Ok(target) = fs::read_link(self.outside(&next)) else {
                done = next;
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return Err(RootError::LinkLoop(path.display().to_string()));
            }
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            for name in components(&target).into_iter().rev() {
                rest.push_front(name);
            }
        }
        Ok(done)
    }

    /// Like [`resolve`](Self::resolve), but keeps the last component even if it is a link.
    pub(crate) fn resolve_parent(&self, path: &Path) -> Result<PathBuf, RootError> {
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok(self.resolve(parent)?.join(name)),
            _ => self.resolve(path),
        }
    }

    /// Where the target of `path` is on this machine; `None` if it does not exist.
    pub(crate) fn find(&self, path: &str) -> Option<PathBuf> {
        let real = self.outside(&self.resolve(Path::new(path)).ok()?);
        real.symlink_metadata().is_ok().then_some(real)
    }

    /// Metadata of the target of `path`; `None` if it does not exist.
    pub(crate) fn metadata(&self, path: &Path) -> Result<Option<Metadata>, RootError> {
        let real = self.outside(&self.resolve(path)?);
        match fs::symlink_metadata(&real) {
            Ok(meta) => Ok(Some(meta)),
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(RootError::io(&real, e)),
        }
    }

    /// Whether `path` leads to a regular file.
    pub(crate) fn is_file(&self, path: &Path) -> Result<bool, RootError> {
        Ok(self.metadata(path)?.is_some_and(|meta| meta.is_file()))
    }

    /// The contents of the regular file that `path` leads to; `None` if there is none.
    pub(crate) fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, RootError> {
        if !self.is_file(path)? {
            return Ok(None);
        }
        let real = self.outside(&self.resolve(path)?);
        fs::read(&real)
            .map(Some)
            .map_err(|e| RootError::io(&real, e))
    }

    /// Sorted names in the directory that `path` leads to; empty if it is not a directory.
    pub(crate) fn list(&self, path: &Path) -> Result<Vec<OsString>, RootError> {
        if !self.metadata(path)?.is_some_and(|meta| meta.is_dir()) {
            return Ok(Vec::new());
        }
        let real = self.outside(&self.resolve(path)?);
        let io = |e| RootError::io(&real, e);
        let mut names = Vec::new();
        for entry in fs::read_dir(&real).map_err(io)? {
            names.push(entry.map_err(io)?.file_name());
        }
        names.sort();
        Ok(names)
    }

    /// Where a path without symbolic links is on this machine.
    pub(crate) fn outside(&self, resolved: &Path) -> PathBuf {
        self.dir
            .join(resolved.strip_prefix("/").unwrap_or(resolved))
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let at = |path: &str| dir.path().join(path);
        fs::create_dir_all(at("usr/lib")).expect("mkdir");
        fs::create_dir_all(at("etc")).expect("mkdir");
        fs::write(at("usr/lib/os-release"), "ID=x").expect("write");
        symlink("usr/lib", at("lib")).expect("symlink");
        symlink("/usr/lib/os-release", at("etc/absolute")).expect("symlink");
        symlink("../../../../usr/lib/os-release", at("etc/climbing")).expect("symlink");
        symlink("loop", at("etc/loop")).expect("symlink");
        symlink("/var/home", at("home")).expect("symlink");
        let root = Root::new(dir.path());
        (dir, root)
    }

    #[test]
    fn links_are_followed_inside_the_image() {
        let (_dir, root) = tree();
        let resolved = |path: &str| root.resolve(Path::new(path)).expect("resolves");
        assert_eq!(resolved("/etc/absolute"), Path::new("/usr/lib/os-release"));
        assert_eq!(resolved("/etc/climbing"), Path::new("/usr/lib/os-release"));
        assert_eq!(
            resolved("/lib/os-release"),
            Path::new("/usr/lib/os-release")
        );
        assert_eq!(resolved("/home/me"), Path::new("/var/home/me"));
        assert_eq!(resolved("/../../etc/nothing"), Path::new("/etc/nothing"));
        assert!(matches!(
            root.resolve(Path::new("/etc/loop")),
            Err(RootError::LinkLoop(_))
        ));
    }

    #[test]
    fn the_last_component_can_be_kept() {
        let (_dir, root) = tree();
        assert_eq!(
            root.resolve_parent(Path::new("/lib/absolute"))
                .expect("resolves"),
            Path::new("/usr/lib/absolute")
        );
        assert_eq!(
            root.resolve_parent(Path::new("/etc/loop"))
                .expect("resolves"),
            Path::new("/etc/loop")
        );
    }

    #[test]
    fn files_are_read_through_links() {
        let (_dir, root) = tree();
        assert_eq!(
            root.read(Path::new("/etc/climbing")).expect("reads"),
            Some(b"ID=x".to_vec())
        );
        assert_eq!(root.read(Path::new("/etc/none")).expect("reads"), None);
        assert_eq!(root.read(Path::new("/etc")).expect("reads"), None);
        assert_eq!(root.list(Path::new("/lib")).expect("lists"), ["os-release"]);
        let real = root.outside(Path::new("/usr/lib/os-release"));
        assert_eq!(root.find("etc/absolute"), Some(real));
        for missing in ["etc/none", "etc/loop", "etc/absolute/below"] {
            assert_eq!(root.find(missing), None, "{missing}");
        }
    }
}
