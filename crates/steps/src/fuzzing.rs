//! The readers of this crate as functions of bytes, for `tests/fuzz`. Whatever the bytes are, they must come back without a
//! panic, in bounded time and memory, and keep what they promise.

use std::fs;
use std::path::Path;

pub use crate::account::fuzzing::accounts;
pub use crate::diff::fuzzing::{distribution, inventory};
pub use crate::install::fuzzing::{archive, env_vars, tar};
pub use crate::install::fuzzing_of_wheels::wheel;
pub use crate::pip::fuzzing::pip;
pub use crate::solve::fuzzing::{repodata, shard, shard_list};
pub use crate::system::fuzzing::package_managers;
use crate::{diff, verify};

/// Reads the record of a conda package, and the variables beside it, as the targets `diff` and `verify` do; `dir` is an empty
/// folder.
///
/// # Panics
/// If `dir` cannot be written to, or if a report would have a text that it cannot show.
pub fn conda_meta(dir: &Path, data: &[u8]) {
    let prefix = dir.join("opt/conda");
    let folder = prefix.join("conda-meta");
    fs::create_dir_all(&folder).expect("a folder for records");
    for name in ["a-1-0.json", "state"] {
        fs::write(folder.join(name), data).expect("a record is written");
    }
    diff::fuzzing::records(dir);
    verify::fuzzing::records(&prefix);
}
