//! Which PyPI packages of a manifest's lock stay in a new one.
//!
//! pip cannot be given versions to prefer. So either all of them stay, or pip finds all of them again.

use std::collections::{BTreeMap, BTreeSet};

use super::of_extras::{extras, of_marker};
use crate::environment_input::{Conda, EnvironmentInput, LocalPip, Pip};
use crate::requirements::{List, Source};
use crate::settings::InputSettings;
use crate::written_lock::LocalPypi;
use condafront_model::package::Package;
use condafront_model::pypi_package::{PipPackage, normalized, requirement_name};

/// The PyPI packages of a lock, which are all that its manifest asks for.
#[derive(Clone, Debug)]
pub struct KeptPip {
    /// The conda packages that they were chosen for.
    conda: Vec<Package>,
    packages: Vec<PipPackage>,
    /// The manifest's own project, if it is one of them.
    project: Option<LocalPypi>,
}

impl KeptPip {
    /// The packages of the lock `found`, if they are what `list` asks for, all of it and nothing more, and none of them may
    /// change. In doubt, they do not stay. `project` is the manifest's own, if the lock says of it what it says itself.
    pub(super) fn of(
        found: &EnvironmentInput,
        list: &List,
        settings: &InputSettings,
        project: Option<LocalPypi>,
    ) -> Option<Self> {
        let (Conda::Locked(conda), Pip::Locked(pip)) = (&found.conda, &found.pip) else {
            return None;
        };
        let may_change = |package: &PipPackage| {
            let mut names = settings.upgrade.iter();
            names.any(|name| normalized(name) == normalized(&package.name))
        };
        let mut of_conda: BTreeSet<String> = pip.by_conda.iter().cloned().collect();
        of_conda.extend(conda.iter().map(|package| normalized(&package.id.name)));
        let is_current = |local: &LocalPip| {
            let project = project.as_ref();
            project.is_some_and(|own| own.name == normalized(&local.name) && local.path.is_empty())
        };
        let named: BTreeMap<String, &[String]> = pip
            .files
            .iter()
            .map(|one| (normalized(&one.name), one.requires_dist.as_slice()))
            .chain(
                pip.needs
                    .iter()
                    .map(|(name, needs)| (name.clone(), needs.as_slice())),
            )
            .collect();
        let is_kept = !named.is_empty()
            && pip.local.iter().all(is_current)
            && pip.repositories.is_empty()
            && settings.skip.is_empty()
            && !list
                .entries()
                .iter()
                .any(|entry| chooses_kinds(&entry.text))
            && !pip.files.iter().any(may_change)
            && are_asked_for(&named, &of_conda, list) == Some(true);
        is_kept.then(|| Self {
            conda: conda.clone(),
            packages: pip.files.clone(),
            project: project.filter(|_| !pip.local.is_empty()),
        })
    }

    /// The manifest's own project, if it is one of them.
    pub fn project(&self) -> Option<&LocalPypi> {
        self.project.as_ref()
    }

    /// The files to download.
    pub fn packages(&self) -> &[PipPackage] {
        &self.packages
    }

    /// Whether they fit the conda packages of the new lock: all that they were chosen for are present, and no other has the
    /// name of one of them.
    pub fn fits(&self, packages: &[Package]) -> bool {
        let is_same = |a: &Package, b: &Package| a.id == b.id && a.subdir == b.subdir;
        let is_there = |one: &Package| packages.iter().any(|new| is_same(one, new));
        let names: BTreeSet<String> = self
            .packages
            .iter()
            .map(|one| normalized(&one.name))
            .collect();
        let is_known = |new: &Package| self.conda.iter().any(|one| is_same(one, new));
        let mut new = packages.iter().filter(|one| !is_known(one));
        let is_twice = new.any(|one| names.contains(&normalized(&one.id.name)));
        self.conda.iter().all(is_there) && !is_twice
    }
}

/// Whether a line of a list says which packages may be built: nothing says whether that is new.
fn chooses_kinds(line: &str) -> bool {
    ["--no-binary", "--only-binary"]
        .iter()
        .any(|option| line.starts_with(option))
}

/// Whether each of the packages that are `named`, with what they need, is asked for by the list, or needed by one that is. `None` if something else is asked for or
/// needed, apart from what is `of_conda`, or may be.
fn are_asked_for(
    named: &BTreeMap<String, &[String]>,
    of_conda: &BTreeSet<String>,
    list: &List,
) -> Option<bool> {
    let is_there = |name: &str| named.contains_key(name) || of_conda.contains(name);
    let mut pending = Vec::new();
    for entry in list.entries().iter().filter(|entry| !entry.is_constraint) {
        let Some(requirement) = entry.requirement() else {
            continue;
        };
        let name = requirement.name.clone()?;
        let has_files = matches!(requirement.source, Source::Index | Source::Context(_));
        let is_plain = has_files && !requirement.has_marker;
        if !is_plain || !is_there(&name) {
            return None;
        }
        pending.push((name, extras(&entry.text)));
    }
    let mut seen: BTreeSet<(String, BTreeSet<String>)> = BTreeSet::new();
    while let Some(wanted) = pending.pop() {
        if !seen.insert(wanted.clone()) {
            continue;
        }
        let (name, asked) = wanted;
        if !asked.is_empty() && !named.contains_key(&name) {
            // What extras of a conda package need is in no lock.
            return None;
        }
        let needs = named.get(&name).copied().unwrap_or_default();
        for text in needs {
            let (requirement, marker) = text.split_once(';').unwrap_or((text, ""));
            let name = requirement_name(requirement)?;
            let about = of_marker(marker);
            if !about.is_empty() && about.is_disjoint(&asked) {
                continue;
            }
            // Other conditions were false when the lock was written.
            let has_conditions = if about.is_empty() {
                !marker.trim().is_empty()
            } else {
                marker.contains(" and ") || marker.contains(" or ")
            };
            if is_there(&name) {
                pending.push((name, extras(requirement)));
            } else if !has_conditions {
                return None;
            }
        }
    }
    let seen: BTreeSet<String> = seen.into_iter().map(|(name, _)| name).collect();
    Some(named.keys().all(|name| seen.contains(name)))
}
