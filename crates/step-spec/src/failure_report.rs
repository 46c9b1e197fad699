//! A build step's report to the frontend of why it failed.
//!
//! For a failing step, BuildKit reports only its command line and exit code. So the frontend runs the step once more as
//! `condafront explain <step> …`, which records what went wrong instead of failing.

use crate::args::ArgsError;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

/// The subcommand that runs another step and reports its failure.
pub const EXPLAIN: &str = "explain";

/// Where that step writes its report: a mount, with a name that no base image uses.
pub const REPORT_DIR: &str = "/.condafront-report";

/// A [`FailureReport`] as JSON; missing if nothing failed this time.
pub const REPORT_FILE: &str = "failure.json";

/// A failure in words for the user, and its cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct FailureReport {
    /// What happened and why.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What is to blame, most relevant first; empty if the user's file does not name the cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub culprits: Vec<Culprit>,
    /// Whether the files of its culprits are not what should have been downloaded, so that another download may help.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrong_content: bool,
}

/// What is to blame for a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Culprit {
    /// A package, as an index into the step's own list of packages.
    Package(usize),
    /// A package's file, as its path below the prefix. For the account step, the working directory.
    File(String),
    /// A requested MatchSpec, as an index into the request's list.
    Spec(usize),
    /// A channel, as an index into the request's list.
    Channel(usize),
    /// A key of the image section.
    Key(String),
}

impl FailureReport {
    /// A failure without a cause in the user's file.
    pub fn new(error: impl Display) -> Self {
        Self {
            message: error.to_string(),
            help: None,
            culprits: Vec::new(),
            wrong_content: false,
        }
    }
}

impl From<std::io::Error> for FailureReport {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

impl From<serde_json::Error> for FailureReport {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error)
    }
}

impl From<ArgsError> for FailureReport {
    fn from(error: ArgsError) -> Self {
        Self::new(error)
    }
}
