//! MatchSpecs that cannot be satisfied on their own, whatever else is requested.

use std::collections::BTreeSet;

use rattler_conda_types::version_spec::EqualityOperator;
use rattler_conda_types::{
    MatchSpec, Matches as _, PackageName, RepoDataRecord, StringMatcher, Version, VersionSpec,
};

use super::foreign::system_of;
use super::repodata::Repodata;
use super::search::Search;
use super::too_new;
use super::virtual_packages::system_help;
use super::wording::near;
use condafront_model::channel::ChannelPriority;
use condafront_model::nearest::suggestions;
use condafront_model::prose::listed;

/// An unavailable MatchSpec.
pub(super) struct Unavailable<'a> {
    /// Its index.
    pub(super) spec: usize,
    /// What is missing.
    pub(super) what: Missing<'a>,
    /// The same in words.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
    /// Whether another base image would help.
    pub(super) base: bool,
}

/// What an unavailable MatchSpec lacks.
pub(super) enum Missing<'a> {
    /// The virtual package.
    System,
    /// Any package with the name.
    Name,
    /// The version or build.
    Build,
    /// Anything that is not too new.
    Date,
    /// The version or build in the first channel that has the name; a later one has this.
    InFirst(&'a RepoDataRecord),
}

/// All MatchSpecs that are unavailable.
pub(super) fn all<'a>(search: &Search<'a>) -> Vec<Unavailable<'a>> {
    (0..search.solve.specs.len())
        .filter_map(|index| find(search, index))
        .collect()
}

/// Whether a MatchSpec names one build of one version, as exports do.
pub(super) fn is_pinned(spec: &MatchSpec) -> bool {
    let exact = Some(EqualityOperator::Equals);
    let version = match &spec.version {
        Some(VersionSpec::Exact(operator, _)) => Some(*operator),
        _ => None,
    };
    version == exact && matches!(spec.build, Some(StringMatcher::Exact(_)))
}

/// Why the MatchSpec `index` is unavailable, whatever else is requested; `None` if it is available.
fn find<'a>(search: &Search<'a>, index: usize) -> Option<Unavailable<'a>> {
    let spec = &search.request.specs[index];
    if spec.condition.is_some() {
        return None;
    }
    let name = &search.request.names[index];
    let text = search.solve.shown(index);
    let unavailable = |what: Missing<'a>, message: String, help: String| Unavailable {
        spec: index,
        what,
        message,
        help,
        base: search.is_of_base(name.as_normalized()),
    };
    if name.as_normalized().starts_with("__") {
        let help = || system_help(name.as_normalized(), &search.solve.system);
        let message = format!("the image will not have `{text}`");
        return (!is_provided(search, name, spec))
            .then(|| unavailable(Missing::System, message, help()));
    }
    let in_channel = search.records_for(name, spec);
    let Some(first) = in_channel.first() else {
        if let Some(message) = all_too_new(search, spec, name, &text) {
            return Some(unavailable(
                Missing::Date,
                message,
                too_new::HELP.to_owned(),
            ));
        }
        let (message, help) = missing(search, spec, name);
        return Some(unavailable(Missing::Name, message, help));
    };
    let (allowed, later): (Vec<_>, Vec<_>) = in_channel.iter().copied().partition(|record| {
        search.solve.priority == ChannelPriority::Flexible
            || search.tier(record) == search.tier(first)
    });
    if allowed.iter().any(|record| spec.matches(*record)) {
        return None;
    }
    let message = format!(
        "no {} matches `{text}`; available from {}: {}",
        name.as_source(),
        listed(channels(search, &allowed), 5),
        offered(&allowed, spec)
    );
    let tier = match search.solve.priority {
        ChannelPriority::Strict => search.tier(first),
        ChannelPriority::Flexible => None,
    };
    if let Some(why) = too_new::newest(search, name, spec, tier) {
        let message = format!("{message}; left out as too new: {why}");
        return Some(unavailable(
            Missing::Date,
            message,
            too_new::HELP.to_owned(),
        ));
    }
    Some(match later.iter().find(|record| spec.matches(**record)) {
        Some(other) => {
            let help = format!(
                "{} has a match, but {} has packages with that name and comes first: channel priority is strict.",
                search.channel_name(other),
                search.channel_name(first)
            );
            unavailable(Missing::InFirst(other), message, help)
        }
        None => unavailable(Missing::Build, message, help_with_build(search, spec, name)),
    })
}

/// The channels of these packages, each once.
fn channels<'a>(search: &Search<'a>, records: &[&RepoDataRecord]) -> Vec<&'a str> {
    let mut channels: Vec<&str> = Vec::new();
    for record in records {
        let channel = search.channel_name(record);
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    channels
}

/// What to ask for if no package with the name matches.
fn help_with_build(search: &Search<'_>, spec: &MatchSpec, name: &PackageName) -> String {
    let name = name.as_source();
    let help = if is_pinned(spec) {
        format!(
            "Leave the build out, as `conda env export --no-builds` does for a whole file, or write {name} alone. Builds differ between platforms, and channels remove old ones."
        )
    } else {
        format!("Ask for one of these, or write {name} alone.")
    };
    match search.other_channels().filter(|_| spec.channel.is_none()) {
        Some(other) => format!("{help} {other}"),
        None => help,
    }
}

/// What to say if all packages with the name are too new.
fn all_too_new(
    search: &Search<'_>,
    spec: &MatchSpec,
    name: &PackageName,
    text: &str,
) -> Option<String> {
    let any = MatchSpec {
        channel: spec.channel.clone(),
        ..MatchSpec::from(name.clone())
    };
    let why = too_new::newest(search, name, spec, None)
        .or_else(|| too_new::newest(search, name, &any, None))?;
    Some(format!(
        "no {} matches `{text}`: all are left out as too new: {why}",
        name.as_source()
    ))
}

/// Whether the machine has a virtual package.
fn is_provided(search: &Search<'_>, name: &PackageName, spec: &MatchSpec) -> bool {
    search.request.virtual_packages.iter().any(|package| {
        package.name == *name
            && spec
                .version
                .as_ref()
                .is_none_or(|version| version.matches(&package.version))
            && spec
                .build
                .as_ref()
                .is_none_or(|build| build.matches(package.build_string.as_ref()))
    })
}

/// What is wrong if no channel has the name, and what to do.
fn missing(search: &Search<'_>, spec: &MatchSpec, name: &PackageName) -> (String, String) {
    let searched = search.searched(spec);
    let is_searched = |data: &&Repodata| searched.contains(&data.channel);
    let channel_name = |index: &usize| search.solve.channels[*index].name.as_str();
    let has = |data: &&Repodata| data.has(name.as_normalized());
    let elsewhere: BTreeSet<&str> = search
        .repodata
        .iter()
        .filter(|data| !is_searched(data))
        .filter(has)
        .map(|data| channel_name(&data.channel))
        .collect();
    let names = search
        .repodata
        .iter()
        .filter(is_searched)
        .flat_map(Repodata::names);
    let near = near(name.as_normalized(), names);
    let message = format!(
        "there is no package {} for {} in {}",
        name.as_source(),
        search.solve.subdir,
        listed(searched.iter().map(channel_name), 5)
    );
    if !elsewhere.is_empty() {
        let help = format!(
            "It is in {}: write {} without a channel.",
            listed(elsewhere, 5),
            name.as_source()
        );
        return (message, help);
    }
    if let Some(system) = system_of(name.as_normalized()) {
        let help = format!(
            "It is a package for {system}. Remove it, or add `# [{}]` to its line.",
            system.selector()
        );
        return (message, help);
    }
    // A name that is a part of another is hardly a typo of it: python, ipython.
    let is_part = |found: &&str| found.contains(name.as_normalized());
    let is_typo = near.first().is_some_and(|found| !is_part(found));
    // The name on PyPI is often the end of the name in a channel: dateutil, python-dateutil.
    let is_end = |found: &str| {
        let start = found.strip_suffix(name.as_normalized());
        start.is_some_and(|start| start.ends_with('-'))
    };
    let is_other_name = is_typo || near.first().is_some_and(|found| is_end(found));
    let meant = (!near.is_empty()).then(|| suggestions(near));
    let other = search.other_channels().filter(|_| spec.channel.is_none());
    let help = match (other, meant) {
        (Some(other), Some(meant)) if is_typo => format!("{meant} If the name is right: {other}"),
        (Some(other), _) => {
            format!("{other} Packages that are only on PyPI go under `pip:`.")
        }
        (None, Some(meant)) if is_other_name => format!(
            "{meant} If the name is right, these channels do not have it for {}.",
            search.solve.subdir
        ),
        (None, _) if is_pinned(spec) => format!(
            "If an export wrote this line, the package may be for another platform: `conda env export --from-history` lists only what you asked for. Otherwise, check the name, and that `channels` includes a channel that has it for {}.",
            search.solve.subdir
        ),
        (None, _) => format!(
            "Check the name, and that `channels` includes a channel that has it for {}. Packages that are only on PyPI go under `pip:`.",
            search.solve.subdir
        ),
    };
    (message, help)
}

/// What there is instead of what `spec` asks for: the flags, the builds of its version, or the versions.
fn offered(records: &[&RepoDataRecord], spec: &MatchSpec) -> String {
    let wanted = spec.version.as_ref();
    let has_version = |record: &&&RepoDataRecord| {
        wanted.is_some_and(|version| version.matches(&record.package_record.version))
    };
    let builds: BTreeSet<String> = records
        .iter()
        .filter(has_version)
        .map(|record| record.package_record.build.to_string())
        .collect();
    let flags: BTreeSet<String> = records
        .iter()
        .flat_map(|record| &record.package_record.flags)
        .map(ToString::to_string)
        .collect();
    if spec.flags.is_some() && !flags.is_empty() {
        format!("flags {}", listed(flags, 10))
    } else if builds.is_empty() {
        versions(records, wanted)
    } else {
        format!("builds {}", listed(builds, 5))
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
