//! The readers of wheels, for `tests/fuzz`.

use std::fs;
use std::path::Path;

use super::archive::unpack_wheel;
use super::metadata::Metadata;
use super::{entry_points, record};
use crate::install::fuzzing::{LIMITS, unpacked};

/// Unpacks a wheel, and reads what it says about itself. `dir` is an empty folder.
///
/// # Panics
/// If it writes elsewhere.
pub fn wheel(dir: &Path, data: &[u8]) {
    let archive = dir.join("a-1-py3-none-any.whl");
    if fs::write(&archive, data).is_ok() {
        unpacked(dir, |dest| {
            let wheel = unpack_wheel(&archive, dest, &LIMITS)?;
            drop(Metadata::read("a-1-py3-none-any.whl", &wheel, dest));
            Ok(wheel.entries)
        });
    }
    let text = String::from_utf8_lossy(data);
    drop(entry_points::read(&text, "3.13"));
    drop(record::read(&text));
}
