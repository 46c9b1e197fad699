//! Making a tree the same on every machine: owners, modes and times.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use filetime::{FileTime, set_symlink_file_times};

use super::error::{Error, Result};
use super::placed::Looks;
use condafront_model::stamp::{EPOCH, Owner, Ownership};

/// The owner of `path`. An output mount belongs to root, so directories above a prefix can be given to
/// the mount's owner.
///
/// # Errors
/// `path` does not exist.
pub(crate) fn owner_of(path: &Path) -> Result<Owner> {
    let metadata = fs::symlink_metadata(path).map_err(|e| Error::io("read", path, e))?;
    Ok(Owner::of(&metadata))
}

/// The owner of the directory `path`, and whether its group may write.
///
/// # Errors
/// `path` does not exist.
pub(crate) fn ownership_of(path: &Path) -> Result<Ownership> {
    let metadata = fs::symlink_metadata(path).map_err(|e| Error::io("read", path, e))?;
    Ok(Ownership {
        owner: Owner::of(&metadata),
        group_writable: metadata.mode() & GROUP_WRITES != 0,
    })
}

/// Mode of every directory, unless the group may write.
const DIRECTORY_MODE: u32 = 0o755;

/// The bit for the group to write.
const GROUP_WRITES: u32 = 0o020;

/// Normalizes the prefix at `dir`: each file gets its mode and time from `own` (by path relative to
/// the prefix), each directory gets the usual ones, and all get `owner`. A file that is not in `own`
/// belongs to no package and is removed, along with directories that contained nothing else.
///
/// # Errors
/// An I/O error.
pub(crate) fn prefix(
    dir: &Path,
    own: &BTreeMap<Cow<'_, str>, &Looks>,
    owner: Ownership,
) -> Result<()> {
    walk(dir, "", own, owner)?;
    directory(dir, owner)
}

/// Normalizes the output mount `output` with the prefix at `dir` in it: the prefix as [`prefix`] does, the directories
/// above it, which belong to the mount's owner, and nothing beside them.
///
/// # Errors
/// An I/O error.
pub(crate) fn output(
    output: &Path,
    dir: &Path,
    own: &BTreeMap<Cow<'_, str>, &Looks>,
    owner: Ownership,
) -> Result<()> {
    prefix(dir, own, owner)?;
    let above = Ownership::from(owner_of(output)?);
    let mut dir = dir;
    while let Some(parent) = dir.parent().filter(|parent| parent.starts_with(output)) {
        only(parent, dir)?;
        directory(parent, above)?;
        dir = parent;
    }
    Ok(())
}

/// What a walk through a directory found.
#[derive(Default)]
struct Found {
    /// Something was kept in it.
    kept: bool,
    /// Something was removed from it.
    removed: bool,
}

fn walk(
    dir: &Path,
    relative: &str,
    own: &BTreeMap<Cow<'_, str>, &Looks>,
    owner: Ownership,
) -> Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(dir).map_err(|e| Error::io("list", dir, e))? {
        let entry = entry.map_err(|e| Error::io("list", dir, e))?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let relative = match relative {
            "" => name.into_owned(),
            parent => format!("{parent}/{name}"),
        };
        let metadata = fs::symlink_metadata(&path).map_err(|e| Error::io("read", &path, e))?;
        let keep = if metadata.is_dir() {
            let inside = walk(&path, &relative, own, owner)?;
            let keep = inside.kept || !inside.removed;
            if keep {
                directory(&path, owner)?;
            } else {
                fs::remove_dir(&path).map_err(|e| Error::io("remove", &path, e))?;
            }
            keep
        } else if let Some(own) = own.get(relative.as_str()) {
            let mode = own.mode.map(|mode| owner.mode(mode));
            set(&path, &metadata, mode, own.mtime, owner.owner)?;
            true
        } else {
            fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
            false
        };
        found.kept |= keep;
        found.removed |= !keep;
    }
    Ok(found)
}

/// Removes everything in `dir` except `kept`: python and micromamba run in install steps, and what they leave outside of
/// the prefix is not part of a package.
///
/// # Errors
/// An I/O error.
fn only(dir: &Path, kept: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|e| Error::io("list", dir, e))? {
        let entry = entry.map_err(|e| Error::io("list", dir, e))?;
        let path = entry.path();
        if path == kept {
            continue;
        }
        let kind = entry.file_type().map_err(|e| Error::io("read", &path, e))?;
        let removed = if kind.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|e| Error::io("remove", &path, e))?;
    }
    Ok(())
}

/// Gives one directory its owner, mode and time. Call it after all changes inside the directory.
///
/// # Errors
/// An I/O error.
pub(crate) fn directory(dir: &Path, owner: Ownership) -> Result<()> {
    let metadata = fs::symlink_metadata(dir).map_err(|e| Error::io("read", dir, e))?;
    let mode = owner.mode(DIRECTORY_MODE);
    set(dir, &metadata, Some(mode), EPOCH, owner.owner)
}

/// Sets what differs from `metadata`; a symlink has no `mode`. A file that is already right is not
/// touched: in a root of several layers, that would copy it into the top layer.
///
/// # Errors
/// An I/O error.
pub(crate) fn set(
    path: &Path,
    metadata: &Metadata,
    mode: Option<u32>,
    mtime: i64,
    owner: Owner,
) -> Result<()> {
    set_owner(path, metadata, owner)?;
    if let Some(mode) = mode.filter(|mode| metadata.mode() & 0o7777 != *mode) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(|e| Error::io("change the mode of", path, e))?;
    }
    if (metadata.mtime(), metadata.mtime_nsec()) == (mtime, 0) {
        return Ok(());
    }
    let time = FileTime::from_unix_time(mtime, 0);
    set_symlink_file_times(path, time, time).map_err(|e| Error::io("change the time of", path, e))
}

/// Sets the owner if `metadata` has a different one.
///
/// # Errors
/// An I/O error.
pub(crate) fn set_owner(path: &Path, metadata: &Metadata, owner: Owner) -> Result<()> {
    if Owner::of(metadata) == owner {
        return Ok(());
    }
    lchown(path, Some(owner.uid), Some(owner.gid))
        .map_err(|e| Error::io("change the owner of", path, e))
}
