//! Packages of a lock that nothing asks for: pixi writes such a lock anew.

use std::collections::{BTreeMap, BTreeSet};

use rattler_lock::{CondaPackageData, LockedPackage};

use super::{Check, Stale};
use crate::environment_input::SolveRequest;
use crate::match_spec;
use crate::pixi_lock::of_pypi;
use crate::requirements::{List, ListEntry};
use crate::settings::InputSettings;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;

/// A package, as one of conda or of PyPI, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Conda(String),
    Pypi(String),
}

impl Check<'_> {
    /// A package that neither the environment nor any of its packages can need, whatever their conditions, or a conda package
    /// that is there only in place of a PyPI package, also in the environments that are solved together with this one.
    pub(super) fn superfluous(
        &self,
        asked: &SolveRequest,
        list: &List,
        settings: &InputSettings,
    ) -> Option<Stale> {
        if self.terms.has_dev {
            return None;
        }
        let mut of_conda: Vec<Name> = Vec::new();
        for one in asked.all_specs() {
            let spec = match_spec::parsed(&one.spec)?;
            let name = spec.name.as_exact()?.as_normalized();
            of_conda.push(Name::Conda(name.to_owned()));
        }
        let mut of_pypi: Vec<Name> = Vec::new();
        for requirement in list.entries().iter().filter_map(ListEntry::requirement) {
            of_pypi.push(Name::Pypi(requirement.name.clone()?));
        }
        let known = known_packages(self.packages())?;
        let needed = reached(&known, of_conda.iter().chain(&of_pypi).cloned());
        let is_skipped = |name: &Name| {
            let (Name::Conda(name) | Name::Pypi(name)) = name;
            let mut skip = settings.skip.iter();
            skip.any(|skip| normalized(skip) == normalized(name))
        };
        let left = |needed: &BTreeSet<&Name>| -> Vec<&Name> {
            let left = known.keys();
            left.filter(|own| !needed.contains(own) && !is_skipped(own))
                .collect()
        };
        let unasked = left(&needed);
        // What is not there for another one is what the manifest had asked for.
        let of_others: BTreeSet<&Name> = unasked
            .iter()
            .flat_map(|own| known[*own].needs.iter().filter(move |need| need != own))
            .collect();
        let first = unasked.iter().find(|own| !of_others.contains(*own));
        if let Some(own) = first.or(unasked.first()) {
            return Some(Stale {
                what: format!("has {}, which nothing asks for", shown(own, &known)),
                lines: self.terms.lines,
            });
        }
        let lock = self.environment.lock_file();
        let group = self.terms.group.iter();
        let group = group.filter_map(|name| lock.environment(name));
        let of_group = group.flat_map(|environment| self.packages_of(environment));
        let of_all = known_packages(self.packages().chain(of_group))?;
        let by_conda = reached(&of_all, of_conda);
        let own = left(&by_conda)
            .into_iter()
            .find(|own| matches!(own, Name::Conda(_)))?;
        let mut entries = list.entries().iter();
        let entry = entries.find(|entry| {
            let name = entry.requirement().and_then(|it| it.name.clone());
            name.is_some_and(|name| known[own].provides.contains(&Name::Pypi(name)))
        });
        Some(Stale {
            what: format!(
                "has {} as a conda package, but it is asked for only as a PyPI package",
                shown(own, &known)
            ),
            lines: entry.map_or(self.terms.lines, |entry| entry.lines),
        })
    }
}

/// Packages of a lock; `None` if pixi builds some of them itself.
fn known_packages<'a>(
    packages: impl Iterator<Item = &'a LockedPackage>,
) -> Option<BTreeMap<Name, Known>> {
    let mut known = BTreeMap::new();
    for package in packages {
        let (name, package) = match package {
            LockedPackage::Conda(CondaPackageData::Source(_)) => return None,
            LockedPackage::Conda(CondaPackageData::Binary(data)) => {
                let record = &data.package_record;
                let name = record.name.as_normalized().to_owned();
                let purls = record.purls.iter().flatten();
                // A conda package often has the name of the PyPI package in it, also where its lock does not say so.
                let provides = purls.filter_map(of_pypi).chain([normalized(&name)]);
                let needs = record.depends.iter();
                let needs = needs.chain(record.extra_depends.values().flatten());
                let known = Known {
                    version: record.version.to_string(),
                    provides: provides.map(Name::Pypi).collect(),
                    needs: needs.map(|spec| Name::Conda(name_of(spec))).collect(),
                };
                (Name::Conda(name), known)
            }
            LockedPackage::Pypi(data) => {
                let needs = data.requires_dist().iter();
                let needs = needs.map(|one| normalized(one.name.as_ref()));
                let known = Known {
                    version: data.version().map(ToString::to_string).unwrap_or_default(),
                    provides: BTreeSet::new(),
                    needs: needs.map(Name::Pypi).collect(),
                };
                (Name::Pypi(normalized(data.name().as_ref())), known)
            }
        };
        known.insert(name, package);
    }
    Some(known)
}

/// The packages that are needed if `names` are asked for, whatever their conditions.
fn reached(
    known: &BTreeMap<Name, Known>,
    names: impl IntoIterator<Item = Name>,
) -> BTreeSet<&Name> {
    let mut providers: BTreeMap<&Name, Vec<&Name>> = BTreeMap::new();
    for (own, package) in known {
        for name in std::iter::once(own).chain(&package.provides) {
            providers.entry(name).or_default().push(own);
        }
    }
    let mut pending: Vec<Name> = names.into_iter().collect();
    let mut needed = BTreeSet::new();
    while let Some(name) = pending.pop() {
        for own in providers.get(&name).into_iter().flatten() {
            if needed.insert(*own) {
                pending.extend(known[*own].needs.iter().cloned());
            }
        }
    }
    needed
}

/// A package and its version.
fn shown(name: &Name, known: &BTreeMap<Name, Known>) -> String {
    let version = &known[name].version;
    match name {
        Name::Conda(text) => format!("{} {version}", quoted(text)),
        Name::Pypi(text) => format!("the PyPI package {} {version}", quoted(text)),
    }
}

/// A package of a lock.
struct Known {
    version: String,
    /// What else it counts as.
    provides: BTreeSet<Name>,
    /// What it can need.
    needs: Vec<Name>,
}

/// The name of the package that a dependency of a conda package is about.
fn name_of(spec: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || "=<>!~[,;".contains(c);
    let name = spec.trim().split(is_end).next().unwrap_or_default();
    let name = name.rsplit("::").next().unwrap_or(name);
    name.to_ascii_lowercase()
}
