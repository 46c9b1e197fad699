//! The readers of packages, for `tests/fuzz`.

use std::fs;
use std::path::Path;

use super::archive::{Limits, Unpacker, unpack};
use super::entry::{Entries, EntryKind};
use super::error::Result;
use super::{env_vars, metadata};

/// How much an archive may unpack to here: what is found shows in little.
pub(super) const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    entries: 500,
    free_bytes: 1 << 20,
    ratio: 100,
};

/// Unpacks a package as it is downloaded, and reads what it says about itself. `dir` is an empty folder.
///
/// # Panics
/// If it writes elsewhere.
pub fn archive(dir: &Path, data: &[u8]) {
    let name = if data.starts_with(b"BZh") {
        "a-1-0.tar.bz2"
    } else {
        "a-1-0.conda"
    };
    let archive = dir.join(name);
    if fs::write(&archive, data).is_ok() {
        unpacked(dir, |dest| unpack(&archive, dest, &LIMITS));
    }
}

/// Unpacks what is compressed in a package. `dir` is an empty folder.
///
/// # Panics
/// If it writes elsewhere.
pub fn tar(dir: &Path, data: &[u8]) {
    unpacked(dir, |dest| {
        let mut unpacker = Unpacker::new(dest, &LIMITS, data.len() as u64);
        unpacker.read_tar(data)?;
        unpacker.finish()
    });
}

/// Reads a file of `etc/conda/env_vars.d`.
pub fn env_vars(data: &[u8]) {
    drop(env_vars::parse(data));
}

/// Unpacks into a folder in `dir`, and checks that everything is there.
pub(super) fn unpacked(dir: &Path, unpack: impl FnOnce(&Path) -> Result<Entries>) {
    let dest = dir.join("unpacked");
    let names = || -> Vec<_> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    fs::create_dir_all(&dest).expect("a folder");
    let before = names();
    if let Ok(entries) = unpack(&dest) {
        for (name, entry) in &entries {
            let found = fs::symlink_metadata(dest.join(name)).expect("an entry is written");
            let is_link = matches!(entry.kind, EntryKind::Symlink { .. });
            assert_eq!(found.is_symlink(), is_link, "{name:?}");
        }
        drop(metadata::index(&dest));
        drop(metadata::paths(&dest));
        drop(metadata::entry_points(&dest));
    }
    assert_eq!(names(), before, "something is written beside the folder");
}
