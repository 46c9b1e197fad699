//! Requests that fail because packages are too new: which ones, and what to do about it.

use rattler_conda_types::{MatchSpec, Matches as _, PackageName, RepoDataRecord};

use super::conflict::Conflict;
use super::dates::Dates;
use super::records::Records;
use super::search::Search;
use super::solver::{Attempt, solve};
use condafront_model::cutoff::day;
use condafront_model::prose::listed;

/// How many packages are named.
const MOST: usize = 3;

/// What to do.
pub(super) const HELP: &str = "Set a later date in `exclude_newer` or with --build-arg CONDA_EXCLUDE_NEWER=<date>, or list what may be newer under its `packages`.";

/// Why `dates` leave out a record: `numpy 2.5.1 is from 2026-11-12, after 2026-11-01`.
fn why(dates: &Dates, record: &RepoDataRecord) -> String {
    let package = &record.package_record;
    let shown = format!("{} {}", package.name.as_source(), package.version);
    match package.indexed_timestamp.or(package.timestamp) {
        Some(time) => format!(
            "{shown} is from {}, after {}",
            day(time.into()),
            dates.cutoff(record)
        ),
        None => format!("{shown} has no timestamp"),
    }
}

/// Why the newest of the packages is left out that have this name, satisfy `spec`, and are in the channel or group `tier`
/// if there is one.
pub(super) fn newest(
    search: &Search<'_>,
    name: &PackageName,
    spec: &MatchSpec,
    tier: Option<&str>,
) -> Option<String> {
    let dates = search.request.dates.as_ref()?;
    let records = search.left_out_for(name, spec);
    let is_meant = |record: &&RepoDataRecord| {
        spec.matches(*record) && (tier.is_none() || search.tier(record) == tier)
    };
    let newest = records.into_iter().filter(is_meant).max_by(|a, b| {
        let (a, b) = (&a.package_record, &b.package_record);
        a.version
            .cmp(&b.version)
            .then_with(|| a.build_number.cmp(&b.build_number))
            .then_with(|| a.build.cmp(&b.build))
    })?;
    Some(why(dates, newest))
}

/// The help for a conflict that the cutoff causes.
pub(super) fn help(search: &Search<'_>, conflict: &Conflict) -> Option<String> {
    let dates = search.request.dates.as_ref()?;
    if search.records.left_out.is_empty() {
        return None;
    }
    let records = Records::load(search.solve, search.request, search.repodata, None).ok()?;
    let all = Search {
        records: &records,
        ..*search
    };
    let found = solve(&all, &Attempt::to_explain(&all)).ok()?;
    let mut newer: Vec<&RepoDataRecord> =
        found.iter().filter(|record| !dates.keep(record)).collect();
    newer.sort_by(|a, b| a.package_record.name.cmp(&b.package_record.name));
    // Without a cutoff, everything is as new as it can be. What is not in the conflict need not be.
    let (needed, others): (Vec<_>, Vec<_>) = newer.into_iter().partition(|record| {
        conflict
            .names
            .contains(record.package_record.name.as_normalized())
    });
    let named = if needed.is_empty() { others } else { needed };
    let reasons = named.into_iter().map(|record| why(dates, record));
    Some(format!(
        "`exclude_newer` rules out a solution: {}. {HELP}",
        listed(reasons, MOST)
    ))
}
