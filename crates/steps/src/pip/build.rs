//! The step that builds a wheel from a source archive or a folder. It has network, because no lock file lists build
//! dependencies.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use super::build_failure::{self, BUILT};
use super::install::verify;
use super::process;
use crate::install::Mounts;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::PipBuildSpec;
use condafront_step_spec::pip_variables;

/// Runs the subcommand `pip-build` with `args`. pip's output goes to `log`.
///
/// # Errors
/// A package that cannot be built, with pip's reason.
pub(crate) fn build(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, files) = PipBuildSpec::from_args(args)?;
    let archives = verify(&files, mounts)?;
    let label = files.first().map_or("", |file| &file.label);
    let mut command = process::pip(Path::new(&spec.prefix), spec.pip.as_deref(), "wheel");
    command
        .args(["--no-deps", "--wheel-dir"])
        .arg(&mounts.output)
        .args(&archives)
        .args(
            spec.options
                .iter()
                .map(|word| pip_variables::with_values(word, |name| std::env::var(name).ok())),
        );
    // The earliest time that a zip file can have, so that the result does not depend on the time of the build.
    command.env("SOURCE_DATE_EPOCH", "315532800");
    let words = spec.options.iter();
    let variables: BTreeSet<&str> = words
        .flat_map(|word| pip_variables::variables(word))
        .collect();
    process::with_network(&mut command, &variables)?;
    process::run(command, log).map_err(|output| {
        let (mut reason, help) = match build_failure::find(&output) {
            Some(found) => (found.reason, found.help),
            None => (process::reason(&output), None),
        };
        // Paths inside the build mean nothing to the user.
        for path in &archives {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let shown = if path.is_dir() { "the project" } else { &name };
            let path = path.display();
            reason = reason.replace(&format!("file://{path}"), shown);
            reason = reason.replace(&path.to_string(), shown);
        }
        let mut report = process::failure(&format!("build {label}"), &reason);
        report.culprits = vec![Culprit::Package(0)];
        if let Some((_, help)) = process::certificate(&output) {
            report.help = Some(help.to_owned());
        }
        if report.help.is_none() {
            report.help = Some(help.unwrap_or_else(|| BUILT.to_owned()));
        }
        report
    })
}
