//! The step that checks the build's secret with authorities.

/// Its subcommand; it takes no arguments.
pub const CHECK: &str = "check-authorities";
