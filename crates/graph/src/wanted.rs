//! What a download is for.

use std::sync::Arc;

use condafront_model::source::{Lines, SourceFile};

/// What a download is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What kind of thing it is.
    pub kind: WantedKind,
    /// What messages call it.
    pub label: String,
    /// The lines of the user's file that ask for it.
    pub lines: Lines,
    /// That file, if it is not the environment's own.
    pub file: Option<Arc<SourceFile>>,
}

/// What kind of thing is downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedKind {
    /// A conda package of the environment.
    Package,
    /// The package of micromamba, which the user's file does not name.
    Installer,
    /// A PyPI package of the environment.
    Pip,
    /// The pip that condafront brings for environments without one.
    PipInstaller,
}

impl WantedKind {
    /// What such things come from.
    pub fn origin(self) -> &'static str {
        match self {
            Self::Package | Self::Installer => "channel",
            Self::Pip | Self::PipInstaller => "index",
        }
    }
}

impl WantedKind {
    /// What says how its content has to be.
    pub fn pin(self) -> &'static str {
        match self {
            Self::Package | Self::Pip => "the lock",
            Self::Installer | Self::PipInstaller => "its pin",
        }
    }
}
