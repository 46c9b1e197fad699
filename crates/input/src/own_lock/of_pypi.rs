//! The PyPI packages of the lock of a file, and whether they are what the file's list asks for.

use std::collections::BTreeMap;

use super::known_pip::{KnownPip, image_of, is_it};
use super::{LockKind, OwnLock};
use crate::context_path::normalized as joined;
use crate::environment_input::{EnvironmentInput, LocalPip, LockedPip, Pip, RepositoryPip};
use crate::file_path::{FilePath, NamedPath};
use crate::lock_terms::PypiTerms;
use crate::requirements::{List, Reading, Requirement, Source};
use crate::settings::InputSettings;
use crate::written_lock::RepositoryPypi;
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::Package;
use condafront_model::pypi_package::{FileKind, PipPackage, normalized, requirement_name};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// The file of a folder that says what its package needs.
const PROJECT_FILE: &str = "pyproject.toml";

impl OwnLock {
    /// PyPI packages, asked for by the list of the file, or else where it names the lock.
    pub(super) fn named_here(&self, pip: LockedPip, list: &Pip) -> LockedPip {
        let mut asking: BTreeMap<String, Lines> = BTreeMap::new();
        if let Pip::Unsolved(list) = list {
            for entry in list.iter().filter(|entry| entry.file == self.file) {
                if let Some(name) = requirement_name(&entry.text) {
                    asking.entry(name).or_insert(entry.lines);
                }
            }
        }
        let lines = |name: &str| {
            let asking = asking.get(&normalized(name));
            asking.copied().unwrap_or(self.lines)
        };
        // Its paths are relative to the lock.
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let files = pip.files.into_iter();
        let local = pip.local.into_iter();
        let repositories = pip.repositories.into_iter();
        let local = local.map(|one| LocalPip {
            path: joined(folder, &one.path),
            lines: lines(&one.name),
            ..one
        });
        LockedPip {
            files: files
                .map(|file| PipPackage {
                    lines: lines(&file.name),
                    ..file
                })
                .collect(),
            local: local.collect(),
            repositories: repositories
                .map(|one| RepositoryPip {
                    lines: lines(&one.name),
                    ..one
                })
                .collect(),
            by_conda: pip.by_conda,
            needs: pip.needs,
        }
    }

    /// The warning that a package of a manifest's lock is built in isolation, although the manifest says otherwise.
    pub(super) fn of_isolation(&self, terms: &PypiTerms, pip: &LockedPip) -> Option<Warning> {
        let files = pip.files.iter().filter(|file| file.is_archive());
        let local = pip
            .local
            .iter()
            .filter(|one| !one.file_name().ends_with(".whl"));
        let names = files.map(|file| file.name.as_str());
        let names = names.chain(local.map(|one| one.name.as_str()));
        let mut names = names.chain(pip.repositories.iter().map(|one| one.name.as_str()));
        let (name, lines) = names.find_map(|name| {
            let lines = terms.unisolated.lines_of(&normalized(name))?;
            Some((name, lines))
        })?;
        let message = format!(
            "`{}` is built in isolation from the environment, in spite of `no-build-isolation`",
            quoted(name)
        );
        Some(Warning {
            rule: Rule::Ignored,
            diagnostic: self.error_at(message, lines).help(
                "List what its build needs in its own pyproject.toml: requires, in [build-system].",
            ),
        })
    }

    /// The projects of the user's folders that a manifest's lock must have been written for, besides the manifest itself: their
    /// folders as in the lock, and their pyproject.toml, which may be missing. `content` is that of the lock, and `folder` that of
    /// the manifest.
    pub fn projects(
        &self,
        input: &EnvironmentInput,
        content: &EnvironmentInput,
        folder: &FilePath,
    ) -> Vec<(String, NamedPath)> {
        let terms = input.beside.as_ref().and_then(|one| one.terms.as_ref());
        let (true, Some(terms), Pip::Locked(pip)) = (self.is_beside, terms, &content.pip) else {
            return Vec::new();
        };
        let is_own = |one: &LocalPip| one.path.is_empty() && terms.project.is_some();
        let is_folder = |one: &LocalPip| FileKind::of_name(one.file_name()).is_none();
        let folders = pip.local.iter();
        folders
            .filter(|one| is_folder(one) && !is_own(one))
            .map(|one| {
                let named = NamedPath {
                    path: joined(&one.path, PROJECT_FILE),
                    ..one.named(&self.file, folder)
                };
                (one.path.clone(), named)
            })
            .collect()
    }

    /// The entries of the list of a manifest, which names no other files.
    ///
    /// # Errors
    /// A diagnostic at the first invalid entry.
    pub fn list_of_manifest(
        &self,
        pip: &Pip,
        folder: &FilePath,
        settings: &InputSettings,
    ) -> Result<Option<List>, Diagnostic> {
        let Pip::Unsolved(list) = pip else {
            return Ok(self.is_beside.then(List::default));
        };
        if !self.is_beside {
            return Ok(None);
        }
        let args = settings.build_args.for_platform(self.platform);
        let mut reading = Reading::new(&args);
        reading.add(list, folder.clone());
        while reading.next_file()?.is_some() {}
        Ok(Some(reading.finish()))
    }

    /// Checks that a lock of this `kind`, with these conda `packages`, has the PyPI packages that the file's list asks for.
    ///
    /// # Errors
    /// A diagnostic at an entry that they do not satisfy, or that no lock can have.
    pub(super) fn check_pip(
        &self,
        list: &List,
        packages: &[Package],
        pip: &LockedPip,
        kind: LockKind,
        settings: &InputSettings,
    ) -> Result<(), Diagnostic> {
        if !self.is_beside && pip.is_empty() {
            return Ok(());
        }
        let lock = self.shown();
        let python = packages.iter().find(|one| one.id.name == "python");
        let image = python.map(|python| &python.id);
        let image = image.and_then(|id| image_of(&id.version, &id.build, self.platform));
        let known = KnownPip {
            pip,
            conda: packages,
            skip: &settings.skip,
            is_by_name: self.is_beside,
            image,
        };
        for entry in list.entries() {
            let Some(requirement) = entry.requirement() else {
                continue;
            };
            let place = entry.location();
            let error = |message: String| Diagnostic::new(message).at(&place.file, place.lines);
            let is_there = match &requirement.source {
                Source::Repository(asked) => pip.repositories.iter().any(|one| is_it(one, asked)),
                _ => false,
            };
            if !self.is_beside
                && !is_there
                && let Some(help) = help_to_lock(requirement)
            {
                let message =
                    format!("`{lock}` has PyPI packages, but this one cannot be in a lock");
                return Err(error(message).help(help));
            }
            let Some(name) = &requirement.name else {
                if matches!(requirement.source, Source::Repository(_)) && !is_there {
                    let message =
                        format!("`{lock}` has nothing from this repository at this commit");
                    return Err(error(message).help(self.renew(kind)));
                }
                continue;
            };
            if let Some(fault) = known.fault(entry, requirement, name, &lock) {
                return Err(error(fault).help(self.renew(kind)));
            }
        }
        Ok(())
    }
}

/// What to do about what no lock that a build writes can have; `None` if one can.
fn help_to_lock(requirement: &Requirement) -> Option<&'static str> {
    match &requirement.source {
        Source::Repository(repository) => {
            let name = requirement.name.as_deref().unwrap_or_default();
            let is_possible = RepositoryPypi::of(name, repository).is_some();
            (!is_possible).then_some("Write the full commit hash after @, or put it under `condafront:`, in a list `pip:`, which is installed after the lock's.")
        }
        Source::Context(_) => Some(
            "Put it under `condafront:`, in a list `pip:`, which is installed after the lock's.",
        ),
        Source::Index | Source::Web(_) => None,
    }
}
