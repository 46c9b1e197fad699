//! Things that some tests need and not every machine has.
//!
//! Such a test is ignored (`#[ignore = "needs …"]`) and its name starts with `needs_<what>_`: `scripts/test` runs it
//! where that is available and counts it as skipped elsewhere. So no test passes by returning early.

use std::env;
use std::path::PathBuf;

/// The path of a real micromamba, for the tests `needs_micromamba_…`.
///
/// # Panics
/// If `MICROMAMBA` is not set.
pub fn micromamba() -> PathBuf {
    env::var_os("MICROMAMBA")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .expect("MICROMAMBA must be set to the path of a micromamba")
}
