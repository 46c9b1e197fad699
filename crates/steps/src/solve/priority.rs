//! Requests that only strict channel priority makes impossible: what else the user can write.

use std::sync::Arc;

use rattler_conda_types::{Channel, MatchSpec, RepoDataRecord};

use super::search::{Search, tier};
use super::solver::{Attempt, solve};
use super::wording::sentence;
use condafront_model::channel::ChannelPriority;
use condafront_model::prose::listed;

/// How many packages are named.
const MOST: usize = 3;

/// The way that needs no other channels.
const FLEXIBLE: &str = "set `channel_priority: flexible` under `condafront:` or --build-arg CONDA_CHANNEL_PRIORITY=flexible";

/// The alternatives to strict priority that lead to a solution.
pub(super) struct WaysOut {
    /// What comes from a later channel than the first that has the name.
    moved: Vec<Moved>,
    /// The channels that could be first instead.
    first: Vec<String>,
    /// What could be added to the dependencies instead: `channel::name` for each of these packages.
    named: Vec<String>,
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
    let records: Vec<&RepoDataRecord> = later.iter().map(|(record, _)| *record).collect();
    Some(WaysOut {
        moved: moved.collect(),
        first: reordered(search, specs, &tiers).unwrap_or_default(),
        named: named(search, specs, &records).unwrap_or_default(),
    })
}

/// These packages as `channel::name`, if there is a solution with them among the dependencies.
fn named(
    search: &Search<'_>,
    specs: &[MatchSpec],
    records: &[&RepoDataRecord],
) -> Option<Vec<String>> {
    if records.len() > MOST {
        return None;
    }
    let mut more = specs.to_vec();
    let mut texts = Vec::new();
    for record in records {
        let channel = rattler_channel(search, record)?;
        let name = &record.package_record.name;
        // What is asked for is a line that the user has already.
        match more
            .iter_mut()
            .find(|spec| spec.name.as_exact() == Some(name))
        {
            Some(spec) => spec.channel = Some(channel),
            None => more.push(MatchSpec {
                channel: Some(channel),
                ..MatchSpec::from(name.clone())
            }),
        }
        texts.push(format!(
            "{}::{}",
            search.channel_name(record),
            name.as_source()
        ));
    }
    let attempt = Attempt {
        specs: &more,
        ..Attempt::to_explain(search)
    };
    solve(search, &attempt).is_ok().then_some(texts)
}

/// A record's channel, as MatchSpecs name it.
fn rattler_channel(search: &Search<'_>, record: &RepoDataRecord) -> Option<Arc<Channel>> {
    let mut repodata = search.repodata.iter();
    let data = repodata.find(|data| {
        record.channel.as_deref() == Some(data.rattler_channel().canonical_name().as_str())
    })?;
    Some(Arc::new(data.rattler_channel().clone()))
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
    let mut specs = specs.to_vec();
    let (Some(channel), Some(spec)) = (rattler_channel(search, record), specs.get_mut(index))
    else {
        return false;
    };
    spec.channel = Some(channel);
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
        before.sort_unstable();
        before.dedup();
        let mut from: Vec<&str> = self.moved.iter().map(|one| one.from.as_str()).collect();
        from.sort_unstable();
        from.dedup();
        let packages = self.moved.iter().map(|one| one.package.as_str());
        format!(
            "Strict channel priority rules out a solution: {} would come from {}, but {} {} {} and {} first. {}",
            listed(packages, MOST),
            listed(from, MOST),
            listed(&before, MOST),
            if before.len() == 1 { "has" } else { "have" },
            if self.moved.len() == 1 {
                "packages with that name"
            } else {
                "packages with these names"
            },
            if before.len() == 1 { "comes" } else { "come" },
            sentence(&self.with_names())
        )
    }

    /// Each way, also that of naming the channels of packages.
    fn with_names(&self) -> Vec<String> {
        let named = (!self.named.is_empty())
            .then(|| format!("write {} among the dependencies", listed(&self.named, MOST)));
        self.ways().into_iter().chain(named).collect()
    }

    /// Each way, as the middle of a sentence.
    pub(super) fn ways(&self) -> Vec<String> {
        let mut ways = vec![FLEXIBLE.to_owned()];
        if !self.first.is_empty() {
            ways.push(format!(
                "put {} first in `channels`",
                listed(&self.first, MOST)
            ));
        }
        ways
    }
}
