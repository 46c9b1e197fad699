//! The folder that keeps downloads and generated files between test runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The workspace's git-ignored folder `.engine`, or the one that `CONDAFRONT_ENGINE_DIR` names.
///
/// # Panics
/// If it cannot be created.
pub fn engine_dir() -> PathBuf {
    let directory = std::env::var_os("CONDAFRONT_ENGINE_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.engine"),
        PathBuf::from,
    );
    fs::create_dir_all(&directory)
        .unwrap_or_else(|error| panic!("cannot create {}: {error}", directory.display()));
    directory
        .canonicalize()
        .unwrap_or_else(|error| panic!("cannot resolve {}: {error}", directory.display()))
}

/// The directory `name` in [`engine_dir`]. If it is missing, `make` fills it, under a lock that
/// keeps other processes out; a `make` that panics leaves nothing behind.
///
/// # Panics
/// If a directory or the lock cannot be made.
pub fn made_once(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let directory = engine_dir().join(name);
    if directory.is_dir() {
        return directory;
    }
    let lock_path = engine_dir().join(format!("{name}.lock"));
    let lock = File::create(&lock_path)
        .and_then(|file| file.lock().map(|()| file))
        .unwrap_or_else(|error| panic!("cannot lock {}: {error}", lock_path.display()));
    if !directory.is_dir() {
        let prefix = format!("{name}.unfinished-");
        remove_starting_with(&prefix);
        let unfinished = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(engine_dir())
            .unwrap_or_else(|error| panic!("cannot make a directory for {name}: {error}"));
        make(unfinished.path());
        let unfinished = unfinished.keep();
        fs::rename(&unfinished, &directory)
            .unwrap_or_else(|error| panic!("cannot put {name} in place: {error}"));
    }
    drop(lock);
    directory
}

/// Removes what a killed process left behind.
fn remove_starting_with(prefix: &str) {
    let Ok(entries) = fs::read_dir(engine_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            fs::remove_dir_all(entry.path())
                .unwrap_or_else(|error| panic!("cannot remove an old {prefix}: {error}"));
        }
    }
}
