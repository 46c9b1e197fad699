//! Turns the solver's records into the answer: by name, each with the MatchSpec that it is installed for.

use std::collections::{HashMap, VecDeque};

use rattler_conda_types::{PackageName, RepoDataRecord};

use super::repodata::Repodata;
use super::request::Request;
use condafront_step_spec::solve::SolvedPackage;

/// Builds the answer.
pub(super) fn answer(
    request: &Request,
    repodata: &[Repodata],
    mut records: Vec<RepoDataRecord>,
) -> Vec<SolvedPackage> {
    let requested_by = requested_by(request, &records);
    records.sort_by(|a, b| a.package_record.name.cmp(&b.package_record.name));
    records
        .into_iter()
        .map(|record| {
            let name = &record.package_record.name;
            let channel = repodata.iter().find(|data| {
                record.channel.as_deref() == Some(data.rattler_channel().canonical_name().as_str())
            });
            SolvedPackage {
                channel: channel.map_or(0, |data| data.channel),
                requested_by: requested_by.get(name).copied().unwrap_or(0),
                url: record.url.to_string(),
                name: name.as_normalized().to_owned(),
                version: record.package_record.version.to_string(),
                build: record.package_record.build.to_string(),
                subdir: record.package_record.subdir,
                sha256: record.package_record.sha256.map(hex::encode),
                md5: record.package_record.md5.map(hex::encode),
                size: record.package_record.size,
                license: record.package_record.license,
                depends: record.package_record.depends,
            }
        })
        .collect()
}

/// For each package, the MatchSpec that asks for it; for a dependency, the first MatchSpec that needs it.
fn requested_by(request: &Request, records: &[RepoDataRecord]) -> HashMap<PackageName, usize> {
    let by_name: HashMap<&PackageName, &RepoDataRecord> = records
        .iter()
        .map(|record| (&record.package_record.name, record))
        .collect();
    let mut found = HashMap::new();
    let asked = || request.names.iter().zip(&request.for_spec);
    for (name, index) in asked() {
        found.entry(name.clone()).or_insert(*index);
    }
    for (name, index) in asked() {
        let mut pending = VecDeque::from([name.clone()]);
        while let Some(name) = pending.pop_front() {
            let package = by_name.get(&name).map(|record| &record.package_record);
            let depends = package.into_iter().flat_map(|package| {
                let of_extras = package.extra_depends.values().flatten();
                package.depends.iter().chain(of_extras)
            });
            for dependency in depends {
                let needed = PackageName::from_matchspec_str_unchecked(dependency);
                if by_name.contains_key(&needed) && !found.contains_key(&needed) {
                    found.insert(needed.clone(), *index);
                    pending.push_back(needed);
                }
            }
        }
    }
    found
}
