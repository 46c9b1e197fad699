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
                "No package should contain this. Do not use it, and report it to whoever runs its channel.",
            ),
            ErrorKind::TooLarge => {
                Some("Do not use the package, and report it to whoever runs its channel.")
            }
            ErrorKind::BadArchive | ErrorKind::BadMetadata => Some(
                "The channel's file is damaged, or does not match its name. Use another build of the package, or another channel.",
            ),
            ErrorKind::Conflict => {
                Some("Remove one of the two packages, or use another build of it.")
            }
            ErrorKind::WebPage => {
                Some("There may be a login page or a proxy between the engine and the channel.")
            }
            ErrorKind::HashMismatch => Some(
                "Either the lock file (regenerate it) or the channel's repodata is outdated, or the file was replaced on the server. Find out which before you trust it.",
            ),
            _ => None,
        };
        let wrong_content = matches!(
            error.kind(),
            ErrorKind::HashMismatch | ErrorKind::WebPage | ErrorKind::BadArchive
        );
        Self {
            help: help.map(str::to_owned),
            culprits: error.packages().map(Culprit::Package).collect(),
            wrong_content,
            ..Self::new(error)
        }
    }
}

/// The failure of a step with PyPI packages: they come from an index, not from a channel.
pub(crate) fn of_pypi<T>(result: Result<T, install::error::Error>) -> Result<T, FailureReport> {
    result.map_err(|error| {
        let help = match error.kind() {
            ErrorKind::UnsafeArchive | ErrorKind::TooLarge => {
                Some("Do not use the package, and report it to whoever runs its index.")
            }
            ErrorKind::BadArchive => Some(
                "Regenerate the lock file, use another version of the package, or report it to whoever runs its index.",
            ),
            ErrorKind::BadMetadata => Some(
                "The wheel was made wrongly. Use another version of the package, and report it to its authors.",
            ),
            ErrorKind::WebPage => {
                Some("There may be a login page or a proxy between the engine and the index.")
            }
            ErrorKind::HashMismatch => Some(
                "Either the lock file is outdated (regenerate it), or the file was replaced on the server. Find out which before you trust it.",
            ),
            _ => None,
        };
        let report = FailureReport::from(error);
        FailureReport {
            help: help.map(str::to_owned).or(report.help),
            ..report
        }
    })
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
            RecordError::Syntax { script, .. }
            | RecordError::Ended { script, .. }
            | RecordError::Endless { script, .. } => Some(script),
            RecordError::NoShell(scripts) => scripts.first(),
            RecordError::Shell { .. } | RecordError::Child { .. } | RecordError::Io { .. } => None,
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
