//! Turns the solver's records into the answer: by name, each with the MatchSpec that it is installed for.

use std::collections::{HashMap, HashSet, VecDeque};

use rattler_conda_types::{NoArchKind, PackageName, PackageRecord, RepoDataRecord};

use super::repodata::Repodata;
use super::request::Request;
use condafront_step_spec::solve::{Details, SolvedPackage};

/// Builds the answer, for the first `own` MatchSpecs if it is not for all.
pub(super) fn answer(
    request: &Request,
    repodata: &[Repodata],
    mut records: Vec<RepoDataRecord>,
    own: Option<usize>,
) -> Vec<SolvedPackage> {
    if let Some(own) = own {
        let needed = needed(request, &records, own);
        records.retain(|record| needed.contains(&record.package_record.name));
    }
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
                details: details(&record.package_record),
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

/// What else a lock says.
fn details(record: &PackageRecord) -> Details {
    Details {
        build_number: record.build_number,
        constrains: record.constrains.clone(),
        license_family: record.license_family.clone(),
        noarch: match record.noarch.kind() {
            Some(NoArchKind::Python) => Some("python".to_owned()),
            Some(NoArchKind::Generic) => Some("generic".to_owned()),
            None => None,
        },
        python_site_packages_path: record.python_site_packages_path.clone(),
        timestamp: record
            .timestamp
            .map(|time| time.jiff_timestamp().as_millisecond()),
        track_features: record.track_features.clone(),
    }
}

/// The packages that the first `own` MatchSpecs ask for, and what these need.
fn needed(request: &Request, records: &[RepoDataRecord], own: usize) -> HashSet<PackageName> {
    let by_name = by_name(records);
    let asked = request.asked().filter(|(_, index)| *index < own);
    let mut pending: VecDeque<PackageName> = asked.map(|(name, _)| name.clone()).collect();
    let mut found = HashSet::new();
    while let Some(name) = pending.pop_front() {
        if let Some(record) = by_name.get(&name)
            && found.insert(name)
        {
            pending.extend(depends(record));
        }
    }
    found
}

fn by_name(records: &[RepoDataRecord]) -> HashMap<&PackageName, &RepoDataRecord> {
    let named = records.iter();
    named
        .map(|record| (&record.package_record.name, record))
        .collect()
}

/// The names of the packages that a package may need.
fn depends(record: &RepoDataRecord) -> impl Iterator<Item = PackageName> {
    let package = &record.package_record;
    let of_extras = package.extra_depends.values().flatten();
    let all = package.depends.iter().chain(of_extras);
    all.map(|text| PackageName::from_matchspec_str_unchecked(text))
}

/// For each package, the MatchSpec that asks for it; for a dependency, the first MatchSpec that needs it.
fn requested_by(request: &Request, records: &[RepoDataRecord]) -> HashMap<PackageName, usize> {
    let by_name = by_name(records);
    let mut found = HashMap::new();
    for (name, index) in request.asked() {
        found.entry(name.clone()).or_insert(index);
    }
    for (name, index) in request.asked() {
        let mut pending = VecDeque::from([name.clone()]);
        while let Some(name) = pending.pop_front() {
            for needed in by_name
                .get(&name)
                .into_iter()
                .flat_map(|record| depends(record))
            {
                if by_name.contains_key(&needed) && !found.contains_key(&needed) {
                    found.insert(needed.clone(), index);
                    pending.push_back(needed);
                }
            }
        }
    }
    found
}
