//! The solve itself: runs rattler's solver on the records that a request may need.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use rattler_conda_types::{
    GenericVirtualPackage, MatchSpec, NamelessMatchSpec, PackageName, ParseMatchSpecOptions,
    RepoDataRecord,
};
use rattler_solve::resolvo::{CondaDependencyProvider, NameType, RepoData, SolverPackageRecord};
use rattler_solve::{ChannelPriority as RattlerPriority, SolveStrategy};
use resolvo::{Problem, Requirement, Solver, UnsolvableOrCancelled, VersionSetId};

use super::conflict::Conflict;
use super::error::{RepodataFault, SolveError};
use super::repodata::Repodata;
use super::unsatisfiable::{Search, Unsatisfiable};
use super::virtual_packages::virtual_packages;
use condafront_model::channel::ChannelPriority;
use condafront_step_spec::solve::SolveSpec;

/// All records that may be relevant, by repodata file.
pub(super) struct Records(Vec<Vec<RepoDataRecord>>);

/// A parsed request.
pub(super) struct Request {
    /// The requested MatchSpecs.
    pub(super) specs: Vec<MatchSpec>,
    /// The packages' names, in the same order.
    pub(super) names: Vec<PackageName>,
    /// For each MatchSpec, the index of the user's MatchSpec that it comes from.
    pub(super) for_spec: Vec<usize>,
    /// What the machine provides.
    pub(super) virtual_packages: Vec<GenericVirtualPackage>,
    priority: ChannelPriority,
}

impl Request {
    /// Parses the MatchSpecs; channels in them must be channels of the request.
    pub(super) fn read(solve: &SolveSpec, repodata: &[Repodata]) -> Result<Self, SolveError> {
        let read: Vec<(PackageName, MatchSpec)> = solve
            .specs
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let wrong = |why: String| SolveError::Spec {
                    spec: index,
                    text: solve.shown(index),
                    why,
                };
                let mut spec = MatchSpec::from_str(text, ParseMatchSpecOptions::strict())
                    .map_err(|error| wrong(error.to_string()))?;
                let Some(name) = spec.name.as_exact().cloned() else {
                    return Err(wrong("it does not name a package".to_owned()));
                };
                if let Some(channel) = &spec.channel {
                    let found = named_channel(solve, channel).ok_or_else(|| {
                        wrong(format!("{} is not one of the channels", channel.name()))
                    })?;
                    let indexed = repodata.iter().find(|data| data.channel == found);
                    spec.channel = indexed.map(|data| Arc::new(data.rattler_channel().clone()));
                }
                Ok((name, spec))
            })
            .collect::<Result<_, _>>()?;
        let mut for_spec: Vec<usize> = (0..read.len()).collect();
        let (mut names, mut specs): (Vec<PackageName>, Vec<MatchSpec>) = read.into_iter().unzip();
        if let Some(python) = names
            .iter()
            .position(|name| name.as_normalized() == "python")
            && let Some(pip) = pip(&names, repodata)
        {
            specs.push(MatchSpec::from(pip.clone()));
            names.push(pip);
            for_spec.push(python);
        }
        Ok(Self {
            for_spec,
            specs,
            names,
            virtual_packages: virtual_packages(&solve.system).map_err(SolveError::Question)?,
            priority: solve.priority,
        })
    }
}

/// pip, which conda and mamba add when python is requested, unless it is requested itself or no channel has it.
fn pip(names: &[PackageName], repodata: &[Repodata]) -> Option<PackageName> {
    let pip = PackageName::new_unchecked("pip");
    let is_there = !names.contains(&pip) && repodata.iter().any(|data| data.has("pip"));
    is_there.then_some(pip)
}

/// The channel that a MatchSpec names.
fn named_channel(solve: &SolveSpec, channel: &rattler_conda_types::Channel) -> Option<usize> {
    let url = channel.base_url.url().as_str().trim_end_matches('/');
    solve.channels.iter().position(|known| known.url == url)
}

impl Records {
    /// Loads the records of the requested packages and of all their possible dependencies.
    pub(super) fn load(
        solve: &SolveSpec,
        request: &Request,
        repodata: &[Repodata],
    ) -> Result<Self, SolveError> {
        let mut records: Vec<Vec<RepoDataRecord>> = repodata.iter().map(|_| Vec::new()).collect();
        let mut seen = HashSet::new();
        let mut pending: VecDeque<PackageName> = request
            .names
            .iter()
            .filter(|name| seen.insert((*name).clone()))
            .cloned()
            .collect();
        while let Some(name) = pending.pop_front() {
            for (data, records) in repodata.iter().zip(&mut records) {
                let found = data.records(&name).map_err(|error| SolveError::Repodata {
                    channel: data.channel,
                    url: format!("{}/{}", solve.channels[data.channel].url, data.subdir()),
                    fault: RepodataFault::Record(error.to_string()),
                })?;
                for mut record in found {
                    // In conda, a package's constraint on itself has no effect.
                    record
                        .package_record
                        .constrains
                        .retain(|text| PackageName::from_matchspec_str_unchecked(text) != name);
                    for dependency in &record.package_record.depends {
                        let name = PackageName::from_matchspec_str_unchecked(dependency);
                        if seen.insert(name.clone()) {
                            pending.push_back(name);
                        }
                    }
                    records.push(record);
                }
            }
        }
        Ok(Self(records))
    }

    /// The records of one package, in channel order.
    pub(super) fn named<'a>(
        &'a self,
        name: &'a PackageName,
    ) -> impl Iterator<Item = &'a RepoDataRecord> {
        let is_named = move |record: &&RepoDataRecord| record.package_record.name == *name;
        self.0.iter().flatten().filter(is_named)
    }
}

/// Runs the solver.
pub(super) fn solve(
    search: &Search<'_>,
    request: &Request,
    records: &Records,
) -> Result<Vec<RepoDataRecord>, SolveError> {
    let files = records.0.iter().zip(search.repodata);
    let data = files.map(|(records, file)| RepoData {
        records: records.iter().collect(),
        multi_channel: search.solve.channels[file.channel].group.as_deref(),
    });
    let priority = match request.priority {
        ChannelPriority::Strict => RattlerPriority::Strict,
        ChannelPriority::Flexible => RattlerPriority::Flexible,
    };
    let provider = CondaDependencyProvider::new(
        data,
        &[],
        &[],
        &request.virtual_packages,
        &request.specs,
        None,
        None,
        priority,
        None,
        SolveStrategy::Highest,
        Vec::new(),
        &HashMap::default(),
    )
    .map_err(|error| SolveError::Question(error.to_string()))?;
    let version_set = |name: &PackageName, spec: NamelessMatchSpec| {
        let name = provider.pool.intern_package_name(NameType::from(name));
        provider.pool.intern_version_set(name, spec.into())
    };
    let asked: Vec<VersionSetId> = request
        .names
        .iter()
        .zip(&request.specs)
        .map(|(name, spec)| version_set(name, spec.clone().into_nameless().1))
        .collect();
    let brought = request
        .virtual_packages
        .iter()
        .map(|package| version_set(&package.name, NamelessMatchSpec::default()));
    let requirements = brought
        .collect::<Vec<_>>()
        .into_iter()
        .chain(asked.iter().copied());
    let problem = Problem::new().requirements(
        requirements
            .map(|set| Requirement::Single(set).into())
            .collect(),
    );
    let mut solver = Solver::new(provider);
    match solver.solve(problem) {
        Ok(chosen) => {
            let pool = &solver.provider().pool;
            let record = |id| match &pool.resolve_solvable(id).record {
                SolverPackageRecord::Record(record) => Some((*record).clone()),
                _ => None,
            };
            Ok(chosen.into_iter().filter_map(record).collect())
        }
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
            let conflict = Conflict::read(&conflict, &solver, &asked);
            Err(Unsatisfiable::new(search, conflict).into())
        }
        Err(UnsolvableOrCancelled::Cancelled(_)) => {
            Err(SolveError::Question("the solve was cancelled".to_owned()))
        }
    }
}
