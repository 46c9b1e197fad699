//! The readers of records, for `tests/fuzz`.

use std::path::Path;

use super::packages::Packages;
use super::state;

/// Reads the records in the root prefix `prefix`, and the file `conda-meta/state` beside them.
pub(crate) fn records(prefix: &Path) {
    drop(Packages::of(prefix));
    drop(state::variables(&prefix.join("conda-meta/state")));
}
