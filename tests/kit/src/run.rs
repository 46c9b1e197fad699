//! State that all tests of a run share. Tests may be threads or separate processes, so it is kept in files, in the
//! folder that `scripts/engine with` makes for the run.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::engine::variable;

/// The folder, which is removed when the run ends.
fn folder() -> PathBuf {
    variable("CONDAFRONT_TEST_RUN").into()
}

/// Keeps other tests out until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

/// Waits until no other test has this turn, then takes it.
///
/// # Panics
/// If the run has no folder, or the lock fails.
pub fn turn(name: &str) -> Turn {
    let path = folder().join(format!("{name}.lock"));
    let lock = File::create(&path)
        .and_then(|file| file.lock().map(|()| file))
        .unwrap_or_else(|error| panic!("cannot lock {}: {error}", path.display()));
    Turn { _lock: lock }
}

/// Makes something for the whole run, unless another test has made it under this name. Returns what `make` returned.
///
/// If `make` panics, the next test tries again.
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
