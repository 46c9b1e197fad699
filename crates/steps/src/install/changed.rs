//! What programs of the environment changed while they ran in an image.
//!
//! Below the prefix, changes get the usual owner and times, and lose what would give rights that no file of a package
//! has. Outside of it, the image does not get them.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::{Error, Result};
use super::normalize::{set, set_owner};
use crate::file_times::change_of;
use crate::mount_points::mount_points;
use crate::rights::{CAPABILITIES, RIGHTS};
use condafront_model::prose::listed;
use condafront_model::stamp::{EPOCH, Ownership};

/// File systems round times down, by less than this much.
const ROUNDING: Duration = Duration::from_secs(1);

/// Something that the image does not have although a program made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) kind: Kind,
    /// Relative to the prefix, or absolute if it is outside.
    pub(crate) path: String,
    /// When it was made.
    pub(crate) time: SystemTime,
}

/// Why something is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file's permissions gave rights away. The file itself is kept.
    Rights,
    /// It is neither a file nor a directory nor a link.
    Special,
    /// It is outside of the prefix.
    Outside,
}

/// Settles everything in the prefix `dir` that changed since `start`.
///
/// # Errors
/// An I/O error.
pub(crate) fn settle(dir: &Path, start: SystemTime, owner: Ownership) -> Result<Vec<LeftOut>> {
    let mut settling = Settling {
        prefix: dir,
        start: start - ROUNDING,
        owner,
        left_out: Vec::new(),
    };
    settling.below(dir)?;
    settling.path(dir)?;
    let mut left_out = settling.left_out;
    left_out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(left_out)
}

struct Settling<'a> {
    prefix: &'a Path,
    start: SystemTime,
    owner: Ownership,
    left_out: Vec<LeftOut>,
}

impl Settling<'_> {
    fn below(&mut self, dir: &Path) -> Result<()> {
        for entry in fs::read_dir(dir).map_err(|e| Error::io("list", dir, e))? {
            let entry = entry.map_err(|e| Error::io("list", dir, e))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|e| Error::io("read", &path, e))?;
            if kind.is_dir() {
                self.below(&path)?;
            }
            self.path(&path)?;
        }
        Ok(())
    }

    fn path(&mut self, path: &Path) -> Result<()> {
        let metadata = fs::symlink_metadata(path).map_err(|e| Error::io("read", path, e))?;
        if change_of(&metadata) < self.start {
            return Ok(());
        }
        let kind = metadata.file_type();
        if kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device() {
            fs::remove_file(path).map_err(|e| Error::io("remove", path, e))?;
            self.leave_out(Kind::Special, path, &metadata);
            return Ok(());
        }
        if !kind.is_symlink() {
            self.settle_rights(path, &metadata)?;
        }
        if metadata.mtime() < seconds(self.start) {
            set_owner(path, &metadata, self.owner.owner)
        } else {
            set(path, &metadata, None, EPOCH, self.owner.owner)
        }
    }

    /// Removes permissions that no file of a package has, and gives those that all have.
    fn settle_rights(&mut self, path: &Path, metadata: &Metadata) -> Result<()> {
        let mode = metadata.mode() & 0o7777;
        // A file system that has no such attributes cannot store them either.
        let is_capable = matches!(xattr::get(path, CAPABILITIES), Ok(Some(_)));
        if is_capable {
            xattr::remove(path, CAPABILITIES)
                .map_err(|e| Error::io("remove the capabilities of", path, e))?;
        }
        let usual = self.owner.mode(mode & !RIGHTS);
        if mode != usual {
            fs::set_permissions(path, fs::Permissions::from_mode(usual))
                .map_err(|e| Error::io("change the mode of", path, e))?;
        }
        if is_capable || mode & RIGHTS != 0 {
            self.leave_out(Kind::Rights, path, metadata);
        }
        Ok(())
    }

    fn leave_out(&mut self, kind: Kind, path: &Path, metadata: &Metadata) {
        let inside = path.strip_prefix(self.prefix).unwrap_or(path);
        let path = match inside.to_string_lossy() {
            itself if itself.is_empty() => ".".to_owned(),
            path => path.into_owned(),
        };
        let time = change_of(metadata);
        self.left_out.push(LeftOut { kind, path, time });
    }
}

/// What changed after `start` in the file tree at `root`, but neither in the directory `prefix` nor in what is mounted
/// in the tree.
///
/// What cannot be read is left out: nobody gets it anyway.
pub(crate) fn outside(root: &Path, prefix: &Path, start: SystemTime) -> Vec<LeftOut> {
    let mut search = Search {
        root,
        except: mount_points().unwrap_or_default(),
        start,
        found: Vec::new(),
    };
    search.except.insert(prefix.to_owned());
    search.directory(root);
    let mut found = search.found;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

struct Search<'a> {
    root: &'a Path,
    except: HashSet<PathBuf>,
    start: SystemTime,
    found: Vec<LeftOut>,
}

impl Search<'_> {
    fn directory(&mut self, dir: &Path) {
        let before = self.found.len();
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if self.except.contains(&path) {
                continue;
            }
            let Ok(metadata) = path.symlink_metadata() else {
                continue;
            };
            if metadata.is_dir() {
                self.directory(&path);
            } else {
                self.look_at(&path, &metadata, "");
            }
        }
        // Something in it is gone, or its own mode has changed. Above changed files, overlay file systems copy directories,
        // which changes them too.
        if self.found.len() == before
            && let Ok(metadata) = dir.symlink_metadata()
        {
            self.look_at(dir, &metadata, "/");
        }
    }

    fn look_at(&mut self, path: &Path, metadata: &Metadata, end: &str) {
        let time = change_of(metadata);
        if time > self.start {
            let inside = path.strip_prefix(self.root).unwrap_or(path);
            self.found.push(LeftOut {
                kind: Kind::Outside,
                path: format!("/{}{end}", inside.display()).replace("//", "/"),
                time,
            });
        }
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// What the user should know about what `program` made and the image does not have: a sentence for each kind.
pub(crate) fn messages(program: &str, left_out: &[&LeftOut]) -> Vec<String> {
    /// How many paths a sentence names.
    const NAMED: usize = 6;
    let kinds = [
        (
            Kind::Rights,
            "made files set-uid, set-gid or writable for everyone, or gave them capabilities; the image leaves that out",
        ),
        (
            Kind::Special,
            "created devices, named pipes or sockets; the image leaves them out",
        ),
        (
            Kind::Outside,
            "changed files outside of the environment; the image leaves these changes out",
        ),
    ];
    let message = |(kind, what): (Kind, &str)| {
        let paths = left_out.iter().filter(|left| left.kind == kind);
        let paths: Vec<String> = paths
            .map(|left| left.path.escape_debug().to_string())
            .collect();
        (!paths.is_empty()).then(|| format!("{program} {what}: {}", listed(&paths, NAMED)))
    };
    kinds.into_iter().filter_map(message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::stamp::Owner;

    #[test]
    fn capabilities_are_removed() {
        /// The kernel's form of `cap_setuid+ep` (`struct vfs_cap_data`).
        const SETUID: [u8; 20] = [1, 0, 0, 2, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        let start = SystemTime::now();
        fs::write(&path, "").unwrap();
        xattr::set(&path, CAPABILITIES, &SETUID).unwrap();
        let owner = Owner::of(&fs::metadata(&path).unwrap());
        let left_out = settle(dir.path(), start, owner.into()).unwrap();
        let found: Vec<_> = left_out
            .iter()
            .map(|left| (left.kind, &*left.path))
            .collect();
        assert_eq!(found, [(Kind::Rights, "program")]);
        assert_eq!(xattr::get(&path, CAPABILITIES).unwrap(), None);
    }
}
