//! The records that a request may need.

use std::collections::{HashSet, VecDeque};
use std::thread;

use rattler_conda_types::{PackageName, RepoDataRecord};

use super::dates::Dates;
use super::error::{RepodataFault, SolveError};
use super::repodata::Repodata;
use super::request::Request;
use condafront_step_spec::solve::SolveSpec;

/// All records that may be relevant.
pub(super) struct Records {
    /// Those that can be chosen, by repodata file.
    pub(super) files: Vec<Vec<RepoDataRecord>>,
    /// Those that are too new. What only they depend on is not among the others.
    pub(super) left_out: Vec<RepoDataRecord>,
}

impl Records {
    /// Loads the records of the requested packages and of all their possible dependencies, without those that `dates`
    /// leave out.
    pub(super) fn load(
        solve: &SolveSpec,
        request: &Request,
        repodata: &[Repodata],
        dates: Option<&Dates>,
    ) -> Result<Self, SolveError> {
        let mut left_out = Vec::new();
        let mut records: Vec<Vec<RepoDataRecord>> = repodata.iter().map(|_| Vec::new()).collect();
        let url =
            |data: &Repodata| format!("{}/{}", solve.channels[data.channel].url, data.subdir());
        let mut seen = HashSet::new();
        let mut pending: VecDeque<PackageName> = request
            .names
            .iter()
            .filter(|name| seen.insert((*name).clone()))
            .cloned()
            .collect();
        let mut known = 0;
        while let Some(name) = pending.pop_front() {
            if known == 0 {
                // What must be downloaded for all names that are known so far is downloaded at once.
                let names: Vec<PackageName> =
                    std::iter::once(&name).chain(&pending).cloned().collect();
                thread::scope(|scope| {
                    for data in repodata {
                        scope.spawn(|| data.prepare(&names));
                    }
                });
                known = names.len();
            }
            known -= 1;
            for (data, records) in repodata.iter().zip(&mut records) {
                let found = data.records(&name).map_err(|error| SolveError::Repodata {
                    channel: data.channel,
                    url: url(data),
                    fault: RepodataFault::Record(error),
                })?;
                for mut record in found {
                    if dates.is_some_and(|dates| !dates.keep(&record)) {
                        left_out.push(record);
                        continue;
                    }
                    check(&record).map_err(|fault| SolveError::Repodata {
                        channel: data.channel,
                        url: url(data),
                        fault,
                    })?;
                    // In conda, a package's constraint on itself has no effect.
                    record
                        .package_record
                        .constrains
                        .retain(|text| PackageName::from_matchspec_str_unchecked(text) != name);
                    let package = &record.package_record;
                    let of_extras = package.extra_depends.values().flatten();
                    for dependency in package.depends.iter().chain(of_extras) {
                        let name = PackageName::from_matchspec_str_unchecked(dependency);
                        if seen.insert(name.clone()) {
                            pending.push_back(name);
                        }
                    }
                    records.push(record);
                }
            }
        }
        Ok(Self {
            files: records,
            left_out,
        })
    }

    /// The records of one package, in channel order.
    pub(super) fn named<'a>(
        &'a self,
        name: &'a PackageName,
    ) -> impl Iterator<Item = &'a RepoDataRecord> {
        let is_named = move |record: &&RepoDataRecord| record.package_record.name == *name;
        self.files.iter().flatten().filter(is_named)
    }
}

/// Checks that the MatchSpecs of a record are not too long. Reading one takes time that grows with the square of its length,
/// and memory that grows with its parentheses.
fn check(record: &RepoDataRecord) -> Result<(), RepodataFault> {
    const LONGEST: usize = 4096;
    const MOST_PARENTHESES: usize = 100;
    let package = &record.package_record;
    let mut specs = package
        .depends
        .iter()
        .chain(&package.constrains)
        .chain(package.extra_depends.values().flatten());
    let is_too_long = |spec: &&String| {
        spec.len() > LONGEST || spec.bytes().filter(|c| *c == b'(').count() > MOST_PARENTHESES
    };
    if specs.any(|spec| is_too_long(&spec)) {
        return Err(RepodataFault::LongDependency {
            package: record.identifier.to_string(),
            longest: LONGEST,
            parentheses: MOST_PARENTHESES,
        });
    }
    Ok(())
}
