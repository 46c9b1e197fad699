//! What decides, besides a file and its lock, whether the two fit.

use std::sync::Arc;
use std::time::SystemTime;

use crate::requirements::List;
use crate::settings::InputSettings;
use condafront_model::source::SourceFile;

/// What decides whether a lock fits.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The settings that the lock was read with.
    pub settings: &'a InputSettings,
    /// The PyPI packages that the file asks for, if they are known.
    pub list: Option<&'a List>,
    /// The projects of [`OwnLock::projects`](super::OwnLock::projects()) that exist.
    pub projects: &'a [LocalProject],
    /// When the build started.
    pub now: SystemTime,
}

#[cfg(test)]
impl<'a> Surroundings<'a> {
    /// Those of a build on 2026-12-01 without projects.
    pub(crate) fn example(settings: &'a InputSettings, list: Option<&'a List>) -> Self {
        let since_epoch = std::time::Duration::from_hours(498_912);
        Self {
            settings,
            list,
            projects: &[],
            now: SystemTime::UNIX_EPOCH + since_epoch,
        }
    }
}

/// A project in a folder that a lock names.
#[derive(Clone, Debug)]
pub struct LocalProject {
    /// The folder, as the lock has it, normalized.
    pub path: String,
    /// Its pyproject.toml.
    pub file: Arc<SourceFile>,
}
