//! What a lock says.

use std::sync::Arc;

use crate::environment_input::SolveRequest;
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::solve::SolvedPackage;

/// What was found for one platform.
#[derive(Clone, Copy, Debug)]
pub struct LockedPlatform<'a> {
    /// The platform.
    pub platform: Platform,
    /// What was asked.
    pub request: &'a SolveRequest,
    /// The conda packages.
    pub packages: &'a [Package],
    /// What their channels say about them.
    pub records: &'a [SolvedPackage],
    /// The PyPI packages.
    pub pip: &'a [PipPackage],
}

/// A lock to write.
#[derive(Clone, Copy, Debug)]
pub struct NewLock<'a> {
    /// The name of the file that it is for.
    pub source: &'a str,
    /// The environment's name in the lock, where it has one.
    pub environment: &'a str,
    /// The platforms, at least one, each once.
    pub platforms: &'a [LockedPlatform<'a>],
    /// The lock that it takes the place of. Its packages for other platforms stay.
    pub old: Option<&'a Arc<SourceFile>>,
}

impl<'a> LockedPlatform<'a> {
    /// What the channel says about a package.
    pub(super) fn record(&self, package: &Package) -> Option<&'a SolvedPackage> {
        let mut records = self.records.iter();
        records.find(|record| record.name == package.id.name)
    }
}

/// The error for a lock that cannot be kept.
pub(super) fn unreadable(old: &SourceFile, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(format!(
        "{} has packages for other platforms that cannot be kept: {why}",
        old.name()
    ))
    .help("Remove the file, and write it for all platforms.")
}
