//! What can go wrong in an install step, worded for the person who wrote the lock file.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;
use std::path::Path;

use super::places::Conflict;
use condafront_step_spec::args::ArgsError;

/// The kind of a failure, for code that acts on it; the text is in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The step cannot read its arguments; a bug in the planner.
    BadArguments,
    /// A mount that the step needs, or a file in it, is missing; a bug in the planner.
    MissingInput,
    /// An archive's md5 or sha256 does not match the lock file.
    HashMismatch,
    /// The file is not a conda package: another format, cut short, or damaged.
    BadArchive,
    /// The file is an error or login page.
    WebPage,
    /// An archive contains something that would write or point outside the environment.
    UnsafeArchive,
    /// An archive unpacks to more than any real package does.
    TooLarge,
    /// A package's own metadata (`info/…`) is missing or invalid.
    BadMetadata,
    /// The environment has a `noarch: python` package, but no python.
    MissingPython,
    /// Packages have paths that cannot be in one directory tree.
    Conflict,
    /// Putting a package's files into the prefix failed.
    Link,
    /// micromamba is missing or failed.
    Micromamba,
    /// A package's post-link script failed.
    PostLink,
    /// Reading or writing failed for a reason outside the packages, a full disk for example.
    Io,
}

/// A failure of a step. Its `Display` is complete: it says what failed, where, and why.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    package: Option<usize>,
    other: Option<usize>,
    message: String,
    #[source]
    source: Option<Cause>,
}

/// The error behind a failure, of any type.
pub(crate) type Cause = Box<dyn StdError + Send + Sync>;

/// The result of a step or a part of one.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<ArgsError> for Error {
    fn from(error: ArgsError) -> Self {
        Self::new(ErrorKind::BadArguments, error.to_string()).caused_by(error)
    }
}

impl Error {
    /// A failure of `kind`, described by `message`.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            package: None,
            other: None,
            message: message.into(),
            source: None,
        }
    }

    /// Packages that cannot be installed together; `name` gives their names.
    pub(crate) fn conflict(conflict: &Conflict, name: impl Fn(usize) -> String) -> Self {
        Error {
            package: Some(conflict.package),
            other: Some(conflict.other),
            ..Self::new(ErrorKind::Conflict, conflict.describe(name))
        }
    }

    /// An I/O error while `doing` something to `path`: "cannot {doing} {path}: {why}".
    pub(crate) fn io(doing: impl Display, path: &Path, source: io::Error) -> Self {
        Error {
            kind: ErrorKind::Io,
            package: None,
            other: None,
            message: format!("cannot {doing} {}: {source}", path.display()),
            source: Some(source.into()),
        }
    }

    /// The same failure with its cause, which the message already names.
    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Cause>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure, about the package at `index` of the step's list. An earlier index is kept.
    #[must_use]
    pub(crate) fn of_package(mut self, index: usize) -> Self {
        self.package.get_or_insert(index);
        self
    }

    /// The same failure with `context` in front of its message: "{context}: {message}".
    #[must_use]
    pub(crate) fn in_context(mut self, context: impl Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The package that it is about, as an index into the step's package list.
    pub fn package(&self) -> Option<usize> {
        self.package
    }

    /// The packages that it is about: [`Error::package`], and one that is in its way.
    pub(crate) fn packages(&self) -> impl Iterator<Item = usize> {
        self.package.into_iter().chain(self.other)
    }
}

/// The failure of a step whose log cannot be written.
pub(crate) fn unwritable(cause: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write to the log: {cause}")).caused_by(cause)
}
