//! Mistakes in extras, flags and conditions.

use rattler_conda_types::MatchSpecCondition;

use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// How conditions are written.
const CONDITION: &str = "Write names and versions there, joined with `and` and `or`: [when='python >=3.12 and __cuda'].";

/// The mistake in `text`, if `error`, the message of the parser, is about one of these.
pub(super) fn refused(text: &str, error: &str) -> Option<Mistake> {
    let shown = quoted(text);
    if error.starts_with("could not parse condition") {
        return Some(Mistake::new(
            format!("`{shown}` has a condition that cannot be read"),
            CONDITION,
        ));
    }
    if error.starts_with("invalid extras group name") {
        return Some(Mistake::new(
            format!("`{shown}` has an invalid extra"),
            "Write lower-case letters, digits, `.`, `_`, `+` or `-`: pandas[extras=[plot]].",
        ));
    }
    if error.starts_with("invalid flag matcher") {
        return Some(Mistake::new(
            format!("`{shown}` has an invalid flag"),
            "Write lower-case letters, digits or `_`, with one colon at most: numpy[flags=['blas:mkl']].",
        ));
    }
    if let Some((_, condition)) = text.split_once("; if ") {
        return Some(Mistake::new(
            format!("`{shown}` has its condition after a semicolon"),
            format!(
                "Write {}.",
                quoted(&format!(
                    "{}[when='{}']",
                    text.split(';').next().unwrap_or_default().trim_end(),
                    condition.trim()
                ))
            ),
        ));
    }
    None
}

/// The mistake in the condition of `text`, which is valid.
pub(super) fn condition(text: &str, condition: &MatchSpecCondition) -> Option<Mistake> {
    let what = beyond_a_condition(condition)?;
    Some(Mistake::new(
        format!("`{}` has {what} in its condition", quoted(text)),
        CONDITION,
    ))
}

/// What a condition has that none can have.
fn beyond_a_condition(condition: &MatchSpecCondition) -> Option<&'static str> {
    match condition {
        MatchSpecCondition::And(left, right) | MatchSpecCondition::Or(left, right) => {
            beyond_a_condition(left).or_else(|| beyond_a_condition(right))
        }
        MatchSpecCondition::MatchSpec(spec) if spec.condition.is_some() => Some("a condition"),
        MatchSpecCondition::MatchSpec(spec) if spec.extras.is_some() => Some("extras"),
        MatchSpecCondition::MatchSpec(spec) if spec.channel.is_some() => Some("a channel"),
        MatchSpecCondition::MatchSpec(spec) if spec.url.is_some() => Some("an address"),
        MatchSpecCondition::MatchSpec(_) => None,
    }
}
