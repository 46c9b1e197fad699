//! The kinds of locks, and what writes them.

use crate::explicit_lock::is_explicit;
use condafront_model::platform::Platform;
use condafront_model::source::SourceFile;

/// A kind of lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// An explicit lock, which the target `lock` writes.
    Explicit,
    /// A conda-lock.yml.
    CondaLock,
    /// A pixi.lock.
    Pixi,
    /// A conda.lock of conda-workspaces.
    Workspaces,
}

impl LockKind {
    /// The kind of a lock.
    pub fn of(lock: &SourceFile) -> Self {
        let text = lock.lossy_text();
        if is_explicit(text) {
            Self::Explicit
        } else if text.lines().any(|line| line.starts_with("environments:")) {
            // That of pixi has never had this number together with environments.
            let is_of_workspaces = |line: &str| line.trim_end() == "version: 1";
            if text.lines().any(is_of_workspaces) {
                Self::Workspaces
            } else {
                Self::Pixi
            }
        } else {
            Self::CondaLock
        }
    }

    /// The kind that a file of this name usually is.
    pub(super) fn by_name(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name == "pixi.lock" {
            Self::Pixi
        } else if name == "conda.lock" {
            Self::Workspaces
        } else if name.ends_with(".yml") || name.ends_with(".yaml") {
            Self::CondaLock
        } else {
            Self::Explicit
        }
    }

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Explicit => "an explicit lock",
            Self::CondaLock => "a conda-lock.yml",
            Self::Pixi => "a pixi.lock",
            Self::Workspaces => "a conda.lock",
        }
    }

    /// The command that writes the lock of the environment file `file`, for `platform` if the file does not list it. A
    /// manifest's own lock, which is `is_beside` it, is written by the manifest's tool.
    pub(super) fn command(self, file: &str, platform: Option<Platform>, is_beside: bool) -> String {
        match self {
            Self::Workspaces => "conda workspace lock".to_owned(),
            // Its first versions have the layout of a conda-lock.yml.
            Self::Pixi | Self::CondaLock if is_beside => "pixi lock".to_owned(),
            Self::Explicit | Self::CondaLock | Self::Pixi => {
                let platform = platform.map(|platform| format!("--platform {platform} "));
                let platform = platform.unwrap_or_default();
                format!("docker build -f {file} {platform}--target lock -o . .")
            }
        }
    }
}
