//! Packages of a lock that are newer than its manifest allows.

use std::time::SystemTime;

use rattler_conda_types::{MatchSpec, Matches as _};
use rattler_lock::{CondaBinaryData, CondaPackageData};

use super::{Check, Stale, address};
use crate::lock_terms::CutoffTerm;
use crate::match_spec;
use condafront_model::cutoff::{Cutoff, Limit, day};
use condafront_model::source::Lines;

impl Check<'_> {
    /// A package that is newer than the manifest allows. As in pixi, an age counts from now: what was old enough when the lock was
    /// written still is.
    pub(super) fn too_new(&self, asked: &CutoffTerm, now: SystemTime) -> Option<Stale> {
        let exempt = asked.limits.packages.keys();
        let exempt: Vec<MatchSpec> = exempt.filter_map(|spec| match_spec::parsed(spec)).collect();
        let of_platforms = self.environment.conda_packages_by_platform();
        of_platforms
            .flat_map(|(_, packages)| packages)
            .find_map(|package| {
                let CondaPackageData::Binary(package) = package else {
                    return None;
                };
                let record = &package.package_record;
                let time = record.indexed_timestamp.or(record.timestamp)?;
                let time = Cutoff::at(time.into());
                let (limit, lines) = self.limit(asked, package);
                let cutoff = limit?.latest(now);
                if time <= cutoff || exempt.iter().any(|spec| spec.matches(record)) {
                    return None;
                }
                Some(Stale {
                    what: format!(
                        "has {} {} of {}, which is newer than this line allows",
                        record.name.as_normalized(),
                        record.version,
                        day(time.time())
                    ),
                    lines,
                })
            })
    }

    /// How new a package may be, and the lines that say so.
    fn limit(&self, asked: &CutoffTerm, package: &CondaBinaryData) -> (Option<Limit>, Lines) {
        let limits = &asked.limits;
        let name = package.package_record.name.as_normalized();
        let or_general = |lines: Option<&Lines>| lines.copied().unwrap_or(asked.lines);
        if let Some(limit) = limits.by_name.get(name) {
            return (*limit, or_general(asked.by_name.get(name)));
        }
        let channel = package.channel.as_ref();
        let channel = channel.map(|channel| address(channel.as_str()));
        let channels = self.terms.channels.iter().flat_map(|one| &one.value);
        let index = channels
            .enumerate()
            .find(|(_, one)| Some(*one) == channel.as_ref());
        let index = index.map(|(index, _)| index);
        if let Some((index, limit)) = index.and_then(|index| limits.channels.get_key_value(&index))
        {
            return (*limit, or_general(asked.channels.get(index)));
        }
        (limits.cutoff, asked.lines)
    }
}
