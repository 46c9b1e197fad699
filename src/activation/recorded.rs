//! The result of running packages' activation scripts at build time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the scripts in `etc/conda/activate.d` do, relative to the environment activated without
/// them: the contents of `activation.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Variables with the same value in every run.
    pub set: BTreeMap<String, String>,
    /// Variables that the scripts remove.
    pub unset: Vec<String>,
    /// File names of all scripts, in the order in which they ran.
    pub scripts: Vec<String>,
    /// Those of them that set a variable to a value that depends on the run (the user, the
    /// directory, the time), so that they must run when a container starts.
    pub dynamic: Vec<String>,
    /// Those of them that define functions, aliases or completions: for interactive shells.
    pub shell_only: Vec<String>,
    /// What the scripts printed.
    pub log: String,
}
