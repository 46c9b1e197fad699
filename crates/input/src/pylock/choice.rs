//! Which packages and files of a lock an environment gets.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep508_rs::pep440_rs::{Version, VersionSpecifiers};

use super::lock::{LockedFile, LockedPackage, LockedSource, Pylock};
use crate::environment_input::LocalPip;
use crate::marker::{Marker, MarkerEnvironment};
use crate::requirements::Repository;
use crate::section::image_section::Located;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// Help for what only another lock can change.
const RELOCK: &str = "Regenerate the lock for this environment.";

/// What an environment gets of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A file to download.
    Remote(PipPackage),
    /// A file or folder of the user.
    Local(LocalPip),
    /// A repository, which is built.
    Repository {
        /// The package's name.
        name: String,
        /// The repository.
        repository: Repository,
        /// The lines that name it.
        lines: Lines,
    },
}

impl Pylock {
    /// What the environment gets; its python has the version `python`. `categories` are extras and dependency groups besides
    /// the default groups. `rank` says how well a wheel with that file name fits, smaller ranks better, and `None` for one that
    /// does not.
    ///
    /// # Errors
    /// A diagnostic at what the environment cannot have.
    pub fn choose<R: Ord>(
        &self,
        environment: MarkerEnvironment,
        python: &str,
        categories: &[String],
        rank: impl Fn(&str) -> Option<R>,
    ) -> Result<Vec<Chosen>, Diagnostic> {
        let asked = categories.iter().map(|name| normalized(name));
        let asked: Vec<String> = asked.collect();
        let of = |known: &[String]| -> Vec<String> {
            let known = known.iter().filter(|name| asked.contains(name));
            known.cloned().collect()
        };
        let groups = of(&self.groups);
        let environment = MarkerEnvironment {
            extras: of(&self.extras).into_iter().collect(),
            groups: self.default_groups.iter().cloned().chain(groups).collect(),
            ..environment
        };
        self.check_environment(&environment, python)?;
        let mut chosen: BTreeMap<String, (Lines, Chosen)> = BTreeMap::new();
        for package in &self.packages {
            let holds = package
                .marker
                .as_ref()
                .is_none_or(|marker| marker.holds(&environment));
            if !holds {
                continue;
            }
            if let Some(required) = &package.requires_python
                && !fits(required, python)
            {
                return Err(Diagnostic::new(format!(
                    "{} is for python {required}, but the environment has python {python}",
                    quoted(&package.name)
                ))
                .at(&self.file, package.lines)
                .help(RELOCK));
            }
            let found = self.file_for(package, &rank)?;
            let name = normalized(&package.name);
            if let Some((first, _)) = chosen.insert(name, (package.lines, found)) {
                return Err(Diagnostic::new(format!(
                    "the lock has {} twice for this environment",
                    quoted(&package.name)
                ))
                .at(&self.file, package.lines)
                .at(&self.file, first)
                .help(RELOCK));
            }
        }
        Ok(chosen.into_values().map(|(_, chosen)| chosen).collect())
    }

    /// Refuses an environment that the lock is not for.
    fn check_environment(
        &self,
        environment: &MarkerEnvironment,
        python: &str,
    ) -> Result<(), Diagnostic> {
        let name = self.file.name();
        if let Some(Located { value, lines }) = &self.requires_python
            && !fits(value, python)
        {
            return Err(Diagnostic::new(format!(
                "{name} is for python {value}, but the environment has python {python}"
            ))
            .at(&self.file, *lines)
            .help(
                "Ask for a different python in `dependencies`, or regenerate the lock for this one.",
            ));
        }
        let holds = |marker: &Located<Marker>| marker.value.holds(environment);
        let (Some(first), Some(last)) = (self.environments.first(), self.environments.last())
        else {
            return Ok(());
        };
        if self.environments.iter().any(holds) {
            return Ok(());
        }
        let lines = Lines {
            first: first.lines.first,
            last: last.lines.last,
        };
        Err(
            Diagnostic::new(format!("{name} does not support this image's environment"))
                .at(&self.file, lines)
                .help(RELOCK),
        )
    }

    /// The file or folder of a package that fits best.
    fn file_for<R: Ord>(
        &self,
        package: &LockedPackage,
        rank: impl Fn(&str) -> Option<R>,
    ) -> Result<Chosen, Diagnostic> {
        let file = match &package.source {
            LockedSource::Repository(repository) => {
                return Ok(Chosen::Repository {
                    name: package.name.clone(),
                    repository: repository.clone(),
                    lines: package.lines,
                });
            }
            LockedSource::Folder(folder) => return Ok(Chosen::Local(folder.clone())),
            LockedSource::Archive(file) => file,
            LockedSource::Files { wheels, sdist } => {
                let ranked = wheels
                    .iter()
                    .filter_map(|file| Some((rank(&file.name())?, file)));
                let best = ranked.min_by(|(a, _), (b, _)| a.cmp(b));
                let best = best.map(|(_, file)| file).or(sdist.as_ref());
                best.ok_or_else(|| {
                    Diagnostic::new(format!(
                        "no wheel of {} in the lock is for this image, and there is no source archive",
                        quoted(&package.name)
                    ))
                    .at(&self.file, package.lines)
                    .help(RELOCK)
                })?
            }
        };
        Ok(match file {
            LockedFile::Remote(package) => Chosen::Remote(package.clone()),
            LockedFile::Local(local) => Chosen::Local(local.clone()),
        })
    }
}

/// Whether a version of python is one of those.
fn fits(required: &VersionSpecifiers, python: &str) -> bool {
    Version::from_str(python).is_ok_and(|version| required.contains(&version))
}
