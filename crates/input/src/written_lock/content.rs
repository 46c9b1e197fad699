//! What a lock says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::environment_input::{Machine, PypiIndexes, RepositoryPip, SolveRequest};
use crate::locked::repository::{has_secret, is_commit};
use crate::requirements::Repository;
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
    /// The entry of a manifest's `platforms` that it is, if the lock has names for them.
    pub machine: Option<&'a Machine>,
    /// The entries of `platforms` that the environment is for. Empty means all.
    pub machines: &'a [Machine],
    /// What was asked.
    pub request: &'a SolveRequest,
    /// How many of its channels belong to the environment. The others are named by dependencies alone.
    pub listed_channels: usize,
    /// The conda packages.
    pub packages: &'a [Package],
    /// What their channels say about them.
    pub records: &'a [SolvedPackage],
    /// The PyPI packages.
    pub pip: LockedPypi<'a>,
}

/// The PyPI packages that were found for one platform.
#[derive(Clone, Copy, Debug)]
pub struct LockedPypi<'a> {
    /// The files.
    pub packages: &'a [PipPackage],
    /// Those of the user's folders.
    pub local: &'a [LocalPypi],
    /// Those of git repositories.
    pub repositories: &'a [RepositoryPypi],
    /// The normalized names of those that are asked for by the address of their file, each with the fragment of the address.
    pub direct: &'a BTreeMap<String, Option<String>>,
    /// Where a manifest says that they come from.
    pub indexes: Option<&'a PypiIndexes>,
    /// The normalized names of the Python distributions in conda packages, by the names of these. Those that are not known are
    /// missing.
    pub in_conda: &'a BTreeMap<String, BTreeSet<String>>,
}

/// A PyPI package of the user's folders, and what its metadata says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPypi {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its path, relative to the lock.
    pub path: String,
    /// Whether it is a folder that it is built from, rather than a file.
    pub is_folder: bool,
    /// What it needs (`Requires-Dist`).
    pub requires_dist: Vec<String>,
    /// The versions of python that it works with (`Requires-Python`).
    pub requires_python: Option<String>,
}

/// A PyPI package of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryPypi {
    /// Its name.
    pub name: String,
    /// Its version, if it was built.
    pub(super) version: Option<String>,
    /// What it needs (`Requires-Dist`).
    pub(super) requires_dist: Vec<String>,
    /// The versions of python that it works with (`Requires-Python`).
    pub(super) requires_python: Option<String>,
    /// The repository, without a query and a fragment.
    url: Url,
    /// The whole name of the commit.
    commit: String,
    /// The folder in it.
    subdir: Option<String>,
}

impl RepositoryPypi {
    /// The package `name` of `repository`; `None` if a lock cannot have it: it is not on a server, its commit may change, or its
    /// build needs the history.
    pub fn of(name: &str, repository: &Repository) -> Option<Self> {
        let commit = repository.reference.as_ref().filter(|it| is_commit(it))?;
        let url = Url::parse(&repository.url).ok()?;
        let is_on_server =
            ["https", "http", "ssh", "git"].contains(&url.scheme()) && url.has_host();
        let is_plain =
            url.query().is_none() && url.fragment().is_none() && !url.path().contains('@');
        (is_on_server && is_plain && !has_secret(&url) && !repository.has_history).then(|| Self {
            name: name.to_owned(),
            version: None,
            requires_dist: Vec::new(),
            requires_python: None,
            url,
            commit: commit.clone(),
            subdir: repository.subdir.clone(),
        })
    }

    /// The same for a package that another lock names.
    pub fn locked(package: &RepositoryPip) -> Option<Self> {
        let repository = Repository {
            url: package.url.clone(),
            reference: Some(package.commit.clone()),
            found_by: None,
            subdir: package.subdir.clone(),
            has_history: false,
        };
        Self::of(&package.name, &repository)
    }

    /// The same with what its build says: its version, what it needs, and the versions of python that it works with.
    #[must_use]
    pub fn built(
        self,
        version: String,
        requires_dist: Vec<String>,
        requires_python: Option<String>,
    ) -> Self {
        Self {
            version: Some(version),
            requires_dist,
            requires_python,
            ..self
        }
    }

    /// Its address as pip writes it: `git+URL@COMMIT#subdirectory=FOLDER`.
    pub fn address(&self) -> String {
        let Self { url, commit, .. } = self;
        match self.folder() {
            Some(folder) => format!("git+{url}@{commit}#subdirectory={folder}"),
            None => format!("git+{url}@{commit}"),
        }
    }

    /// Its address as pixi writes it: `git+URL?subdirectory=FOLDER&rev=COMMIT#COMMIT`.
    pub(super) fn address_of_pixi(&self) -> String {
        let Self { url, commit, .. } = self;
        match self.folder() {
            Some(folder) => format!("git+{url}?subdirectory={folder}&rev={commit}#{commit}"),
            None => format!("git+{url}?rev={commit}#{commit}"),
        }
    }

    /// The folder, as the value of a form.
    fn folder(&self) -> Option<String> {
        let parts = self.subdir.as_ref()?.split('/');
        let parts = parts.map(|part| byte_serialize(part.as_bytes()).collect::<String>());
        Some(parts.collect::<Vec<_>>().join("/"))
    }
}

/// What was found for an environment.
#[derive(Clone, Debug)]
pub struct LockedEnvironment<'a> {
    /// Its name in the lock, where it has one.
    pub name: &'a str,
    /// The platforms, at least one, each once.
    pub platforms: Vec<LockedPlatform<'a>>,
}

/// A lock to write.
#[derive(Clone, Copy, Debug)]
pub struct NewLock<'a> {
    /// The name of the file that it is for.
    pub source: &'a str,
    /// The environments, at least one, each once.
    pub environments: &'a [LockedEnvironment<'a>],
    /// The lock that it takes the place of. Its packages for other platforms stay.
    pub old: Option<&'a Arc<SourceFile>>,
    /// All environments that the file has, if it has several: those of the old lock that are not among them are left out, and so
    /// are platforms that an environment no longer has.
    pub all: Option<&'a [String]>,
}

impl<'a> NewLock<'a> {
    /// What was found, of all environments.
    pub(super) fn platforms(&self) -> impl Iterator<Item = &'a LockedPlatform<'a>> + use<'a> {
        self.environments.iter().flat_map(|one| &one.platforms)
    }

    /// The environment `name`.
    pub(super) fn environment(&self, name: &str) -> Option<&'a LockedEnvironment<'a>> {
        self.environments.iter().find(|one| one.name == name)
    }
}

impl LockedEnvironment<'_> {
    /// Whether it was solved for a lock's platform, for which pixi makes the name `made`.
    pub(super) fn has(&self, name: &str, made: &str) -> bool {
        self.platforms.iter().any(|one| one.is(name, made))
    }

    /// Whether its file says that it is for a lock's platform.
    pub(super) fn is_for(&self, name: &str, made: &str) -> bool {
        let declared = self.platforms.first();
        let declared = declared.map_or(&[][..], |one| one.machines);
        declared.is_empty() || declared.iter().any(|one| one.is(name, made))
    }
}

impl<'a> LockedPlatform<'a> {
    /// Its name in the lock.
    pub(super) fn name(&self) -> &'a str {
        self.machine.map_or(self.platform.subdir(), |one| &one.name)
    }

    /// Whether a lock's platform is this one; `made` is the name that pixi makes for it.
    pub(super) fn is(&self, name: &str, made: &str) -> bool {
        match self.machine {
            Some(machine) => machine.is(name, made),
            None => self.platform.subdir() == name,
        }
    }

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
