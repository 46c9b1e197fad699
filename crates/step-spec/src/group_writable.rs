//! The command that makes what another command leaves writable for a group.

use serde::{Deserialize, Serialize};

/// The subcommand. Its arguments are a [`GroupWritableSpec`] in JSON, and then the program to run with its own arguments,
/// as they are. It ends with the program's exit code.
pub const RUN_GROUP_WRITABLE: &str = "run-group-writable";

/// Where the group may do what the owner may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupWritableSpec {
    /// The group.
    pub gid: u32,
    /// Absolute paths of directories. Missing ones are skipped.
    pub folders: Vec<String>,
}
