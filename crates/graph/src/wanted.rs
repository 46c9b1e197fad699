//! What a download is for.

use std::fmt;
use std::sync::Arc;

use condafront_model::source::{Lines, SourceFile};

/// What a download is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The kind of download.
    pub kind: WantedKind,
    /// Its name in messages.
    pub label: String,
    /// The lines of the user's file that ask for it.
    pub lines: Lines,
    /// The user's file, if it is not the environment's own.
    pub file: Option<Arc<SourceFile>>,
}

/// The kind of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedKind {
    /// A conda package of the environment.
    Package,
    /// The micromamba package, which the user's file does not name.
    Installer,
    /// A PyPI package of the environment.
    Pip,
    /// The pip that condafront supplies for environments without one.
    PipInstaller,
    /// A list for pip.
    List,
}

impl WantedKind {
    /// Where it comes from.
    pub fn server(self) -> ServerKind {
        match self {
            Self::Package | Self::Installer => ServerKind::Channel,
            Self::Pip | Self::PipInstaller => ServerKind::Index,
            Self::List => ServerKind::Files,
        }
    }

    /// What its file is.
    pub fn file(self) -> &'static str {
        match self {
            Self::List => "a list for pip",
            _ => "a package",
        }
    }

    /// What fixes its expected content.
    pub fn pin(self) -> &'static str {
        match self {
            // In a lock, a channel's list or an address.
            Self::Package | Self::List => "its hash",
            Self::Pip => "the lock",
            Self::Installer | Self::PipInstaller => "its pin",
        }
    }
}

/// The kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// One with conda packages.
    Channel,
    /// One with PyPI packages.
    Index,
    /// Any other.
    Files,
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Channel => "channel",
            Self::Index => "index",
            Self::Files => "server",
        })
    }
}
