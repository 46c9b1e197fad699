//! The step that tries an image as a platform starts it.

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;

/// What to try.
///
/// Arguments: `prove SPEC VARIABLE…`; the root is the image, and each variable of the image is a pair of its name and its
/// value. It writes [`PROOF_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveSpec {
    /// One after the other. The first that fails fails the step.
    pub trials: Vec<Trial>,
}

/// One thing that must work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What the platform does, as the beginning of the error.
    pub rule: String,
    /// What to do if it does not work.
    pub help: String,
    /// Who tries it.
    pub uid: u32,
    /// That user's group.
    pub gid: u32,
    /// The `HOME` that engines give this user, unless the image has one.
    pub home: String,
    /// What is tried.
    pub what: What,
}

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// To create a file in each of these directories, and in `HOME`.
    Write(Vec<String>),
    /// To run a program with these arguments.
    Run(Vec<String>),
    /// To find something at this path.
    Find(String),
}

/// What the step has found out, as JSON in [`PROOF_FILE`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The rules of trials that nobody could make: the builder has too few users.
    pub untried: Vec<String>,
}

impl StepSpec for ProveSpec {
    const SUBCOMMAND: &'static str = "prove";
    type Item = (String, String);
}

/// The subcommand that creates a file in each of the directories that are its arguments, and removes it.
pub const PROBE_WRITE: &str = "probe-write";

/// The file with a [`Proof`] that the step leaves below the facts mount if nothing fails.
pub const PROOF_FILE: &str = "proof.json";
