//! Divides a large package's layer into several, which engines send and unpack side by side.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::link::Claims;
use super::mounts::Mounts;
use super::normalize;
use super::pick::copy;
use super::placed::Placed;
use condafront_model::stamp::Ownership;
use condafront_step_spec::install::InstallSpec;

/// Moves files of the finished layer at `mounts.output` to the folders below `mounts.parts`, so that all get about as
/// many bytes. Which file goes where depends on the package alone, not on the prefix.
///
/// # Errors
/// An I/O error.
pub(super) fn divide(
    spec: &InstallSpec,
    placed: &[Vec<Placed>],
    claims: &Claims,
    mounts: &Mounts,
) -> Result<()> {
    if spec.further_parts == 0 {
        return Ok(());
    }
    let prefix = Path::new(spec.prefix.trim_start_matches('/'));
    let above = Ownership::from(normalize::owner_of(&mounts.output)?);
    let owner = spec.ownership();
    let mut changed = BTreeSet::new();
    for (part, path) in moved(placed, claims, spec.further_parts) {
        let path = prefix.join(path);
        let from = mounts.output.join(&path);
        let part = mounts.parts.join(part.to_string());
        copy(&from, &part.join(&path))?;
        fs::remove_file(&from).map_err(|e| Error::io("remove", &from, e))?;
        for root in [&mounts.output, &part] {
            let folders = path.ancestors().skip(1);
            let folders = folders.take_while(|folder| *folder != Path::new(""));
            changed.extend(folders.map(|folder| (root.clone(), folder.to_owned())));
        }
    }
    // Last, because adding and removing files changes a folder's time.
    for (root, folder) in changed {
        let is_own = folder.starts_with(prefix);
        normalize::directory(&root.join(&folder), if is_own { owner } else { above })?;
    }
    Ok(())
}

/// The number of the further part that each file goes to, if it does not stay.
fn moved(placed: &[Vec<Placed>], claims: &Claims, further: u16) -> Vec<(u16, PathBuf)> {
    let own = placed.iter().flatten().filter(|placed| placed.is_own);
    let mut files: Vec<(Reverse<u64>, &str)> = own
        // What the step has made itself is small and stays.
        .filter_map(|placed| Some((Reverse(placed.size?), placed.path.as_str())))
        .collect();
    files.sort_unstable();
    let mut bytes = vec![0_u64; usize::from(further) + 1];
    let mut moved = Vec::new();
    for (Reverse(size), path) in files {
        let emptiest = (0..=further).min_by_key(|part| bytes[usize::from(*part)]);
        let emptiest = emptiest.unwrap_or_default();
        bytes[usize::from(emptiest)] += size;
        if emptiest > 0 {
            moved.push((emptiest, claims.place(path).into_owned().into()));
        }
    }
    moved
}
