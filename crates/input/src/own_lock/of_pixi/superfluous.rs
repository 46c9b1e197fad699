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
    /// A package that neither the environment nor any of its packages can need, whatever their conditions.
    pub(super) fn superfluous(
        &self,
        asked: &SolveRequest,
        list: &List,
        settings: &InputSettings,
    ) -> Option<Stale> {
        if self.terms.has_dev {
            return None;
        }
        let mut pending: Vec<Name> = Vec::new();
        for one in asked.all_specs() {
            let spec = match_spec::parsed(&one.spec)?;
            pending.push(Name::Conda(
                spec.name.as_exact()?.as_normalized().to_owned(),
            ));
        }
        for requirement in list.entries().iter().filter_map(ListEntry::requirement) {
            pending.push(Name::Pypi(requirement.name.clone()?));
        }
        let known = self.known()?;
        let mut providers: BTreeMap<&Name, Vec<&Name>> = BTreeMap::new();
        for (own, package) in &known {
            for name in std::iter::once(own).chain(&package.provides) {
                providers.entry(name).or_default().push(own);
            }
        }
        let mut needed: BTreeSet<&Name> = BTreeSet::new();
        while let Some(name) = pending.pop() {
            for own in providers.get(&name).into_iter().flatten() {
                if needed.insert(own) {
                    pending.extend(known[*own].needs.iter().cloned());
                }
            }
        }
        let is_skipped = |name: &str| {
            settings
                .skip
                .iter()
                .any(|skip| normalized(skip) == normalized(name))
        };
        let (name, package) = known.iter().find(|(own, _)| !needed.contains(own))?;
        let (Name::Conda(text) | Name::Pypi(text)) = name;
        if is_skipped(text) {
            return None;
        }
        let kind = match name {
            Name::Conda(_) => "",
            Name::Pypi(_) => "the PyPI package ",
        };
        Some(Stale {
            what: format!(
                "has {kind}{} {}, which nothing asks for",
                quoted(text),
                package.version
            ),
            lines: self.terms.lines,
        })
    }

    /// The packages of the lock; `None` if pixi builds some of them itself.
    fn known(&self) -> Option<BTreeMap<Name, Known>> {
        let mut known = BTreeMap::new();
        for package in self.packages() {
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
