//! Writing files that are the same on every builder.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use filetime::{FileTime, set_file_times};
use sha2::{Digest as _, Sha256};

use crate::install::Digests;
use crate::install::error::{Error, Result};
use condafront_model::stamp::EPOCH;

/// Copies a file and creates the folders above it.
pub(super) fn copy(from: &Path, to: &Path, digests: &Digests) -> Result<()> {
    make_parent(to)?;
    fs::copy(from, to).map_err(|error| Error::io("write", to, error))?;
    stamp(to, &digests.sha256)
}

/// Writes a file and creates the folders above it.
pub(super) fn write(to: &Path, contents: &[u8]) -> Result<()> {
    make_parent(to)?;
    fs::write(to, contents).map_err(|error| Error::io("write", to, error))?;
    stamp(to, &hex::encode(Sha256::digest(contents)))
}

fn make_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    fs::create_dir_all(parent).map_err(|error| Error::io("create", parent, error))
}

/// Gives a file the mode and time that it has on every builder. The fraction of a second distinguishes contents of the
/// same size, because BuildKit considers a file from a client unchanged if its size and time are.
fn stamp(path: &Path, sha256: &str) -> Result<()> {
    let part = sha256
        .get(..8)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    set(path, 0o644, part.unwrap_or(0) % 1_000_000_000)
}

/// Gives all folders below `dir` the modes and times that they have on every builder.
pub(super) fn normalize_folders(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|error| Error::io("list", dir, error))? {
        let path = entry.map_err(|error| Error::io("list", dir, error))?.path();
        if path.is_dir() {
            normalize_folders(&path)?;
            set(&path, 0o755, 0)?;
        }
    }
    Ok(())
}

fn set(path: &Path, mode: u32, nanoseconds: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| Error::io("change the mode of", path, error))?;
    let time = FileTime::from_unix_time(EPOCH, nanoseconds);
    set_file_times(path, time, time).map_err(|error| Error::io("change the time of", path, error))
}
