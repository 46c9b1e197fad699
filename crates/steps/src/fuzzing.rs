//! The readers of this crate as functions of bytes, for `tests/fuzz`. Whatever the bytes are, they must come back without a
//! panic, in bounded time and memory, and keep what they promise.

pub use crate::account::fuzzing::accounts;
pub use crate::diff::fuzzing::{distribution, inventory};
pub use crate::install::fuzzing::{archive, env_vars, tar};
pub use crate::install::fuzzing_of_wheels::wheel;
pub use crate::pip::fuzzing::pip;
pub use crate::solve::fuzzing::{repodata, shard, shard_list};
pub use crate::system::fuzzing::package_managers;
