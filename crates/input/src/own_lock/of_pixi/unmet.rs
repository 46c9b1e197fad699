//! What packages of a lock need and the lock does not have. Such a lock was merged or changed by hand, or its manifest expects
//! other machines now; pixi writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep508_rs::pep440_rs::{Version as PypiVersion, VersionSpecifiers};
use pep508_rs::{Requirement, VersionOrUrl};
use rattler_conda_types::{
    MatchSpec, MatchSpecCondition, Matches as _, PackageRecord, ParseMatchSpecOptions,
    RepodataRevision, Version,
};
use rattler_lock::{CondaPackageData, LockedPackage, PypiPackageData, UrlOrPath};

use super::machines::expected_cuda;
use super::{Check, Stale};
use crate::environment_input::SolveRequest;
use crate::match_spec;
use crate::own_lock::condition;
use crate::own_lock::known_pip::image_of;
use crate::own_lock::of_extras;
use crate::pixi_lock::of_pypi;
use crate::pylock::MarkerEnvironment;
use crate::requirements::{List, Source};
use crate::section::image_section::Located;
use crate::settings::InputSettings;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;
use condafront_model::source::Lines;

impl Check<'_> {
    /// The first thing that a package surely needs and that is missing, or has a different version.
    pub(super) fn unmet(
        &self,
        asked: &SolveRequest,
        list: &List,
        platform: Platform,
        settings: &InputSettings,
    ) -> Option<Stale> {
        let there = There::of(self, asked, platform, settings)?;
        let pypi = self.terms.pypi.as_ref();
        there
            .unmet_conda(asked)
            .or_else(|| there.unmet_pypi(list, &pypi?.overrides))
    }
}

/// The versions that replace those that PyPI packages ask for.
type Overrides = BTreeMap<String, Located<Option<String>>>;

/// The packages of a lock, and what else decides what they need.
struct There<'a> {
    conda: BTreeMap<&'a str, &'a PackageRecord>,
    pypi: BTreeMap<String, &'a PypiPackageData>,
    /// The conda packages that contain PyPI packages, by their normalized names, and whether the lock says so.
    by_conda: BTreeMap<String, (&'a PackageRecord, bool)>,
    /// The version of CUDA that the manifest expects.
    cuda: Option<Version>,
    /// What markers see; `None` if that is not certain.
    image: Option<MarkerEnvironment>,
    /// Packages that may be missing.
    skip: &'a [String],
}

/// What a conda package, or the manifest at these lines, asks for.
struct Need<'a> {
    spec: MatchSpec,
    by: Option<&'a PackageRecord>,
    lines: Lines,
}

impl<'a> There<'a> {
    /// The packages; `None` if pixi builds some of them itself.
    fn of(
        check: &Check<'a>,
        asked: &SolveRequest,
        platform: Platform,
        settings: &'a InputSettings,
    ) -> Option<Self> {
        let mut conda = BTreeMap::new();
        let mut pypi = BTreeMap::new();
        let mut by_conda = BTreeMap::new();
        for package in check.packages() {
            match package {
                LockedPackage::Conda(CondaPackageData::Source(_)) => return None,
                LockedPackage::Conda(CondaPackageData::Binary(data)) => {
                    let record = &data.package_record;
                    let name = record.name.as_normalized();
                    // One that says nothing may be the PyPI package of its name.
                    by_conda.entry(normalized(name)).or_insert((record, false));
                    let purls = record.purls.iter().flatten();
                    let contained = purls.filter_map(|purl| {
                        let has_own_version = purl.version().is_some();
                        Some((of_pypi(purl)?, (record, !has_own_version)))
                    });
                    by_conda.extend(contained);
                    conda.insert(name, record);
                }
                LockedPackage::Pypi(data) => {
                    pypi.insert(normalized(data.name().as_ref()), data);
                }
            }
        }
        let python = conda.get("python");
        let image = python.and_then(|python| {
            let version = python.version.to_string();
            image_of(&version, python.build.as_str(), platform)
        });
        Some(Self {
            cuda: expected_cuda(asked),
            skip: &settings.skip,
            conda,
            pypi,
            by_conda,
            image,
        })
    }

    fn is_skipped(&self, name: &str) -> bool {
        let mut skip = self.skip.iter();
        skip.any(|skip| normalized(skip) == normalized(name))
    }

    fn unmet_conda(&self, asked: &SolveRequest) -> Option<Stale> {
        let roots = asked.specs.iter().filter_map(|one| {
            Some(Need {
                spec: match_spec::parsed(&one.spec)?,
                by: None,
                lines: one.lines,
            })
        });
        let mut pending: Vec<Need<'_>> = roots.collect();
        // In the order of the manifest.
        pending.reverse();
        let mut followed: BTreeSet<(&str, Option<String>)> = BTreeSet::new();
        while let Some(need) = pending.pop() {
            let condition = need.spec.condition.as_ref();
            if condition.is_some_and(|it| self.holds(it) != Some(true)) {
                continue;
            }
            let Some(name) = need.spec.name.as_exact() else {
                continue;
            };
            let name = name.as_normalized();
            if let Some(what) = self.fault(&need, name) {
                return Some(Stale {
                    what,
                    lines: need.lines,
                });
            }
            let Some(record) = self.conda.get(name).copied() else {
                continue;
            };
            let mut follow = |extra: Option<String>, depends: &'a [String]| {
                if followed.insert((record.name.as_normalized(), extra)) {
                    let needs = depends.iter().rev().filter_map(|text| {
                        Some(Need {
                            spec: dependency(text)?,
                            by: Some(record),
                            lines: need.lines,
                        })
                    });
                    pending.extend(needs);
                }
            };
            follow(None, &record.depends);
            for extra in need.spec.extras.into_iter().flatten() {
                if let Some(depends) = record.extra_depends.get(&extra) {
                    follow(Some(extra), depends);
                }
            }
        }
        None
    }

    /// What is wrong with the package `name` that something needs.
    fn fault(&self, need: &Need<'_>, name: &str) -> Option<String> {
        // Those of the manifest have been compared, unless their condition is on the machine.
        if need.by.is_none() && need.spec.condition.is_none() || self.is_skipped(name) {
            return None;
        }
        let by = need.by.map(shown);
        if name.starts_with("__") {
            let by = by.filter(|_| self.has_machine(&need.spec, name) == Some(false))?;
            return Some(format!(
                "has {by}, which needs `{}`, but no `cuda` in the manifest says that machines have it",
                quoted(&need.spec.to_string())
            ));
        }
        match self.conda.get(name) {
            None => Some(match by {
                None => format!("has no {name}"),
                Some(by) => format!("has no {name}, which {by} needs"),
            }),
            Some(record) if need.spec.matches(*record) => None,
            Some(record) => {
                let own = shown(record);
                Some(match by {
                    None => format!("has {own}, which is not what this line asks for"),
                    Some(by) => {
                        format!(
                            "has {own}, but {by} needs `{}`",
                            quoted(&need.spec.to_string())
                        )
                    }
                })
            }
        }
    }

    /// Whether the manifest expects what a spec says of machines; `None` if it need not say so.
    fn has_machine(&self, spec: &MatchSpec, name: &str) -> Option<bool> {
        match name {
            "__cuda" => Some(self.cuda.as_ref().is_some_and(|cuda| {
                let asked = spec.version.as_ref();
                asked.is_none_or(|asked| asked.matches(cuda))
            })),
            "__linux" | "__unix" if spec.version.is_none() => Some(true),
            "__osx" | "__win" => Some(false),
            _ => None,
        }
    }

    /// Whether a condition holds; `None` if nothing says so.
    fn holds(&self, condition: &MatchSpecCondition) -> Option<bool> {
        condition::holds(condition, &|spec| {
            let name = spec.name.as_exact()?.as_normalized();
            if name.starts_with("__") {
                return self.has_machine(spec, name);
            }
            let record = self.conda.get(name);
            Some(record.is_some_and(|record| spec.matches(*record)))
        })
    }

    fn unmet_pypi(&self, list: &List, overrides: &Overrides) -> Option<Stale> {
        let image = self.image.as_ref()?;
        let mut pending: Vec<(String, BTreeSet<String>, Lines)> = Vec::new();
        for entry in list.entries().iter().rev() {
            let Some(requirement) = entry.requirement() else {
                continue;
            };
            let marker = requirement.marker();
            if let Some(name) = &requirement.name
                && marker.is_none_or(|marker| image.surely_meets(marker))
            {
                if let Some(what) = self.conda_fault(&entry.text, &requirement.source, name)
                    && !self.is_skipped(name)
                {
                    let lines = entry.lines;
                    return Some(Stale { what, lines });
                }
                pending.push((name.clone(), of_extras::extras(&entry.text), entry.lines));
            }
        }
        let mut followed: BTreeSet<(String, BTreeSet<String>)> = BTreeSet::new();
        while let Some((name, extras, lines)) = pending.pop() {
            let package = self.pypi.get(&name).copied();
            let Some(package) = package.filter(|_| followed.insert((name.clone(), extras.clone())))
            else {
                continue;
            };
            for requirement in package.requires_dist() {
                if !is_needed(requirement, &extras, image) {
                    continue;
                }
                let needed = normalized(requirement.name.as_ref());
                let own = overrides.get(&needed);
                let stale = match own {
                    Some(own) => self.not_overridden(own, &needed),
                    None => self
                        .pypi_fault(requirement, &needed, &name)
                        .map(|what| Stale { what, lines }),
                };
                if stale.is_some() && !self.is_skipped(&needed) {
                    return stale;
                }
                let extras = requirement.extras.iter();
                let extras = extras.map(|extra| normalized(extra.as_ref()));
                pending.push((needed, extras.collect(), lines));
            }
        }
        None
    }

    /// The PyPI package `name` and its version, if that is certain.
    fn version(&self, name: &str) -> Option<(String, PypiVersion)> {
        if let Some(package) = self.pypi.get(name) {
            // The version of a folder may be one that only its build knows.
            let is_path = matches!(package.location().inner(), UrlOrPath::Path(_));
            let version = package.version().filter(|_| !is_path)?;
            return Some((
                format!("the PyPI package {name} {version}"),
                version.clone(),
            ));
        }
        let found = self.by_conda.get(name);
        let (record, _) = found.filter(|(_, is_certain)| *is_certain)?;
        let version = PypiVersion::from_str(&record.version.to_string()).ok()?;
        Some((shown(record), version))
    }

    /// What is wrong with the conda package that is there for the PyPI package `name` of a line.
    fn conda_fault(&self, line: &str, source: &Source, name: &str) -> Option<String> {
        if self.pypi.contains_key(name) {
            return None;
        }
        let (own, version) = self.version(name)?;
        let is_asked = match source {
            Source::Index => {
                let asked: Requirement = Requirement::from_str(line).ok()?;
                match asked.version_or_url {
                    Some(VersionOrUrl::VersionSpecifier(wanted)) => wanted.contains(&version),
                    Some(VersionOrUrl::Url(_)) => false,
                    None => true,
                }
            }
            // No conda package comes from there.
            Source::Context(_) | Source::Repository(_) | Source::Web(_) => false,
        };
        (!is_asked).then(|| format!("has {own}, which is not what this line asks for"))
    }

    /// What is wrong with the package `name` that the PyPI package `by` needs.
    fn pypi_fault(&self, asked: &Requirement, name: &str, by: &str) -> Option<String> {
        if !self.pypi.contains_key(name) && !self.by_conda.contains_key(name) {
            return Some(format!("has no PyPI package {name}, which {by} needs"));
        }
        let Some(VersionOrUrl::VersionSpecifier(wanted)) = &asked.version_or_url else {
            return None;
        };
        let (own, version) = self.version(name)?;
        (!wanted.contains(&version)).then(|| format!("has {own}, but {by} needs {name}{wanted}"))
    }

    /// What is wrong with a package whose version the manifest replaces.
    fn not_overridden(&self, asked: &Located<Option<String>>, name: &str) -> Option<Stale> {
        let wanted = VersionSpecifiers::from_str(asked.value.as_deref()?).ok()?;
        let (own, version) = self.version(name)?;
        (!wanted.contains(&version)).then(|| Stale {
            what: format!("has {own}, which is not what this line asks for"),
            lines: asked.lines,
        })
    }
}

/// A dependency of a conda package; `None` if it is not one.
fn dependency(text: &str) -> Option<MatchSpec> {
    let options = ParseMatchSpecOptions::lenient().with_repodata_revision(RepodataRevision::V3);
    MatchSpec::from_str(text, options).ok()
}

/// Whether a package needs this for itself or for some of its extras.
fn is_needed(
    requirement: &Requirement,
    extras: &BTreeSet<String>,
    image: &MarkerEnvironment,
) -> bool {
    let text = requirement.to_string();
    let Some((_, marker)) = text.split_once(" ; ") else {
        return true;
    };
    let with = |extra: &String| {
        let mut image = image.clone();
        image.values.insert("extra", extra.clone());
        image.surely_meets(marker.trim())
    };
    image.surely_meets(marker.trim()) || extras.iter().any(with)
}

fn shown(record: &PackageRecord) -> String {
    let name = record.name.as_normalized();
    format!("{name} {} {}", record.version, record.build)
}
