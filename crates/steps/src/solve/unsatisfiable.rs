//! Explains to the user why a request cannot be satisfied.

use std::collections::BTreeSet;

use rattler_conda_types::{Matches as _, PackageName, RepoDataRecord, Version, VersionSpec};

use super::conflict::Conflict;
use super::error::Unsatisfiable;
use super::records::Records;
use super::repodata::Repodata;
use super::request::Request;
use super::wording::{listed, near};
use condafront_model::channel::ChannelPriority;
use condafront_model::nearest::suggestions;
use condafront_step_spec::solve::{Glibc, SolveChannel, SolveSpec, System};

/// Where packages were searched for.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    /// The step's arguments.
    pub(super) solve: &'a SolveSpec,
    /// The same, parsed.
    pub(super) request: &'a Request,
    /// The repodata of the channels.
    pub(super) repodata: &'a [Repodata],
    /// The records that may be relevant.
    pub(super) records: &'a Records,
}

/// Explains a conflict. If MatchSpecs are unavailable on their own, reports only those, because the rest would be noise.
pub(super) fn explain(search: &Search<'_>, conflict: Conflict) -> Unsatisfiable {
    let alone: Vec<Unsatisfiable> = (0..search.solve.specs.len())
        .filter_map(|index| search.unavailable(index))
        .collect();
    if !alone.is_empty() {
        return Unsatisfiable::all(alone);
    }
    let specs: BTreeSet<usize> = conflict
        .specs
        .iter()
        .map(|index| search.request.for_spec[*index])
        .collect();
    // When several conflict, builds for other systems appear in the tree but are never the reason.
    let is_reason = |name: &&String| specs.len() == 1 || !is_foreign(name);
    let mut helps: Vec<String> = conflict
        .missing
        .iter()
        .filter(is_reason)
        .filter_map(|name| search.missing_help(name))
        .collect();
    if helps.is_empty() {
        helps.push(
            "Ask for other versions of the packages at the top, or remove one of them.".to_owned(),
        );
    }
    let what = match specs.first() {
        Some(only) if specs.len() == 1 => {
            format!("`{}` cannot be satisfied", search.solve.shown(*only))
        }
        _ => "these dependencies cannot be satisfied together".to_owned(),
    };
    Unsatisfiable {
        message: format!("{what}:\n{}", conflict.text),
        base: conflict.missing.iter().any(|name| search.is_of_base(name)),
        helps,
        specs: specs.into_iter().collect(),
    }
}

impl Search<'_> {
    /// Why the MatchSpec `index` is unavailable, whatever else is requested; `None` if it is available.
    fn unavailable(&self, index: usize) -> Option<Unsatisfiable> {
        let spec = &self.request.specs[index];
        let name = &self.request.names[index];
        let text = self.solve.shown(index);
        let unavailable = |message: String, helps: Vec<String>| {
            Some(Unsatisfiable {
                message,
                helps,
                specs: vec![index],
                base: self.is_of_base(name.as_normalized()),
            })
        };
        if name.as_normalized().starts_with("__") {
            let fits = self.request.virtual_packages.iter().any(|package| {
                package.name == *name
                    && spec
                        .version
                        .as_ref()
                        .is_none_or(|version| version.matches(&package.version))
                    && spec
                        .build
                        .as_ref()
                        .is_none_or(|build| build.matches(package.build_string.as_ref()))
            });
            if fits {
                return None;
            }
            let help = system_help(name.as_normalized(), &self.solve.system);
            return unavailable(format!("the image will not have `{text}`"), vec![help]);
        }
        let in_channel: Vec<&RepoDataRecord> = self
            .records
            .named(name)
            .filter(|record| {
                spec.channel.as_ref().is_none_or(|channel| {
                    record.channel.as_deref() == Some(channel.canonical_name().as_str())
                })
            })
            .collect();
        let Some(first) = in_channel.first() else {
            return Some(self.missing(index, name));
        };
        let (allowed, later): (Vec<_>, Vec<_>) = in_channel.iter().copied().partition(|record| {
            self.solve.priority == ChannelPriority::Flexible
                || self.tier(record) == self.tier(first)
        });
        if allowed.iter().any(|record| spec.matches(*record)) {
            return None;
        }
        let mut channels: Vec<&str> = Vec::new();
        for record in &allowed {
            let channel = self.channel_name(record);
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        let right_version = |record: &&&RepoDataRecord| {
            spec.version
                .as_ref()
                .is_some_and(|version| version.matches(&record.package_record.version))
        };
        let builds: BTreeSet<String> = allowed
            .iter()
            .filter(right_version)
            .map(|record| record.package_record.build.to_string())
            .collect();
        let what = if builds.is_empty() {
            versions(&allowed, spec.version.as_ref())
        } else {
            format!("builds {}", listed(builds, 5))
        };
        let message = format!(
            "no {} matches `{text}`; available from {}: {what}",
            name.as_source(),
            listed(channels.iter().copied(), 5)
        );
        let other = later.iter().find(|record| spec.matches(**record));
        let help = match other.map(|record| self.channel_name(record)) {
            Some(other) => format!(
                "{other} has a match, but {} has packages with that name and comes first. Write {other}::{}, or put {other} first.",
                channels.first().copied().unwrap_or_default(),
                name.as_source()
            ),
            None => format!("Ask for one of these, or write {} alone.", name.as_source()),
        };
        unavailable(message, vec![help])
    }

    fn missing(&self, index: usize, name: &PackageName) -> Unsatisfiable {
        let spec = &self.request.specs[index];
        let searched = |data: &&Repodata| match &spec.channel {
            Some(channel) => **channel == *data.rattler_channel(),
            None => true,
        };
        let mut channels: Vec<&str> = Vec::new();
        for data in self.repodata.iter().filter(searched) {
            let channel = self.solve.channels[data.channel].name.as_str();
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        let has = |data: &&Repodata| data.has(name.as_normalized());
        let elsewhere: BTreeSet<&str> = self
            .repodata
            .iter()
            .filter(|data| !searched(data))
            .filter(has)
            .map(|data| self.solve.channels[data.channel].name.as_str())
            .collect();
        let names = self
            .repodata
            .iter()
            .filter(searched)
            .flat_map(Repodata::names);
        let near = near(name.as_normalized(), names);
        let help = if !elsewhere.is_empty() {
            format!(
                "It is in {}: write {} without a channel.",
                listed(elsewhere, 5),
                name.as_source()
            )
        } else if !near.is_empty() {
            suggestions(near)
        } else {
            "Check the name, and that `channels` includes the channel that has it. Packages that are only on PyPI go under `pip:`.".to_owned()
        };
        Unsatisfiable {
            message: format!(
                "there is no package {} for {} in {}",
                name.as_source(),
                self.solve.subdir,
                listed(channels, 5)
            ),
            helps: vec![help],
            specs: vec![index],
            base: false,
        }
    }

    /// Whether a virtual package is missing because of the base image.
    fn is_of_base(&self, name: &str) -> bool {
        let by_base = [Glibc::BaseHasMusl, Glibc::BaseHasNone];
        let glibc = &self.solve.system.glibc;
        name == "__glibc" && (by_base.contains(glibc) || matches!(glibc, Glibc::Base(_)))
    }

    /// What to do about a missing dependency; `None` if only the right version is missing.
    fn missing_help(&self, name: &str) -> Option<String> {
        if name.starts_with("__") {
            return Some(system_help(name, &self.solve.system));
        }
        let is_there = self.repodata.iter().any(|data| data.has(name));
        (!is_there).then(|| {
            format!("No channel has {name}. Add the channel that these packages need to `channels`: bioconda's need conda-forge, for example.")
        })
    }

    /// The name of a record's channel.
    fn channel_name(&self, record: &RepoDataRecord) -> &str {
        self.channel(record)
            .map_or("the channel", |channel| channel.name.as_str())
    }

    /// What has a single place in the order of channels: a channel or a group of channels.
    fn tier(&self, record: &RepoDataRecord) -> Option<&str> {
        let channel = self.channel(record)?;
        Some(channel.group.as_deref().unwrap_or(&channel.url))
    }

    fn channel(&self, record: &RepoDataRecord) -> Option<&SolveChannel> {
        let is_its = |data: &&Repodata| {
            record.channel.as_deref() == Some(data.rattler_channel().canonical_name().as_str())
        };
        let data = self.repodata.iter().find(is_its)?;
        Some(&self.solve.channels[data.channel])
    }
}

/// The versions of these packages: those closest to the requested one, and the newest.
fn versions(records: &[&RepoDataRecord], wanted: Option<&VersionSpec>) -> String {
    const MOST: usize = 5;
    let mut all: Vec<&Version> = records
        .iter()
        .map(|record| record.package_record.version.version())
        .collect();
    all.sort_unstable();
    all.dedup();
    let spelled = |version: &Version| version.to_string();
    if let [only] = all[..] {
        return format!("version {only}");
    }
    if all.len() <= MOST {
        return format!("versions {}", listed(all.into_iter().map(spelled), MOST));
    }
    let newest = &all[all.len() - 3..];
    let near = wanted.and_then(|wanted| neighbours(&all, wanted));
    let mut shown: Vec<&Version> = near
        .into_iter()
        .flatten()
        .chain(newest.iter().copied())
        .collect();
    shown.sort_unstable();
    shown.dedup();
    format!(
        "versions {} ({} in all)",
        listed(shown.into_iter().map(spelled), MOST),
        all.len()
    )
}

/// The versions just below and above an exact one.
fn neighbours<'a>(all: &[&'a Version], wanted: &VersionSpec) -> Option<Vec<&'a Version>> {
    let wanted = match wanted {
        VersionSpec::Exact(_, version) => version,
        VersionSpec::StrictRange(_, version) => version.as_ref(),
        _ => return None,
    };
    let at = all.partition_point(|version| *version < wanted);
    let before = at.checked_sub(1).and_then(|index| all.get(index));
    Some(before.into_iter().chain(all.get(at)).copied().collect())
}

/// Whether this is a virtual package that no Linux image has.
fn is_foreign(name: &str) -> bool {
    ["__win", "__osx"].contains(&name)
}

/// What to do about a virtual package that is missing or has the wrong version.
fn system_help(name: &str, system: &System) -> String {
    match name {
        "__cuda" => match &system.cuda {
            None => "Packages that need CUDA are chosen only if the base image has CUDA, or if you give the CUDA version of the machines' driver: --build-arg CONDA_OVERRIDE_CUDA=12.8.".to_owned(),
            Some(version) => format!("The image will have CUDA {version}, as set by the base image's CUDA_VERSION or the build-arg CONDA_OVERRIDE_CUDA."),
        },
        "__glibc" => {
            let fact = match &system.glibc {
                Glibc::Base(version) => format!("The base image has glibc {version}."),
                Glibc::BaseHasMusl => "The base image has musl, not glibc.".to_owned(),
                Glibc::BaseHasNone => "The base image has no glibc.".to_owned(),
                Glibc::Override(version) => {
                    return format!("The build-arg CONDA_OVERRIDE_GLIBC is set to {version}.");
                }
                Glibc::OverrideNone => {
                    return "The build-arg CONDA_OVERRIDE_GLIBC is empty, which means that there is no glibc.".to_owned();
                }
            };
            format!("{fact} Choose another base image with --build-arg BASE_IMAGE=<image>; if the image will get its glibc from elsewhere, give the version with --build-arg CONDA_OVERRIDE_GLIBC=2.36.")
        }
        "__archspec" => format!(
            "The image is for every {} machine. If it only needs to run on newer ones, select them with --build-arg CONDA_OVERRIDE_ARCHSPEC=x86_64_v3.",
            system.archspec.as_deref().unwrap_or("such")
        ),
        _ => format!("A Linux image does not have {name}: the package is for another operating system."),
    }
}
