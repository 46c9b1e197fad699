//! Finds the PyPI packages that a lock is to have.

use super::linked::Linked;
use super::pip::{Pipped, not_on_a_server};
use super::pip_jobs::Made;
use super::pylock::LockedPackages;
use super::wheels::WheelGround;

use buildkit_llb::Output;

use crate::gateway::error::BuildError;
use condafront_input::file_path::FilePath;
use condafront_input::requirements::{List, Repository, Source, is_archive};
use condafront_input::written_lock::{LocalPypi, RepositoryPypi};

use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Location};

/// The PyPI packages that a lock is to have.
#[derive(Default)]
pub(super) struct ForLock {
    /// Those to download.
    pub(super) packages: Vec<PipPackage>,
    /// Those of the user's folders.
    pub(super) local: Vec<LocalPypi>,
    /// Those of git repositories.
    pub(super) repositories: Vec<RepositoryPypi>,
}

impl Linked<'_> {
    /// All PyPI packages, for a lock: those that are locked, and those that pip finds in the image `root`.
    ///
    /// # Errors
    /// When pip cannot find them, or a lock cannot name one of them.
    pub(super) async fn pip_files(
        &self,
        root: &Output,
        ground: &WheelGround,
    ) -> Result<ForLock, BuildError> {
        let asked = &self.file.pip.asked;
        let LockedPackages {
            files: mut packages,
            local,
        } = self.locked(&ground.glibc).await?;
        if let Some((local, place)) = local.first() {
            let error = not_on_a_server(&local.label, place);
            return Err(error.help("Lock a release of it.").into());
        }
        let mut for_lock = ForLock::default();
        if asked.list.is_empty() {
            for_lock.packages = packages;
            return Ok(for_lock);
        }
        let mut below = Pipped::none(root);
        self.pip_locked(&mut below, ground).await?;
        let found = self.pip_find(root, &below, ground).await?;
        for made in &found.wheels {
            if let Some(local) = self.local_pypi(made) {
                for_lock.local.push(local);
            } else if let Some(package) = repository_pypi(made, &asked.list) {
                for_lock.repositories.push(package);
            } else {
                return Err(not_a_file(&made.wheel.label, &made.place, &asked.list).into());
            }
        }
        packages.extend(found.packages);
        for_lock.packages = packages;
        Ok(for_lock)
    }

    /// A package of the user's folders that the list asks for, if the lock beside a manifest is written, which names it by its
    /// path.
    fn local_pypi(&self, made: &Made) -> Option<LocalPypi> {
        let resolved = made.resolved.as_ref()?;
        if !self.file.supplies_pip() {
            return None;
        }
        let entries = self.file.pip.asked.list.entries();
        let entry = entries
            .iter()
            .find(|entry| entry.location() == made.place)?;
        let Source::Context(path) = &entry.requirement()?.source else {
            return None;
        };
        let place = path.folder.join(&path.path)?;
        // Where in the build context the manifest is may not be known. What is found in the context by the manifest's path is
        // found there by the lock's as well.
        let of_context = || place.from_folder(&FilePath::context());
        let path_in_lock = place.from_folder(&self.file.folder).or_else(of_context)?;
        Some(LocalPypi {
            name: resolved.name.clone(),
            version: resolved.version.clone(),
            path: path_in_lock,
            is_folder: !is_archive(&path.path),
            requires_dist: resolved.requires_dist.clone(),
            requires_python: resolved.requires_python.clone(),
        })
    }
}

/// The repository that an entry of the list at `place` names.
fn repository_at<'l>(place: &Location, list: &'l List) -> Option<&'l Repository> {
    let mut entries = list.entries().iter();
    let entry = entries.find(|entry| entry.location() == *place)?;
    match &entry.requirement()?.source {
        Source::Repository(repository) => Some(repository),
        _ => None,
    }
}

/// A package of a repository, if a lock can have it.
fn repository_pypi(made: &Made, list: &List) -> Option<RepositoryPypi> {
    let resolved = made.resolved.as_ref()?;
    let repository = repository_at(&made.place, list)?;
    let package = RepositoryPypi::of(&resolved.name, repository)?;
    Some(package.built(
        resolved.version.clone(),
        resolved.requires_dist.clone(),
        resolved.requires_python.clone(),
    ))
}

/// The error for a package that no lock can contain; `place` is where it is asked for.
fn not_a_file(label: &str, place: &Location, list: &List) -> Diagnostic {
    if let Some(repository) = repository_at(place, list) {
        let error = if repository.has_history {
            "its build sees the history, which a lock does not say"
        } else {
            "a lock names one commit, but a branch or tag may move"
        };
        return Diagnostic::new(format!(
            "`{label}` comes from a git repository: {error}"
        ))
        .at(&place.file, place.lines)
        .help("Write the full commit hash after @, without history=true, or take a release of the package.");
    }
    not_on_a_server(label, place)
        .help("Take the package from an index, or give the URL of its file.")
}
