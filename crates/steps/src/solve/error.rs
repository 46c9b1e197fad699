//! Why a solve fails.

use super::unsatisfiable::Unsatisfiable;
use crate::install;
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::failure_report::{Culprit, FailureReport};

/// Why a solve fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SolveError {
    /// A question that cannot be understood; a fault of the planner.
    #[error("{0}")]
    Question(String),
    /// A channel's list of packages cannot be used.
    #[error("{url} {fault}")]
    Repodata {
        /// The channel's index.
        channel: usize,
        /// Where the list is.
        url: String,
        /// What is wrong with it.
        fault: RepodataFault,
    },
    /// A MatchSpec that no solve can be asked for.
    #[error("`{text}` is no package that can be asked for: {why}")]
    Spec {
        /// The MatchSpec's index.
        spec: usize,
        /// The MatchSpec.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The solver panicked.
    #[error(
        "the solver failed: the channels' lists of packages hold something that it does not know"
    )]
    Solver,
    /// What is asked for cannot be had, or not together.
    #[error(transparent)]
    Unsatisfiable(#[from] Unsatisfiable),
}

/// What is wrong with a repodata file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepodataFault {
    /// A web page came.
    #[error("answered with a web page, not a list of packages")]
    WebPage,
    /// Something else came.
    #[error("is no list of packages: {0}")]
    NotRepodata(String),
    /// More than can be read.
    #[error("is larger than any channel's list of packages")]
    TooLarge,
    /// One of its records makes no sense.
    #[error("has a record that makes no sense: {0}")]
    Record(String),
}

impl From<install::error::Error> for SolveError {
    fn from(error: install::error::Error) -> Self {
        Self::Question(error.to_string())
    }
}

impl From<SolveError> for FailureReport {
    fn from(error: SolveError) -> Self {
        let (help, culprits) = match &error {
            SolveError::Question(_) => (None, Vec::new()),
            SolveError::Solver => (
                Some(
                    "Which package it is may show when one after the other is left away."
                        .to_owned(),
                ),
                Vec::new(),
            ),
            SolveError::Repodata { channel, fault, .. } => {
                let help = match fault {
                    RepodataFault::WebPage => {
                        "Is this the address of a channel? A login page or a proxy may also stand between the engine and the channel."
                    }
                    _ => {
                        "The channel's index is damaged: tell those who run it, or use a mirror with --build-arg CONDA_MIRRORS=<url>=<mirror>."
                    }
                };
                (Some(help.to_owned()), vec![Culprit::Channel(*channel)])
            }
            SolveError::Spec { spec, .. } => (
                Some(
                    "Write a name, and what the version and the build must be: numpy >=2.1,<3."
                        .to_owned(),
                ),
                vec![Culprit::Spec(*spec)],
            ),
            SolveError::Unsatisfiable(why) => {
                let specs = why.specs().into_iter().map(Culprit::Spec);
                let base = why.is_of_base().then(|| Culprit::Key("base".to_owned()));
                (why.help(), specs.chain(base).collect())
            }
        };
        Self {
            help,
            culprits,
            ..Self::new(error)
        }
    }
}

impl From<ArgsError> for SolveError {
    fn from(error: ArgsError) -> Self {
        install::error::Error::from(error).into()
    }
}
