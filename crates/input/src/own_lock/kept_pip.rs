//! Which PyPI packages of a manifest's lock stay in a new one.
//!
//! pip cannot be told which versions it should prefer. So either all of them stay, or it finds all of them again.

use std::collections::{BTreeMap, BTreeSet};

use crate::environment_input::{Conda, EnvironmentInput, Pip};
use crate::requirements::List;
use crate::settings::InputSettings;
use condafront_model::package::Package;
use condafront_model::pypi_package::{PipPackage, is_for_extra, normalized, requirement_name};

/// The PyPI packages of a lock, which are all that its manifest asks for.
#[derive(Clone, Debug)]
pub struct KeptPip {
    /// The conda packages that they were chosen for.
    conda: Vec<Package>,
    packages: Vec<PipPackage>,
}

impl KeptPip {
    /// The packages of the lock `found`, which are what `list` asks for, unless it has more of them, or some may change.
    pub(super) fn of(
        found: &EnvironmentInput,
        list: &List,
        settings: &InputSettings,
    ) -> Option<Self> {
        let (Conda::Locked(conda), Pip::Locked(pip)) = (&found.conda, &found.pip) else {
            return None;
        };
        let may_change = |package: &PipPackage| {
            let mut names = settings.upgrade.iter();
            names.any(|name| normalized(name) == normalized(&package.name))
        };
        let is_kept = !pip.files.is_empty()
            && pip.local.is_empty()
            && list.local().next().is_none()
            && !pip.files.iter().any(may_change)
            && has_nothing_more(&pip.files, list);
        is_kept.then(|| Self {
            conda: conda.clone(),
            packages: pip.files.clone(),
        })
    }

    /// The packages, if they fit the conda packages of the new lock: all that they were chosen for are there, and no other has
    /// the name of one of them.
    pub fn for_conda(&self, packages: &[Package]) -> Option<&[PipPackage]> {
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
        let fits = self.conda.iter().all(is_there) && !is_twice;
        fits.then_some(&self.packages)
    }
}

/// Whether each of the packages is asked for by the list, or needed by one that is.
fn has_nothing_more(packages: &[PipPackage], list: &List) -> bool {
    let named: BTreeMap<String, &PipPackage> = packages
        .iter()
        .map(|one| (normalized(&one.name), one))
        .collect();
    let entries = list.entries().iter().filter(|entry| !entry.is_constraint);
    let entries = entries.filter_map(|entry| {
        let name = entry.requirement()?.name.clone()?;
        Some((name, entry.text.contains('[')))
    });
    let mut pending: Vec<(String, bool)> = entries.collect();
    let mut seen: BTreeSet<(String, bool)> = BTreeSet::new();
    while let Some((name, has_extras)) = pending.pop() {
        if !seen.insert((name.clone(), has_extras)) {
            continue;
        }
        let Some(package) = named.get(&name) else {
            continue;
        };
        for text in &package.requires_dist {
            let (requirement, marker) = text.split_once(';').unwrap_or((text, ""));
            if !has_extras && is_for_extra(marker) {
                continue;
            }
            if let Some(name) = requirement_name(requirement) {
                pending.push((name, requirement.contains('[')));
            }
        }
    }
    named.keys().all(|name| {
        [false, true]
            .into_iter()
            .any(|has_extras| seen.contains(&(name.clone(), has_extras)))
    })
}
