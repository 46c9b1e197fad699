//! The error about a step that failed.

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

/// What to do if a step has told the frontend nothing, but has printed something.
const READ_LOG: &str =
    "The progress log has what it printed. Build again: the failure may have been temporary.";

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

/// The error of a build of a graph. BuildKit reports a full disk with all arguments of the step that found it.
pub(super) fn solve_error(error: GatewayError) -> BuildError {
    if !messages::is_full_disk(error.message()) {
        return untrusted(&error).map_or_else(|| error.into(), BuildError::from);
    }
    full_disk().caused_by(error).into()
}

/// The error for a lack of space, if that is all that is known.
fn full_disk() -> Diagnostic {
    Diagnostic::new(FULL_DISK).help(FREE_SPACE)
}

/// The same as the report of a step.
pub(super) fn full_disk_report() -> FailureReport {
    FailureReport {
        help: Some(FREE_SPACE.to_owned()),
        ..FailureReport::new(FULL_DISK)
    }
}

/// The message in place of the report of the step `name`, which cannot be read because of `error`.
pub(super) fn unread(name: &str, error: BuildError) -> FailureReport {
    let (why, help) = match error {
        BuildError::Gateway(error) if messages::is_full_disk(error.message()) => {
            return full_disk_report();
        }
        BuildError::Diagnostic(error) => (error.message, error.help),
        error => (masked(&error.to_string()), None),
    };
    FailureReport {
        help: Some(help.unwrap_or_else(|| READ_LOG.to_owned())),
        ..FailureReport::new(format!(
            "the step `{name}` failed, and its report cannot be read: {why}"
        ))
    }
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
            .help(format!("It left no report. {READ_LOG}")),
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
    fn a_report_that_cannot_be_read_is_told_of() {
        let of_disk = "failed to create temp dir: mkdir /tmp/x: no space left on device";
        let error = GatewayError::session(of_disk);
        assert_eq!(unread("[solve] all", error.into()), full_disk_report());
        let solved = solve_error(GatewayError::session(of_disk));
        let told = unread("[solve] all", solved);
        assert_eq!(told.help.as_deref(), Some(FREE_SPACE));
        let told = unread("[solve] all", GatewayError::session("it is a link").into());
        assert_eq!(
            told.message,
            "the step `[solve] all` failed, and its report cannot be read: it is a link"
        );
        assert_eq!(told.help.as_deref(), Some(READ_LOG));
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
