//! The solve itself: runs rattler's solver on the records that a request may need.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use rattler_conda_types::{MatchSpec, NamelessMatchSpec, PackageName, RepoDataRecord};
use rattler_solve::resolvo::{CondaDependencyProvider, NameType, RepoData, SolverPackageRecord};
use rattler_solve::{
    ChannelPriority as RattlerPriority, SolveError as RefusedRecords, SolveStrategy,
};
use resolvo::{Problem, Requirement, Solver, UnsolvableOrCancelled};

use super::conflict::Conflict;
use super::error::{RepodataFault, SolveError};
use super::requirements::Asked;
use super::search::Search;
use condafront_model::channel::ChannelPriority;

/// One question to the solver.
pub(super) struct Attempt<'a> {
    /// What must be in the environment.
    pub(super) specs: &'a [MatchSpec],
    /// What the order of the channels means.
    pub(super) priority: ChannelPriority,
    /// The channels by index, highest priority first.
    pub(super) order: Vec<usize>,
    /// How long it may take.
    pub(super) limit: Option<Duration>,
    /// The records that are preferred to all others of their names.
    pub(super) favored: Vec<&'a RepoDataRecord>,
    /// The only records of their names that can be chosen.
    pub(super) pinned: Vec<RepoDataRecord>,
}

/// Why the solver has no answer.
pub(super) enum NoAnswer {
    /// There is no solution.
    Conflict(Conflict),
    /// It failed.
    Failure(SolveError),
}

impl<'a> Attempt<'a> {
    /// What the user asks for.
    pub(super) fn of(search: &Search<'a>) -> Self {
        Self {
            specs: &search.request.specs,
            priority: search.request.priority,
            order: (0..search.solve.channels.len()).collect(),
            limit: None,
            favored: Vec::new(),
            pinned: Vec::new(),
        }
    }

    /// The same, to explain a failure.
    pub(super) fn to_explain(search: &Search<'a>) -> Self {
        /// An explanation is worth a wait, but not an endless one.
        const LIMIT: Duration = Duration::from_secs(10);
        Self {
            limit: Some(LIMIT),
            ..Self::of(search)
        }
    }
}

/// Runs the solver.
pub(super) fn solve(
    search: &Search<'_>,
    attempt: &Attempt<'_>,
) -> Result<Vec<RepoDataRecord>, NoAnswer> {
    let request = search.request;
    let mut files: Vec<_> = search.records.files.iter().zip(search.repodata).collect();
    files.sort_by_key(|(_, file)| {
        let place = attempt
            .order
            .iter()
            .position(|index| *index == file.channel);
        place.unwrap_or(usize::MAX)
    });
    let data = files.into_iter().map(|(records, file)| RepoData {
        records: records.iter().collect(),
        multi_channel: search.solve.channels[file.channel].group.as_deref(),
    });
    let priority = match attempt.priority {
        ChannelPriority::Strict => RattlerPriority::Strict,
        ChannelPriority::Flexible => RattlerPriority::Flexible,
    };
    let provider = CondaDependencyProvider::new(
        data,
        &attempt.favored,
        &attempt.pinned.iter().collect::<Vec<_>>(),
        &request.virtual_packages,
        attempt.specs,
        attempt.limit.map(|limit| SystemTime::now() + limit),
        Some(search.stop.clone()),
        priority,
        None,
        SolveStrategy::Highest,
        Vec::new(),
        &HashMap::default(),
    )
    .map_err(|error| NoAnswer::Failure(refused(search, error)))?;
    let version_set = |name: &PackageName, spec: NamelessMatchSpec| {
        let name = provider.pool.intern_package_name(NameType::from(name));
        provider.pool.intern_version_set(name, spec.into())
    };
    let asked = Asked::of(&provider.pool, attempt.specs);
    let brought = request.virtual_packages.iter().map(|package| {
        let set = version_set(&package.name, NamelessMatchSpec::default());
        Requirement::Single(set).into()
    });
    let requirements = brought.chain(asked.requirements).collect();
    let problem = Problem::new().requirements(requirements);
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
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => Err(NoAnswer::Conflict(
            Conflict::read(&conflict, &solver, &asked.sets),
        )),
        Err(UnsolvableOrCancelled::Cancelled(_)) => Err(NoAnswer::Failure(SolveError::Cancelled)),
    }
}

/// Why the solver refuses the records.
fn refused(search: &Search<'_>, error: RefusedRecords) -> SolveError {
    let RefusedRecords::DuplicateRecords(archive) = &error else {
        return error.into();
    };
    let has_it = |records: &&Vec<RepoDataRecord>| {
        let mut records = records.iter();
        records.any(|record| record.identifier.to_string() == *archive)
    };
    let mut files = search.records.files.iter().zip(search.repodata);
    match files.find(|(records, _)| has_it(records)) {
        Some((_, file)) => SolveError::Repodata {
            channel: file.channel,
            url: format!(
                "{}/{}",
                search.solve.channels[file.channel].url,
                file.subdir()
            ),
            fault: RepodataFault::Twice(archive.clone()),
        },
        None => error.into(),
    }
}
