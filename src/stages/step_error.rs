//! What the user is told about a step that failed.

use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::messages::{self, ProcessEnd};
use condafront_graph::step::Step;
use condafront_model::redact::masked;
use condafront_model::source::{Diagnostic, Location};
use condafront_step_spec::failure_report::{Culprit, FailureReport};

/// What a failure for lack of space is about.
const FULL_DISK: &str = "the builder's disk is full";
/// What to do about it.
const FREE_SPACE: &str =
    "Free space on it, for example with `docker builder prune`, and build again.";

/// The error for a step that failed, at the places that are to blame.
pub(super) fn diagnosed(
    report: FailureReport,
    location: impl Fn(&Culprit) -> Option<Location>,
) -> BuildError {
    let mut diagnostic = if messages::fails_for_full_disk(&report.message) {
        Diagnostic::new(format!("{FULL_DISK}: {}", report.message)).help(FREE_SPACE)
    } else {
        let mut diagnostic = Diagnostic::new(report.message);
        diagnostic.help = report.help;
        diagnostic
    };
    for location in report.culprits.iter().filter_map(location) {
        diagnostic = diagnostic.at(&location.file, location.lines);
    }
    diagnostic.into()
}

/// The error of a build of a graph. Of a full disk, BuildKit tells with all arguments of the step that found it.
pub(super) fn solve_error(error: GatewayError) -> BuildError {
    if !messages::is_full_disk(error.message()) {
        return untrusted(&error).map_or_else(|| error.into(), BuildError::from);
    }
    full_disk().caused_by(error).into()
}

/// The error for a lack of space, if that is all that is known.
pub(super) fn full_disk() -> Diagnostic {
    Diagnostic::new(FULL_DISK).help(FREE_SPACE)
}

/// The error of a builder that does not accept a server's certificate.
fn untrusted(error: &GatewayError) -> Option<Diagnostic> {
    let fault = messages::certificate_fault(error.message())?;
    let message = format!("{fault}: {}", masked(error.message()));
    Some(Diagnostic::new(message).help(fault.help_for_builder()))
}

/// The error of a step that failed without a report: BuildKit's own is its command line.
pub(super) fn unexplained(step: &Step, error: GatewayError) -> BuildError {
    match step_failure(step.name(), error.message()) {
        Some(diagnostic) => diagnostic.into(),
        None => error.into(),
    }
}

/// What BuildKit's `message` about the step `name` means; `None` if it is not about the end of its process.
fn step_failure(name: &str, message: &str) -> Option<Diagnostic> {
    Some(match messages::process_end(message)? {
        ProcessEnd::Killed => Diagnostic::new(format!("the step `{name}` was killed"))
            .help("The builder probably ran out of memory. Give it more, or run fewer builds at the same time."),
        ProcessEnd::Code(code) => Diagnostic::new(format!("the step `{name}` failed (exit code {code})"))
            .help("It left no report of why. The progress log has what it printed. Build again: the cause may have passed."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported_without_arguments() {
        let message = "process \"/condafront install {}\" did not complete successfully: no space left on device";
        let error = solve_error(GatewayError::session(message.to_owned()));
        let BuildError::Diagnostic(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.message, "the builder's disk is full");
        let report = FailureReport::new("cannot write /x: No space left on device (os error 28)");
        let BuildError::Diagnostic(told) = diagnosed(report, |_| None) else {
            panic!("not about the user's file");
        };
        assert!(told.message.starts_with("the builder's disk is full: "));
        assert_eq!(told.help, error.help);
        let other = solve_error(GatewayError::session("cannot connect".to_owned()));
        assert!(matches!(other, BuildError::Gateway(_)));
    }

    #[test]
    fn failures_without_a_report_name_the_step_and_not_its_arguments() {
        let process = |end: &str| {
            let message = format!(
                "process \"/condafront solve {{\\\"specs\\\":[]}}\" did not complete successfully: {end}"
            );
            let told = step_failure("[solve] 2 dependencies for linux-64", &message);
            told.map(|diagnostic| diagnostic.message)
        };
        assert_eq!(
            process("exit code: 101").as_deref(),
            Some("the step `[solve] 2 dependencies for linux-64` failed (exit code 101)")
        );
        for end in [
            "exit code: 137",
            "exit code: 137: context canceled",
            "cannot allocate memory",
        ] {
            assert_eq!(
                process(end).as_deref(),
                Some("the step `[solve] 2 dependencies for linux-64` was killed"),
                "{end}"
            );
        }
        assert_eq!(process("context canceled"), None);
        assert_eq!(step_failure("a", "failed to load cache key"), None);
    }
}
