//! The pick step: copies files that several groups have, in the version that a single install would
//! leave.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use super::error::{Error, Result};
use super::normalize;
use super::step::Mounts;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::{PickSpec, PickedFile};

/// Runs the subcommand `pick` with the arguments `args`. Copies each file from the layer at
/// `<input>/<n>` to the same path in the output, with the directories above it.
///
/// # Errors
/// A missing file, or an I/O error.
pub(crate) fn pick(args: &[String], mounts: &Mounts) -> Result<()> {
    let (spec, files) = PickSpec::from_args(args)?;
    let prefix = spec.prefix.trim_start_matches('/');
    for PickedFile { layer, path } in &files {
        let from = mounts.input.join(layer.to_string());
        let path = Path::new(prefix).join(path);
        copy(&from.join(&path), &mounts.output.join(&path))?;
    }
    // Last, because adding a file to a directory changes its time.
    for PickedFile { layer, path } in &files {
        let from = mounts.input.join(layer.to_string());
        let path = Path::new(prefix).join(path);
        for dir in path.ancestors().skip(1).filter(|dir| *dir != Path::new("")) {
            let owner = normalize::owner_of(&from.join(dir))?;
            normalize::directory(&mounts.output.join(dir), owner)?;
        }
    }
    Ok(())
}

/// Copies one file or symlink unchanged.
///
/// # Errors
/// An I/O error.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let metadata = fs::symlink_metadata(from).map_err(|e| Error::io("read", from, e))?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e))?;
    }
    if metadata.is_symlink() {
        let target = fs::read_link(from).map_err(|e| Error::io("read", from, e))?;
        symlink(target, to).map_err(|e| Error::io("create", to, e))?;
    } else {
        fs::copy(from, to).map_err(|e| Error::io("copy", from, e))?;
    }
    let made = fs::symlink_metadata(to).map_err(|e| Error::io("read", to, e))?;
    let mode = (!metadata.is_symlink()).then_some(metadata.mode() & 0o7777);
    let owner = normalize::owner_of(from)?;
    normalize::set(to, &made, mode, metadata.mtime(), owner)
}
