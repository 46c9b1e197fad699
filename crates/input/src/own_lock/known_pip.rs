//! What a lock has of the PyPI packages that lines of a list ask for.

use super::of_extras;
use crate::environment_input::{LockedPip, RepositoryPip};
use crate::pylock::MarkerEnvironment;
use crate::requirements::{ListEntry, Repository, Requirement, Source};
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::redact::quoted;

/// The packages of a lock, as far as PyPI packages are concerned.
pub(super) struct KnownPip<'a> {
    /// Its PyPI packages.
    pub(super) pip: &'a LockedPip,
    /// Its conda packages.
    pub(super) conda: &'a [Package],
    /// Names that may be missing: those that are left out.
    pub(super) skip: &'a [String],
    /// Whether a conda package of the same name will do.
    pub(super) is_by_name: bool,
    /// What markers see of the image; `None` if that is not certain.
    pub(super) image: Option<MarkerEnvironment>,
}

/// What markers see of an image with these conda packages; `None` if that is not certain.
pub(super) fn image_of(conda: &[Package], platform: Platform) -> Option<MarkerEnvironment> {
    let python = conda.iter().find(|one| one.id.name == "python")?;
    let version = python.id.version.as_str();
    let mut parts = version.splitn(3, '.');
    let minor = format!("{}.{}", parts.next()?, parts.next()?);
    let is_cpython = !python.id.build.contains("pypy");
    is_cpython.then(|| MarkerEnvironment::of_cpython(&minor, version, platform))
}

impl KnownPip<'_> {
    /// What is wrong with what the lock has of the package `name` that a line asks for; `lock` is what the lock is called.
    pub(super) fn fault(
        &self,
        entry: &ListEntry,
        requirement: &Requirement,
        name: &str,
        lock: &str,
    ) -> Option<String> {
        let not_asked = |what: String| {
            Some(format!(
                "`{lock}` has {what}, which is not what this line asks for"
            ))
        };
        if let Some(repository) = self.repository(name)
            && let Source::Repository(asked) = &requirement.source
            && !is_it(repository, asked)
        {
            let commit = &repository.commit;
            return not_asked(format!("commit {commit} of the repository of {name}"));
        }
        let Some(file) = self.file(name) else {
            let is_missing =
                !entry.is_constraint && self.needs(requirement) && !self.is_elsewhere(name);
            return is_missing.then(|| format!("`{lock}` has no PyPI package {name}"));
        };
        if !requirement.allows(file) {
            return not_asked(format!("the PyPI package {}", file.label()));
        }
        let (needed, extra) = self.missing_of_extras(entry, file)?;
        Some(format!(
            "`{lock}` has no PyPI package {needed}, which the extra `{}` of {name} needs",
            quoted(&extra)
        ))
    }

    fn file(&self, name: &str) -> Option<&PipPackage> {
        let mut files = self.pip.files.iter();
        files.find(|file| normalized(&file.name) == name)
    }

    fn repository(&self, name: &str) -> Option<&RepositoryPip> {
        let mut repositories = self.pip.repositories.iter();
        repositories.find(|one| normalized(&one.name) == name)
    }

    /// Whether the package is there, but not as a file to download.
    fn is_elsewhere(&self, name: &str) -> bool {
        let is_it = |known: &str| normalized(known) == name;
        let mut local = self.pip.local.iter();
        let mut conda = self.conda.iter();
        local.any(|one| is_it(&one.name))
            || self.repository(name).is_some()
            || self.pip.by_conda.contains(name)
            || self.is_by_name
                && (conda.any(|one| is_it(&one.id.name)) || self.skip.iter().any(|one| is_it(one)))
    }

    /// Whether the image surely needs what a line asks for.
    fn needs(&self, requirement: &Requirement) -> bool {
        requirement.marker().is_none_or(|marker| {
            let image = self.image.as_ref();
            image.is_some_and(|image| image.surely_meets(marker))
        })
    }

    /// A package that the extras of a line surely need and that is not there, and the extra.
    fn missing_of_extras(&self, entry: &ListEntry, file: &PipPackage) -> Option<(String, String)> {
        // If the lock does not say what conda packages contain, one of any name may be it.
        if self.pip.by_conda.is_empty() {
            return None;
        }
        let is_there = |name: &str| self.file(name).is_some() || self.is_elsewhere(name);
        of_extras::missing(&entry.text, file, self.image.as_ref()?, is_there)
    }
}

/// Whether a lock has the repository that is asked for, and the commit, as far as it says how that was found.
fn is_it(locked: &RepositoryPip, asked: &Repository) -> bool {
    let plain = |url: &str| {
        let url = url.trim_end_matches('/').to_ascii_lowercase();
        url.strip_suffix(".git").unwrap_or(&url).to_owned()
    };
    let is_commit = |reference: &String| {
        let own = locked.found_by.as_ref();
        own.is_none_or(|own| own == reference) || locked.commit.starts_with(reference)
    };
    plain(&locked.url) == plain(&asked.url) && asked.reference.as_ref().is_none_or(is_commit)
}
