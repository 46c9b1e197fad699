//! Why a solve fails.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::install;
use crate::install::error::Cause;
use condafront_model::redact::shortened;
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::timeout::Timeout;

/// Why a solve fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SolveError {
    /// Invalid arguments or missing files, which is a bug in the planner, or an answer that cannot be written.
    #[error(transparent)]
    Step(#[from] install::error::Error),
    /// The authorities that the build trusts cannot be used.
    #[error(transparent)]
    Authorities(FailureReport),
    /// The solver's thread cannot be started.
    #[error("cannot start the solver: {0}")]
    Thread(#[source] io::Error),
    /// The solver refuses the records.
    #[error(transparent)]
    Records(#[from] rattler_solve::SolveError),
    /// The solve reached a bound.
    #[error("the solve {0}")]
    Bound(Bound),
    /// The solver stopped by itself.
    #[error("the solve was cancelled")]
    Cancelled,
    /// A channel's repodata cannot be used.
    #[error("{url} {fault}")]
    Repodata {
        /// The channel's index.
        channel: usize,
        /// The URL of the repodata.
        url: String,
        /// What is wrong with it.
        #[source]
        fault: RepodataFault,
    },
    /// An invalid MatchSpec.
    #[error("`{text}` is not a valid dependency: {why}")]
    Spec {
        /// The MatchSpec's index.
        spec: usize,
        /// The MatchSpec.
        text: String,
        /// What is wrong with it.
        #[source]
        why: Cause,
    },
    /// The solver panicked.
    #[error("the solver failed: the channels' repodata has something that it does not understand")]
    Solver,
    /// The requested packages are not available, or conflict.
    #[error(transparent)]
    Unsatisfiable(#[from] Unsatisfiable),
}

/// The bound that a solve reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Of its memory, in bytes.
    Memory(u64),
    /// Of its time.
    Time(Duration),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "needs more than {} MiB of memory", bytes >> 20),
            Self::Time(time) => write!(f, "takes longer than {}", Timeout::of(*time)),
        }
    }
}

/// What is wrong with a repodata file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepodataFault {
    /// It is a web page.
    #[error("is a web page, not repodata")]
    WebPage,
    /// It is not repodata.
    #[error("is not valid repodata: {0}")]
    NotRepodata(#[source] Cause),
    /// It is compressed, and damaged.
    #[error("is not valid repodata: it cannot be decompressed: {0}")]
    Compression(#[source] io::Error),
    /// It has more than this many bytes.
    #[error("has more than {} MiB, which no channel's repodata has", .0 >> 20)]
    TooLarge(u64),
    /// A dependency or constraint of a package has more than `longest` characters, or more than `parentheses`.
    #[error(
        "has a dependency of {} with more than {longest} characters or {parentheses} parentheses, which no real one has",
        shortened(package, 100)
    )]
    LongDependency {
        /// The package's archive.
        package: String,
        longest: usize,
        parentheses: usize,
    },
    /// It has this archive twice.
    #[error("lists `{}` twice", shortened(.0, 100))]
    Twice(String),
    /// One of its records is invalid.
    #[error("has an invalid record: {0}")]
    Record(#[source] io::Error),
}

/// Why a request cannot be satisfied, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Unsatisfiable {
    pub(super) message: String,
    pub(super) helps: Vec<String>,
    /// The MatchSpecs that are to blame, by index.
    pub(super) specs: Vec<usize>,
    /// Whether another base image would help.
    pub(super) base: bool,
}

impl Unsatisfiable {
    /// What to do.
    fn help(&self) -> Option<String> {
        Some(self.helps.join("\n")).filter(|help| !help.is_empty())
    }
}

impl From<SolveError> for FailureReport {
    fn from(error: SolveError) -> Self {
        let (help, culprits) = match &error {
            SolveError::Authorities(report) => (report.help.clone(), Vec::new()),
            SolveError::Step(_)
            | SolveError::Thread(_)
            | SolveError::Records(_)
            | SolveError::Cancelled => (None, Vec::new()),
            SolveError::Bound(_) => (
                Some(
                    "Give versions, and ask for fewer packages: both make the search shorter. If you ask for few, a channel may have packages that no solver can handle: leave channels out to find it."
                        .to_owned(),
                ),
                vec![Culprit::Spec(0)],
            ),
            SolveError::Solver => (
                Some("Remove packages one at a time to find the one that causes it.".to_owned()),
                Vec::new(),
            ),
            SolveError::Repodata { channel, fault, .. } => {
                let help = match fault {
                    RepodataFault::WebPage => {
                        "Check that this is the address of a channel. There may also be a login page or a proxy between the engine and the channel."
                    }
                    _ => {
                        "The channel's index is damaged. Report it to whoever runs the channel, or use a mirror with --build-arg CONDA_MIRRORS=<url>=<mirror>."
                    }
                };
                (Some(help.to_owned()), vec![Culprit::Channel(*channel)])
            }
            SolveError::Spec { spec, .. } => (
                Some(
                    "Write a name, optionally followed by a version and a build: numpy >=2.1,<3."
                        .to_owned(),
                ),
                vec![Culprit::Spec(*spec)],
            ),
            SolveError::Unsatisfiable(why) => {
                let specs = why.specs.iter().copied().map(Culprit::Spec);
                let base = why.base.then(|| Culprit::Key("base".to_owned()));
                (why.help(), specs.chain(base).collect())
            }
        };
        let wrong_content = matches!(
            &error,
            SolveError::Repodata {
                fault: RepodataFault::WebPage
                    | RepodataFault::NotRepodata(_)
                    | RepodataFault::Compression(_),
                ..
            }
        );
        Self {
            help,
            culprits,
            wrong_content,
            ..Self::new(error)
        }
    }
}

impl From<ArgsError> for SolveError {
    fn from(error: ArgsError) -> Self {
        install::error::Error::from(error).into()
    }
}
