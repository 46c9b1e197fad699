//! The result of running packages' activation scripts at build time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;

/// What the scripts in `etc/conda/activate.d` change after the environment is activated without
/// them: the contents of `activation.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Variables with the same value in every run.
    pub set: BTreeMap<String, String>,
    /// Variables that the scripts remove.
    pub unset: Vec<String>,
    /// File names of all scripts, in the order they ran.
    pub scripts: Vec<String>,
    /// The scripts that set a variable to a value that depends on the run (the user, the directory,
    /// the time): they must run when a container starts.
    pub dynamic: Vec<String>,
    /// The scripts that define functions, aliases or completions for interactive shells.
    pub shell_only: Vec<String>,
    /// What the scripts printed.
    pub log: String,
}

/// The file that the step writes into its output directory.
pub const RECORDED_FILE: &str = "activation.json";

/// The request to `record-activation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSpec {
    /// The environment's directory.
    pub prefix: String,
    /// The image's variables with the environment active, without the changes of the scripts. They are the step's items:
    /// together they can be longer than an argument.
    #[serde(skip)]
    pub env: Vec<(String, String)>,
    /// The image's user, who runs the scripts.
    pub uid: u32,
    /// That user's group.
    pub gid: u32,
}

impl StepSpec for RecordSpec {
    const SUBCOMMAND: &'static str = "record-activation";
    type Item = (String, String);
}

/// The entrypoint binary in an image.
pub const ENTRYPOINT: &str = "/usr/local/bin/condafront-entrypoint";

/// Where login shells look for scripts.
pub const PROFILE_DIR: &str = "/etc/profile.d";

/// A file that the frontend itself writes into the image, owned by root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFile {
    /// Absolute path in the image.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// What is in it.
    pub contents: Vec<u8>,
}
