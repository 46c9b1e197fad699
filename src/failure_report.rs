//! Why a step of the build failed, told to the frontend.
//!
//! Of a failing step BuildKit says only its command line and exit code. So the frontend runs it once more as
//! `condafront explain <step> …`, which writes down what went wrong instead of failing.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::account::AccountError;
use crate::activation::RecordError;
use crate::install;
use crate::install::error::ErrorKind;

/// The subcommand that runs another step and reports its failure.
pub const EXPLAIN: &str = "explain";

/// Where that step writes its report: a mount, named so that no base image has it.
pub const REPORT_DIR: &str = "/.condafront-report";

/// A [`FailureReport`] as JSON; absent if nothing failed this time.
pub const REPORT_FILE: &str = "failure.json";

/// A failure in words for the user, and what caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct FailureReport {
    /// What happened and why.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What is to blame, most telling first; empty if it is nothing that the user's file names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub culprits: Vec<Culprit>,
}

/// What is to blame for a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Culprit {
    /// A package, as an index into the step's own list of packages.
    Package(usize),
    /// A file of some package: its path below the prefix. For the account step: the working directory.
    File(String),
    /// Something that a solve is asked for, as an index into the request's list.
    Spec(usize),
    /// A channel, as an index into the request's list.
    Channel(usize),
    /// A key of the image section.
    Key(String),
}

impl FailureReport {
    /// A failure that nothing in the user's file is to blame for.
    pub fn new(error: impl Display) -> Self {
        Self {
            message: error.to_string(),
            help: None,
            culprits: Vec::new(),
        }
    }
}

impl From<install::error::Error> for FailureReport {
    fn from(error: install::error::Error) -> Self {
        let help = match error.kind() {
            ErrorKind::UnsafeArchive => Some(
                "No package should hold such a thing: do not use it, and tell those who run its channel.",
            ),
            ErrorKind::BadArchive | ErrorKind::BadMetadata => Some(
                "The channel's file is damaged or not what its name says: take another build of the package, or another channel.",
            ),
            ErrorKind::WebPage => {
                Some("A login page or a proxy may stand between the engine and the channel.")
            }
            ErrorKind::HashMismatch => Some(
                "Either the lock is outdated (make it anew), or the file was replaced on the server: do not trust it without asking.",
            ),
            _ => None,
        };
        Self {
            help: help.map(str::to_owned),
            culprits: error.package().map(Culprit::Package).into_iter().collect(),
            ..Self::new(error)
        }
    }
}

impl From<AccountError> for FailureReport {
    fn from(error: AccountError) -> Self {
        let culprit = match &error {
            AccountError::Workdir { path, .. } => Some(Culprit::File(path.clone())),
            _ => None,
        };
        Self {
            culprits: culprit.into_iter().collect(),
            ..Self::new(error)
        }
    }
}

impl From<RecordError> for FailureReport {
    fn from(error: RecordError) -> Self {
        let script = match &error {
            RecordError::Syntax { script, .. } | RecordError::Ended { script, .. } => Some(script),
            RecordError::NoShell(scripts) => scripts.first(),
            RecordError::Shell { .. } | RecordError::Io { .. } => None,
        };
        Self {
            culprits: script
                .map(|name| Culprit::File(format!("etc/conda/activate.d/{name}")))
                .into_iter()
                .collect(),
            ..Self::new(error)
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
