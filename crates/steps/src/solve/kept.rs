//! The answer to a request that keeps packages of an earlier one.

use std::collections::HashSet;

use rattler_conda_types::{MatchSpec, RepoDataRecord};

use super::search::Search;
use super::solver::{self, Attempt, NoAnswer};
use condafront_model::channel::ChannelPriority;

/// Finds packages, with those of an earlier answer where they can stay.
///
/// Packages that are to be upgraded are the ones of a new answer: if the solver chose them along with the packages that stay,
/// it would rather choose an old version than move one of those.
pub(super) fn solve(search: &Search<'_>) -> Result<Vec<RepoDataRecord>, NoAnswer> {
    let fresh = Attempt::of(search);
    let favored = favored(search);
    let upgrade = &search.solve.kept.upgrade;
    let installed = installed(search);
    let fresh = Attempt {
        pinned: installed.clone(),
        ..fresh
    };
    let upgraded = if favored.is_empty() || upgrade.is_empty() {
        Vec::new()
    } else {
        let found = solver::solve(search, &fresh)?.into_iter();
        let is_asked = |record: &RepoDataRecord| {
            let name = record.package_record.name.as_normalized();
            upgrade.iter().any(|asked| asked == name)
        };
        found.filter(is_asked).collect()
    };
    let attempt = Attempt {
        favored,
        pinned: [installed, upgraded].concat(),
        ..fresh
    };
    solver::solve(search, &attempt)
}

/// The records of the packages that are already installed, as far as a channel has them.
fn installed(search: &Search<'_>) -> Vec<RepoDataRecord> {
    let archives: HashSet<&str> = search.solve.installed.iter().map(String::as_str).collect();
    if archives.is_empty() {
        return Vec::new();
    }
    let mut names = HashSet::new();
    let is_installed = |record: &&RepoDataRecord| {
        let archive = record.identifier.to_string();
        let mut suffixes = [".conda", ".tar.bz2"].iter();
        let bare = suffixes.find_map(|suffix| archive.strip_suffix(suffix));
        archives.contains(bare.unwrap_or(&archive))
    };
    let records = search.records.files.iter().flatten();
    let records = records.filter(is_installed);
    let records = records.filter(|record| names.insert(record.package_record.name.clone()));
    records.cloned().collect()
}

/// The records of the packages that stay. Strict priority still holds: what a channel got later replaces a package of a
/// channel after it, unless a MatchSpec names that one.
fn favored<'a>(search: &Search<'a>) -> Vec<&'a RepoDataRecord> {
    let kept = &search.solve.kept.packages;
    let addresses: HashSet<&str> = kept.iter().map(String::as_str).collect();
    if addresses.is_empty() {
        return Vec::new();
    }
    let is_kept = |record: &&RepoDataRecord| {
        let url = record.url.as_str();
        let mut suffixes = [".conda", ".tar.bz2"].iter();
        let bare = suffixes.find_map(|suffix| url.strip_suffix(suffix));
        bare.is_some_and(|bare| addresses.contains(bare))
    };
    let is_first = |record: &&RepoDataRecord| {
        let name = &record.package_record.name;
        let names_channel = |spec: &MatchSpec| {
            spec.channel.is_some() && spec.name.as_exact().is_some_and(|asked| asked == name)
        };
        let first = search.records.named(name).next();
        search.request.priority == ChannelPriority::Flexible
            || first.is_some_and(|first| search.tier(first) == search.tier(record))
            || search.request.specs.iter().any(names_channel)
    };
    let records = search.records.files.iter().flatten();
    records.filter(is_kept).filter(is_first).collect()
}
