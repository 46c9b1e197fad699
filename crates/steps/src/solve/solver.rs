//! The solve itself: runs rattler's solver on the records that a request may need.

use std::collections::HashMap;

use rattler_conda_types::{NamelessMatchSpec, PackageName, RepoDataRecord};
use rattler_solve::resolvo::{CondaDependencyProvider, NameType, RepoData, SolverPackageRecord};
use rattler_solve::{ChannelPriority as RattlerPriority, SolveStrategy};
use resolvo::{Problem, Requirement, Solver, UnsolvableOrCancelled, VersionSetId};

use super::conflict::Conflict;
use super::error::SolveError;
use super::unsatisfiable::{Search, explain};
use condafront_model::channel::ChannelPriority;

/// Runs the solver.
pub(super) fn solve(search: &Search<'_>) -> Result<Vec<RepoDataRecord>, SolveError> {
    let request = search.request;
    let files = search.records.0.iter().zip(search.repodata);
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
    )?;
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
            Err(explain(search, conflict).into())
        }
        Err(UnsolvableOrCancelled::Cancelled(_)) => Err(SolveError::Cancelled),
    }
}
