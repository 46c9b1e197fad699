//! The layer that the step creates: files to put on top of the base image.
//!
//! A layer that contains a directory also sets that directory's owner and mode, so it repeats
//! those of the base image's directories. Times are fixed, so that every builder makes the same layer.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use filetime::FileTime;

use super::error::AccountError;
use crate::rights::SET_ID;
use crate::root::Root;
use condafront_model::stamp::{EPOCH, Owner, Ownership};

/// The layer being written.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    root: &'a Root,
    out: PathBuf,
    /// The directories created.
    dirs: BTreeSet<PathBuf>,
    /// A directory without symbolic links, and whose group may write to everything in it.
    shared: Option<(PathBuf, Ownership)>,
}

impl<'a> Layer<'a> {
    /// Starts a layer in the existing directory `out`.
    pub(super) fn new(root: &'a Root, out: &Path) -> Result<Self, AccountError> {
        fs::set_permissions(out, Permissions::from_mode(0o755))
            .map_err(|e| AccountError::io(out, e))?;
        Ok(Self {
            root,
            out: out.to_owned(),
            dirs: BTreeSet::from([out.to_owned()]),
            shared: None,
        })
    }

    /// Gives everything that the layer gets at or below `dir` to the group of `ownership`, also what the base image has.
    /// `dir` has no symbolic links.
    pub(super) fn share(&mut self, dir: &Path, ownership: Ownership) {
        self.shared = Some((dir.to_owned(), ownership));
    }

    /// The permission bits and the owner of what would otherwise have `mode` and `owner`. A shared file is not set-uid or
    /// set-gid: it would run as somebody else what the group writes into it.
    fn rights(&self, resolved: &Path, mode: u32, owner: Owner, is_dir: bool) -> (u32, Owner) {
        match &self.shared {
            Some((dir, to)) if resolved.starts_with(dir) => {
                let gid = to.owner.gid;
                let mode = if is_dir { mode } else { mode & !SET_ID };
                (to.mode(mode), Owner { gid, ..owner })
            }
            _ => (mode, owner),
        }
    }

    /// Writes a file. If the base image has it, its owner and mode stay.
    pub(super) fn write(
        &mut self,
        path: impl AsRef<Path>,
        contents: &[u8],
        mode: u32,
        owner: Owner,
    ) -> Result<(), AccountError> {
        self.put(path.as_ref(), mode, owner, |real| fs::write(real, contents))
    }

    /// Writes a file with the contents of the file `from` of this machine.
    pub(super) fn copy(
        &mut self,
        path: impl AsRef<Path>,
        from: &Path,
        mode: u32,
        owner: Owner,
    ) -> Result<(), AccountError> {
        self.put(path.as_ref(), mode, owner, |real| {
            fs::copy(from, real).map(drop)
        })
    }

    fn put(
        &mut self,
        path: &Path,
        mode: u32,
        owner: Owner,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<(), AccountError> {
        let path = self.root.resolve(path)?;
        let (mode, owner) = match self.root.metadata(&path)? {
            Some(meta) if meta.is_file() => (meta.mode() & 0o7777, Owner::of(&meta)),
            _ => (mode, owner),
        };
        let (mode, owner) = self.rights(&path, mode, owner, false);
        let real = self.place(&path)?;
        let io = |e| AccountError::io(&real, e);
        // Writing through a link could write outside the layer.
        if real.symlink_metadata().is_ok() {
            fs::remove_file(&real).map_err(io)?;
        }
        write(&real).map_err(io)?;
        lchown(&real, Some(owner.uid), Some(owner.gid)).map_err(io)?;
        fs::set_permissions(&real, Permissions::from_mode(mode)).map_err(io)?;
        set_time(&real)
    }

    /// Creates a symbolic link, which replaces a file of the base image.
    pub(super) fn symlink(
        &mut self,
        path: impl AsRef<Path>,
        target: &Path,
        owner: Owner,
    ) -> Result<(), AccountError> {
        let path = self.root.resolve_parent(path.as_ref())?;
        let real = self.place(&path)?;
        let io = |e| AccountError::io(&real, e);
        symlink(target, &real).map_err(io)?;
        lchown(&real, Some(owner.uid), Some(owner.gid)).map_err(io)?;
        set_time(&real)
    }

    /// Creates a directory and its parents; one that the base image has keeps its owner and mode.
    pub(super) fn dir(
        &mut self,
        path: impl AsRef<Path>,
        mode: u32,
        owner: Owner,
    ) -> Result<(), AccountError> {
        let path = self.root.resolve(path.as_ref())?;
        let real = self.place(&path)?;
        if self.dirs.contains(&real) {
            return Ok(());
        }
        let (mode, owner) = match self.root.metadata(&path)? {
            None => (mode, owner),
            Some(meta) if meta.is_dir() => (meta.mode() & 0o7777, Owner::of(&meta)),
            Some(_) => return Err(AccountError::NotADirectory(path.display().to_string())),
        };
        let (mode, owner) = self.rights(&path, mode, owner, true);
        let io = |e| AccountError::io(&real, e);
        fs::create_dir(&real).map_err(io)?;
        lchown(&real, Some(owner.uid), Some(owner.gid)).map_err(io)?;
        fs::set_permissions(&real, Permissions::from_mode(mode)).map_err(io)?;
        self.dirs.insert(real);
        Ok(())
    }

    /// Creates a directory and its parents that the base image lacks, all for one owner. Returns whether it lacks the
    /// directory.
    pub(super) fn dirs(
        &mut self,
        path: impl AsRef<Path>,
        mode: u32,
        owner: Owner,
    ) -> Result<bool, AccountError> {
        let path = self.root.resolve(path.as_ref())?;
        if self.root.metadata(&path)?.is_some_and(|meta| meta.is_dir()) {
            return Ok(false);
        }
        let mut all: Vec<&Path> = path.ancestors().collect();
        all.pop();
        all.reverse();
        all.into_iter()
            .try_for_each(|dir| self.dir(dir, mode, owner))?;
        Ok(true)
    }

    /// Sets the times of the directories, which change when files are written into them.
    pub(super) fn finish(&self) -> Result<(), AccountError> {
        self.dirs.iter().try_for_each(|dir| set_time(dir))
    }

    /// The place in the layer of a path without symbolic links; creates its parents.
    fn place(&mut self, resolved: &Path) -> Result<PathBuf, AccountError> {
        let inside = resolved.strip_prefix("/").unwrap_or(resolved);
        if let Some(parent) = resolved.parent()
            && parent != Path::new("/")
        {
            self.dir(parent, 0o755, Owner::ROOT)?;
        }
        Ok(self.out.join(inside))
    }
}

fn set_time(path: &Path) -> Result<(), AccountError> {
    let time = FileTime::from_unix_time(EPOCH, 0);
    filetime::set_symlink_file_times(path, time, time).map_err(|e| AccountError::io(path, e))
}
