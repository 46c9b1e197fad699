//! Failures of steps as reports for the frontend.

use condafront_step_spec::failure_report::{Culprit, FailureReport};

use crate::account::AccountError;
use crate::activation::RecordError;
use crate::install;
use crate::install::error::ErrorKind;

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
