//! MatchSpecs as the solver's requirements: with extras and conditions (<https://conda.org/learn/ceps/cep-0043>,
//! <https://conda.org/learn/ceps/cep-0044>).

use rattler_conda_types::{MatchSpec, MatchSpecCondition, RepoDataRecord};
use rattler_solve::resolvo::{NameType, SolverMatchSpec, extra_version_set};
use resolvo::utils::Pool;
use resolvo::{
    Condition, ConditionId, ConditionalRequirement, LogicalOperator, Requirement, VersionSetId,
};

use super::error::Unsatisfiable;
use super::search::Search;
use condafront_model::prose::listed;

type SolverPool<'a> = Pool<SolverMatchSpec<'a>, NameType>;

/// The requirements of the user's MatchSpecs.
#[derive(Default)]
pub(super) struct Asked {
    /// All of them.
    pub(super) requirements: Vec<ConditionalRequirement>,
    /// Each with the index of its MatchSpec.
    pub(super) sets: Vec<(VersionSetId, usize)>,
}

impl Asked {
    /// The requirements of `specs`.
    pub(super) fn of(pool: &SolverPool<'_>, specs: &[MatchSpec]) -> Self {
        let mut asked = Self::default();
        for (index, spec) in specs.iter().enumerate() {
            let condition = spec.condition.as_ref();
            let condition = condition.and_then(|condition| interned(pool, condition));
            let Some(set) = version_set(pool, spec) else {
                continue;
            };
            let name = spec.name.as_exact();
            let extras = spec.extras.iter().flatten().zip(name.into_iter().cycle());
            let extras =
                extras.map(|(extra, name)| extra_version_set(pool, name.clone(), extra.clone()));
            for set in extras.chain([set]) {
                asked.sets.push((set, index));
                asked.requirements.push(ConditionalRequirement {
                    condition,
                    requirement: Requirement::Single(set),
                });
            }
        }
        asked
    }
}

fn version_set(pool: &SolverPool<'_>, spec: &MatchSpec) -> Option<VersionSetId> {
    let name = pool.intern_package_name(NameType::from(spec.name.as_exact()?));
    Some(pool.intern_version_set(name, spec.clone().into_nameless().1.into()))
}

fn interned(pool: &SolverPool<'_>, condition: &MatchSpecCondition) -> Option<ConditionId> {
    let both = |operator, left: &MatchSpecCondition, right: &MatchSpecCondition| {
        Some(Condition::Binary(
            operator,
            interned(pool, left)?,
            interned(pool, right)?,
        ))
    };
    let condition = match condition {
        MatchSpecCondition::MatchSpec(spec) => Condition::Requirement(version_set(pool, spec)?),
        MatchSpecCondition::And(left, right) => both(LogicalOperator::And, left, right)?,
        MatchSpecCondition::Or(left, right) => both(LogicalOperator::Or, left, right)?,
    };
    Some(pool.intern_condition(condition))
}

/// Checks that the chosen packages have the extras that are asked for: the solver accepts any.
pub(super) fn check_extras(
    search: &Search<'_>,
    found: &[RepoDataRecord],
) -> Result<(), Unsatisfiable> {
    for (index, spec) in search.request.specs.iter().enumerate() {
        let name = spec.name.as_exact();
        let is_its = |record: &&RepoDataRecord| Some(&record.package_record.name) == name;
        let Some(record) = found.iter().find(is_its) else {
            continue;
        };
        let package = &record.package_record;
        let has = |extra: &&String| package.extra_depends.contains_key(*extra);
        let Some(missing) = spec.extras.iter().flatten().find(|extra| !has(extra)) else {
            continue;
        };
        let shown = format!("{} {}", package.name.as_source(), package.version);
        return Err(Unsatisfiable {
            message: format!("{shown} has no extra `{missing}`"),
            helps: vec![if package.extra_depends.is_empty() {
                "It has none: remove the extras, and list the packages that you need.".to_owned()
            } else {
                format!("It has {}.", listed(package.extra_depends.keys(), 10))
            }],
            specs: vec![search.request.for_spec[index]],
            base: false,
        });
    }
    Ok(())
}
