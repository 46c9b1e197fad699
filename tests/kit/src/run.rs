//! What all tests of one run share. They may be threads of a process or processes of their own, so it is kept in files of
//! the folder that `scripts/engine with` makes for the run.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::engine::variable;

/// The folder; it goes away when the run ends.
fn folder() -> PathBuf {
    variable("CONDAFRONT_TEST_RUN").into()
}

/// Keeps other tests out until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

/// Waits until no other test has this turn, and takes it.
///
/// # Panics
/// If the run has no folder, or a lock cannot be had.
pub fn turn(name: &str) -> Turn {
    let path = folder().join(format!("{name}.lock"));
    let lock = File::create(&path)
        .and_then(|file| file.lock().map(|()| file))
        .unwrap_or_else(|error| panic!("cannot lock {}: {error}", path.display()));
    Turn { _lock: lock }
}

/// Makes something for the whole run, under this name, unless a test has made it; what it is called.
///
/// A `make` that panics has made nothing: the next test tries again.
///
/// # Panics
/// If the run has no folder, or a file in it cannot be read or written.
pub fn once(name: &str, make: impl FnOnce() -> String) -> String {
    let _turn = turn(name);
    let path = folder().join(name);
    if let Ok(made) = fs::read_to_string(&path) {
        return made;
    }
    let made = make();
    fs::write(&path, &made)
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    made
}
