//! Conditions of dependencies (CEPs 43 to 45).

use rattler_conda_types::{MatchSpec, MatchSpecCondition};

/// Whether a condition holds; `None` if that is not certain. `is_there` says so of one package.
pub(super) fn holds(
    condition: &MatchSpecCondition,
    is_there: &impl Fn(&MatchSpec) -> Option<bool>,
) -> Option<bool> {
    let holds = |condition| holds(condition, is_there);
    match condition {
        MatchSpecCondition::MatchSpec(spec) => is_there(spec),
        MatchSpecCondition::And(a, b) => match (holds(a), holds(b)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        MatchSpecCondition::Or(a, b) => match (holds(a), holds(b)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
    }
}
