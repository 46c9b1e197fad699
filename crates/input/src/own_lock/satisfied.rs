//! Whether the packages of a lock satisfy dependencies.
//!
//! Only what a lock says about a package counts: its name, version, build, subdir, address and hashes. What else a MatchSpec
//! can ask for was up to the solve that wrote the lock.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use rattler_conda_types::{MatchSpec, MatchSpecCondition, Version};

use super::condition;
use crate::match_spec;
use condafront_model::package::Package;

/// The packages of a lock, by name.
pub(super) struct Packages<'a>(BTreeMap<String, &'a Package>);

/// Why a lock does not have what a dependency asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault<'a> {
    /// It has no package of the name.
    Missing,
    /// It has another package of the name.
    Other(&'a Package),
    /// It has the package from another channel.
    Channel(&'a Package),
}

impl<'a> Packages<'a> {
    pub(super) fn of(packages: &'a [Package]) -> Self {
        let named = |package: &'a Package| (package.id.name.to_lowercase(), package);
        Self(packages.iter().map(named).collect())
    }

    fn named(&self, name: &str) -> Option<&'a Package> {
        self.0.get(name).copied()
    }

    /// The name that a spec, as [`match_spec::read`] has written it, asks for, and what is wrong with the package.
    pub(super) fn fault(&self, spec: &str) -> Option<(String, Fault<'a>)> {
        let spec = match_spec::parsed(spec)?;
        let name = spec.name.as_exact()?.as_normalized().to_owned();
        // Whether the image has a virtual package, and whether a condition on one holds, only a solve knows.
        let is_asked = spec
            .condition
            .as_ref()
            .map_or(Some(true), |it| self.holds(it));
        if name.starts_with("__") || is_asked != Some(true) {
            return None;
        }
        let fault = match self.named(&name) {
            None => Fault::Missing,
            Some(package) if !is_it(&spec, package) => Fault::Other(package),
            Some(package) if !is_of_channel(&spec, package) => Fault::Channel(package),
            Some(_) => return None,
        };
        Some((name, fault))
    }

    /// Whether a condition holds; `None` if the lock does not say so.
    fn holds(&self, condition: &MatchSpecCondition) -> Option<bool> {
        condition::holds(condition, &|spec| {
            let name = spec.name.as_exact()?.as_normalized();
            let is_there = || self.named(name).is_some_and(|package| is_it(spec, package));
            (!name.starts_with("__")).then(is_there)
        })
    }
}

/// The name of the package that a spec, as [`match_spec::read`] has written it, asks for.
pub(super) fn name_of(spec: &str) -> Option<String> {
    let spec = match_spec::parsed(spec)?;
    Some(spec.name.as_exact()?.as_normalized().to_owned())
}

fn is_of_channel(spec: &MatchSpec, package: &Package) -> bool {
    let channel = spec.channel.as_ref();
    channel.is_none_or(|channel| {
        let url = channel.base_url.url().as_str();
        url.trim_end_matches('/') == package.url.channel()
    })
}

/// Whether a package is what a spec of its name asks for, from whatever channel.
fn is_it(spec: &MatchSpec, package: &Package) -> bool {
    let id = &package.id;
    let version = Version::from_str(&id.version).ok();
    let is_hash = |asked: Option<String>, own: &Option<String>| match (asked, own) {
        (Some(asked), Some(own)) => asked == *own,
        _ => true,
    };
    // By convention, the build string ends with the build number.
    let number = id.build.rsplit('_').next().and_then(|end| end.parse().ok());
    spec.version
        .as_ref()
        .is_none_or(|asked| version.is_some_and(|version| asked.matches(&version)))
        && spec
            .build
            .as_ref()
            .is_none_or(|asked| asked.matches(&id.build))
        && spec
            .build_number
            .as_ref()
            .is_none_or(|asked| number.is_none_or(|number| asked.matches(&number)))
        && spec
            .subdir
            .as_ref()
            .is_none_or(|asked| *asked == package.subdir)
        && is_hash(spec.sha256.map(hex::encode), &package.hashes.sha256)
        && is_hash(spec.md5.map(hex::encode), &package.hashes.md5)
}
