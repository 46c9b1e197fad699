//! What can be wrong with strings with variables, and the limits that errors name.

/// How deep variables can be nested.
pub(super) const MAX_DEPTH: usize = 20;

/// The longest value, in bytes.
pub(super) const MAX_LENGTH: usize = 1 << 20;

/// The longest pattern, in characters.
pub(super) const MAX_PATTERN: usize = 100;

/// The longest text that is matched with a pattern, in characters.
pub(super) const MAX_TEXT: usize = 1000;

/// Why a string with variables cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// `${` without an end.
    #[error("`${{` has no closing `}}`")]
    Unclosed,
    /// `${}`, `${1}`.
    #[error("`${{` is not followed by a name")]
    NoName,
    /// `${NAME!}`.
    #[error("`${{{0}…}}` is not a valid form of a build-arg")]
    Form(String),
    /// `$(command)`.
    #[error("only a shell can run a command")]
    Command,
    /// `$1`, `$$`.
    #[error("only a shell has `${0}`")]
    Parameter(String),
    /// `${A:-${B:-…}}`, nested too deep.
    #[error("variables are nested more than {} deep", MAX_DEPTH)]
    TooDeep,
    /// A name without a value.
    #[error("build-arg {0} is not set")]
    Unset(String),
    /// `${NAME:?message}`.
    #[error("build-arg {0} is required{colon}{1}", colon = if .1.is_empty() { "" } else { ": " })]
    Required(String, String),
    /// A result that is too long.
    #[error("the expanded value is longer than {} MiB", MAX_LENGTH >> 20)]
    TooLong,
    /// A pattern that would take too long to match.
    #[error("the pattern for {0} is longer than {max} characters", max = MAX_PATTERN)]
    PatternTooLong(String),
    /// A value that would take too long to match.
    #[error("the value of {0} is longer than {max} characters, too long for a pattern", max = MAX_TEXT)]
    ValueTooLong(String),
}
