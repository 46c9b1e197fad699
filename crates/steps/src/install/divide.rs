//! Divides a large package's layer into several, which engines send and unpack in parallel.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::mounts::Mounts;
use super::normalize;
use super::pick::copy;
use condafront_model::stamp::Ownership;

/// A finished layer that is divided.
pub(super) struct Divided<'a> {
    /// Where the environment will be in the image.
    pub(super) prefix: &'a str,
    /// Whom everything below the prefix belongs to.
    pub(super) owner: Ownership,
    /// How many layers there are in addition to the first.
    pub(super) further: u16,
    /// The files that need not stay in the first layer, by their paths relative to the prefix, and their sizes in bytes: what
    /// the step has made itself is small and stays.
    pub(super) files: Vec<(u64, PathBuf)>,
}

impl Divided<'_> {
    /// Moves files of the layer at `mounts.output` to the folders below `mounts.parts`, so that all get about as many bytes.
    /// Which file goes where depends on the package alone, not on the prefix.
    ///
    /// # Errors
    /// An I/O error.
    pub(super) fn divide(self, mounts: &Mounts) -> Result<()> {
        if self.further == 0 {
            return Ok(());
        }
        let prefix = Path::new(self.prefix.trim_start_matches('/'));
        let above = Ownership::from(normalize::owner_of(&mounts.output)?);
        let mut changed = BTreeSet::new();
        for (part, path) in moved(self.files, self.further) {
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
            normalize::directory(&root.join(&folder), if is_own { self.owner } else { above })?;
        }
        Ok(())
    }
}

/// The number of the further part that each file goes to, if it does not stay.
fn moved(files: Vec<(u64, PathBuf)>, further: u16) -> Vec<(u16, PathBuf)> {
    let files = files.into_iter().map(|(size, path)| (Reverse(size), path));
    let mut files: Vec<(Reverse<u64>, PathBuf)> = files.collect();
    files.sort_unstable();
    let mut bytes = vec![0_u64; usize::from(further) + 1];
    let mut moved = Vec::new();
    for (Reverse(size), path) in files {
        let emptiest = (0..=further).min_by_key(|part| bytes[usize::from(*part)]);
        let emptiest = emptiest.unwrap_or_default();
        // A package says itself how large its files are.
        let filled = &mut bytes[usize::from(emptiest)];
        *filled = filled.saturating_add(size);
        if emptiest > 0 {
            moved.push((emptiest, path));
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_no_files_have_are_divided_too() {
        let files = ["a", "b", "c"].map(|name| (u64::MAX, PathBuf::from(name)));
        let moved = moved(files.into(), 1);
        assert_eq!(moved, [(1, PathBuf::from("b"))]);
    }
}
