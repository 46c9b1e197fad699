//! The readers of what pip says, for `tests/fuzz`.

use std::path::Path;

use super::{build_failure, report};

/// Reads pip's report, and its output.
pub fn pip(data: &[u8]) {
    drop(report::read(data, Path::new("/in")));
    drop(build_failure::find(&String::from_utf8_lossy(data)));
}
