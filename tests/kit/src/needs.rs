//! What some tests need and not every machine has.
//!
//! Such a test is ignored (`#[ignore = "needs …"]`) and its name begins with `needs_<what>_`, by which `scripts/test` runs
//! it where that is there and counts it as skipped elsewhere. So no test passes by returning early.

use std::env;
use std::path::PathBuf;

/// A real micromamba, for the tests `needs_micromamba_…`.
///
/// # Panics
/// If `MICROMAMBA` names none.
pub fn micromamba() -> PathBuf {
    env::var_os("MICROMAMBA")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .expect("MICROMAMBA has to be the path of a micromamba")
}
