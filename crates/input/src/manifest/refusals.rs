//! What a manifest asks for that only its own tool can do. With a lock that the tool has written, none of it matters.

use super::kind::Tool;
use crate::place::Place;
use condafront_model::lint::{Rule, Warning};
use condafront_model::source::Diagnostic;

/// What stands in the way of a solve, and what is doubtful about one.
pub(super) struct Refusals {
    tool: Tool,
    first: Option<Diagnostic>,
    warnings: Vec<Warning>,
}

impl Refusals {
    pub(super) fn new(tool: Tool) -> Self {
        Self {
            tool,
            first: None,
            warnings: Vec::new(),
        }
    }

    /// Adds what a solve cannot do.
    pub(super) fn refuse(&mut self, place: Place<'_>, message: impl Into<String>) {
        let help = format!(
            "Write the lock with `{}`: a build installs what it lists.",
            self.tool.command()
        );
        self.first
            .get_or_insert_with(|| place.error(message).help(help));
    }

    /// Adds what a solve cannot do, with another way out.
    pub(super) fn refuse_or(&mut self, place: Place<'_>, message: impl Into<String>, way: &str) {
        let help = format!(
            "{way} Or write the lock with `{}`: a build installs what it lists.",
            self.tool.command()
        );
        self.first
            .get_or_insert_with(|| place.error(message).help(help));
    }

    /// Adds what a solve cannot do, as a finished diagnostic.
    pub(super) fn refuse_as(&mut self, error: Diagnostic) {
        self.first.get_or_insert(error);
    }

    /// Adds a package that would have to be built, which is no better with a lock.
    pub(super) fn refuse_source(&mut self, place: Place<'_>, message: impl Into<String>) {
        let help = "Build it, publish it in a channel, and take it from there.";
        self.first
            .get_or_insert_with(|| place.error(message).help(help));
    }

    /// Adds a built package that is not in a channel, which is no better with a lock.
    pub(super) fn refuse_file(&mut self, place: Place<'_>, message: impl Into<String>) {
        let help = "Publish it in a channel, and take it from there.";
        self.first
            .get_or_insert_with(|| place.error(message).help(help));
    }

    /// Adds what has no effect on a solve.
    pub(super) fn warn(&mut self, place: Place<'_>, message: &str, help: &str) {
        self.warnings.push(Warning {
            rule: Rule::Ignored,
            diagnostic: place.error(message).help(help),
        });
    }

    /// The first of the refusals, and all warnings.
    pub(super) fn finish(self) -> (Option<Diagnostic>, Vec<Warning>) {
        (self.first, self.warnings)
    }
}
