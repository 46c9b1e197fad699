//! A build step's report to the frontend of why it failed.
//!
//! For a failing step, BuildKit reports only its command line and exit code, but it keeps what the step has written to its
//! outputs. So the step leaves its report in one of them, and the frontend has a process read it there.

use crate::args::ArgsError;
use crate::mounts::{FACTS_DIR, OUTPUT_DIR};
use crate::pip_metadata::Consulted;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

/// The outputs in which a step may leave its report: it takes the first one that it has.
pub const REPORT_DIRS: [&str; 2] = [FACTS_DIR, OUTPUT_DIR];

/// The name of the report there: a [`FailureReport`] as JSON.
pub const REPORT_FILE: &str = ".condafront-failure.json";

/// The subcommand that writes the report in [`SHOWN_DIR`] to its standard output.
pub const SHOW_REPORT: &str = "show-report";

/// Where the failed step's output is mounted for that.
pub const SHOWN_DIR: &str = "/.condafront-report";

/// The most bytes of a report that are read. What a step runs may have written more to its output.
pub const MOST_OF_REPORT: u64 = 1024 * 1024;

/// The exit code of a step that fails and leaves its report. One that BuildKit cannot even start ends with another, and so
/// does one that is killed: what is in its output then comes from the programs that it ran.
pub const FAILED_CODE: u8 = 65;

/// The exit code of a step that fails and cannot leave its report.
pub const UNREPORTED_CODE: u8 = 66;

/// The exit code of a step that cannot leave one because the disk is full.
pub const FULL_DISK_CODE: u8 = 28;

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
    /// What pip learnt, before it failed, about packages that are not in its root, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consulted: Option<Box<Consulted>>,
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
            consulted: None,
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
