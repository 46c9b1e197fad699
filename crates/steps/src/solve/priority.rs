//! Requests that only strict channel priority makes impossible: what else the user can write.

use std::sync::Arc;

use rattler_conda_types::{MatchSpec, RepoDataRecord};

use super::search::{Search, tier};
use super::solver::{Attempt, solve};
use super::wording::sentence;
use crate::wording::listed;
use condafront_model::channel::ChannelPriority;

/// How many packages are named.
const MOST: usize = 3;

/// The ways out of strict priority that lead to a solution.
pub(super) struct WaysOut {
    /// What comes from a later channel than the first that has the name.
    moved: Vec<Moved>,
    /// The channels that could be first instead.
    first: Vec<String>,
}

/// A package from a later channel.
struct Moved {
    /// Its name and version.
    package: String,
    /// Its channel.
    from: String,
    /// The first channel that has packages of that name.
    before: String,
}

/// The ways out for `specs`, if there are any.
pub(super) fn ways_out(search: &Search<'_>, specs: &[MatchSpec]) -> Option<WaysOut> {
    if search.solve.priority == ChannelPriority::Flexible {
        return None;
    }
    let attempt = Attempt {
        specs,
        priority: ChannelPriority::Flexible,
        ..Attempt::to_explain(search)
    };
    let found = solve(search, &attempt).ok()?;
    let mut later: Vec<(&RepoDataRecord, &RepoDataRecord)> = found
        .iter()
        .filter_map(|record| {
            let first = search.records.named(&record.package_record.name).next()?;
            (search.tier(first) != search.tier(record)).then_some((record, first))
        })
        .collect();
    if later.is_empty() {
        return None;
    }
    later.sort_by(|(a, _), (b, _)| a.package_record.name.cmp(&b.package_record.name));
    let moved = later.iter().map(|(record, first)| Moved {
        package: format!(
            "{} {}",
            record.package_record.name.as_source(),
            record.package_record.version
        ),
        from: search.channel_name(record).to_owned(),
        before: search.channel_name(first).to_owned(),
    });
    let tiers: Vec<&str> = later
        .iter()
        .filter_map(|(record, _)| search.tier(record))
        .collect();
    Some(WaysOut {
        moved: moved.collect(),
        first: reordered(search, specs, &tiers).unwrap_or_default(),
    })
}

/// The channels of these tiers, if there is a solution when they come first.
fn reordered(search: &Search<'_>, specs: &[MatchSpec], tiers: &[&str]) -> Option<Vec<String>> {
    let channels = &search.solve.channels;
    let (first, others): (Vec<usize>, Vec<usize>) =
        (0..channels.len()).partition(|index| tiers.contains(&tier(&channels[*index])));
    let names = first.iter().map(|index| channels[*index].name.clone());
    let names: Vec<String> = names.collect();
    let attempt = Attempt {
        specs,
        order: first.into_iter().chain(others).collect(),
        ..Attempt::to_explain(search)
    };
    solve(search, &attempt).is_ok().then_some(names)
}

/// Whether there is a solution for `specs` if the one at `index` names the channel of `record`.
pub(super) fn is_solved_by_naming(
    search: &Search<'_>,
    specs: &[MatchSpec],
    index: usize,
    record: &RepoDataRecord,
) -> bool {
    let mut repodata = search.repodata.iter();
    let data = repodata.find(|data| {
        record.channel.as_deref() == Some(data.rattler_channel().canonical_name().as_str())
    });
    let mut specs = specs.to_vec();
    let (Some(data), Some(spec)) = (data, specs.get_mut(index)) else {
        return false;
    };
    spec.channel = Some(Arc::new(data.rattler_channel().clone()));
    let attempt = Attempt {
        specs: &specs,
        ..Attempt::to_explain(search)
    };
    solve(search, &attempt).is_ok()
}

impl WaysOut {
    /// What the order of the channels keeps out, and what to do about it.
    pub(super) fn help(&self) -> String {
        let mut before: Vec<&str> = self.moved.iter().map(|one| one.before.as_str()).collect();
        before.dedup();
        let mut from: Vec<&str> = self.moved.iter().map(|one| one.from.as_str()).collect();
        from.sort_unstable();
        from.dedup();
        let packages = self.moved.iter().map(|one| one.package.as_str());
        format!(
            "The order of the channels rules out a solution: {} would come from {}, but {} has {} and comes first. {}",
            listed(packages, MOST),
            listed(from, MOST),
            before.first().copied().unwrap_or_default(),
            if self.moved.len() == 1 {
                "packages with that name"
            } else {
                "packages with these names"
            },
            sentence(&self.ways())
        )
    }

    /// Each way, as the middle of a sentence.
    pub(super) fn ways(&self) -> Vec<String> {
        let mut ways = vec!["set `channel_priority: flexible` under `condafront:`".to_owned()];
        if !self.first.is_empty() {
            ways.push(format!(
                "put {} first in `channels`",
                listed(&self.first, MOST)
            ));
        }
        ways
    }
}
