//! The pick step: copies what layers of several groups do not show as a single install would leave it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use super::error::{Error, Result};
use super::mounts::Mounts;
use super::normalize;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::{PickSpec, PickedFile};

/// Runs the subcommand `pick` with the arguments `args`. Copies each path from the layer at `<input>/<n>` to its place in
/// the output, with the directories above it.
///
/// # Errors
/// A missing file, or an I/O error.
pub fn pick(args: &[String], mounts: &Mounts) -> Result<()> {
    let (spec, files) = PickSpec::from_args(args)?;
    let prefix = Path::new(spec.prefix.trim_start_matches('/'));
    let mut folders = BTreeMap::new();
    for PickedFile {
        layer,
        path,
        from,
        is_empty,
    } in &files
    {
        let root = mounts.input.join(layer.to_string());
        let source = root.join(prefix).join(from.as_ref().unwrap_or(path));
        let path = prefix.join(path);
        let is_folder = fs::symlink_metadata(&source).is_ok_and(|found| found.is_dir());
        if is_folder {
            let folder = mounts.output.join(&path);
            fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        } else {
            let content = if *is_empty {
                Content::None
            } else {
                Content::All
            };
            copy_with(content, &source, &mounts.output.join(&path))?;
        }
        let above = path.ancestors().skip(usize::from(!is_folder));
        for folder in above.filter(|folder| *folder != Path::new("")) {
            // A layer need not have all folders of another one, but those below the prefix have one owner.
            let like = if folder.starts_with(prefix) {
                prefix
            } else {
                folder
            };
            folders.insert(folder.to_owned(), root.join(like));
        }
    }
    // Last, because adding a file to a directory changes its time.
    for (folder, like) in folders {
        normalize::directory(&mounts.output.join(folder), normalize::ownership_of(&like)?)?;
    }
    Ok(())
}

/// Copies one file or symlink unchanged.
///
/// # Errors
/// An I/O error.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_with(Content::All, from, to)
}

/// How much of a file is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    All,
    None,
}

fn copy_with(content: Content, from: &Path, to: &Path) -> Result<()> {
    let metadata = fs::symlink_metadata(from).map_err(|e| Error::io("read", from, e))?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e))?;
    }
    if metadata.is_symlink() {
        let target = fs::read_link(from).map_err(|e| Error::io("read", from, e))?;
        symlink(target, to).map_err(|e| Error::io("create", to, e))?;
    } else if content == Content::None {
        fs::write(to, b"").map_err(|e| Error::io("write", to, e))?;
    } else {
        fs::copy(from, to).map_err(|e| Error::io("copy", from, e))?;
    }
    let made = fs::symlink_metadata(to).map_err(|e| Error::io("read", to, e))?;
    let mode = (!metadata.is_symlink()).then_some(metadata.mode() & 0o7777);
    let owner = normalize::owner_of(from)?;
    normalize::set(to, &made, mode, metadata.mtime(), owner)
}
