//! What a `pylock.toml` says.

use std::sync::Arc;

use pep508_rs::pep440_rs::VersionSpecifiers;

use crate::environment_input::LocalPip;
use crate::file_path::FilePath;
use crate::marker::Marker;
use crate::python_files::is_pylock;
use crate::requirements::Repository;
use crate::section::image_section::Located;
use condafront_model::lint::Warning;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::source::{Lines, SourceFile};

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pylock {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The folder that its paths are relative to.
    pub folder: FilePath,
    /// What is doubtful about it.
    pub warnings: Vec<Warning>,
    pub(super) requires_python: Option<Located<VersionSpecifiers>>,
    /// The environments that it is for; empty for all.
    pub(super) environments: Vec<Located<Marker>>,
    pub(super) extras: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) default_groups: Vec<String>,
    pub(super) packages: Vec<LockedPackage>,
}

/// A package of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LockedPackage {
    pub(super) name: String,
    pub(super) marker: Option<Marker>,
    pub(super) requires_python: Option<VersionSpecifiers>,
    pub(super) source: LockedSource,
    /// The lines that name it.
    pub(super) lines: Lines,
}

/// Where a package of a lock comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LockedSource {
    Repository(Repository),
    /// A folder of the user.
    Folder(LocalPip),
    /// One file, whatever the environment.
    Archive(LockedFile),
    Files {
        wheels: Vec<LockedFile>,
        sdist: Option<LockedFile>,
    },
}

/// A file of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LockedFile {
    Remote(PipPackage),
    Local(LocalPip),
}

impl Pylock {
    /// Whether a file with this path is one, as its name says.
    pub fn is_name(path: &str) -> bool {
        is_pylock(path)
    }

    /// Whether it has the package with this normalized name, for whatever environment.
    pub(crate) fn has(&self, name: &str) -> bool {
        let mut packages = self.packages.iter();
        packages.any(|package| normalized(&package.name) == name)
    }

    /// The names of its extras and dependency groups.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        let all = self.extras.iter().chain(&self.groups);
        all.map(String::as_str)
    }
}

impl LockedFile {
    /// The file's name.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Remote(package) => package.file_name(),
            Self::Local(local) => local.file_name().to_owned(),
        }
    }
}
