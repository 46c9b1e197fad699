//! The step that installs packages as editable, so that changes of their sources are seen. It has network, because no lock file
//! lists build dependencies.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use super::build_failure::{self, BUILT};
use super::process;
use crate::child;
use crate::install::{Times, settle};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::{IMAGE_PREFIX_DIR, PipEditSpec};
use condafront_step_spec::pip_variables;

/// Runs the subcommand `pip-edit` with `args`. pip's output goes to `log`.
///
/// # Errors
/// A package that cannot be installed like that, with pip's reason.
pub(crate) fn edit(args: &[String], log: &mut dyn Write) -> Result<(), FailureReport> {
    let (spec, packages) = PipEditSpec::from_args(args)?;
    let prefix = Path::new(&spec.prefix);
    let start = SystemTime::now();
    let before = if spec.has_build_packages {
        Some(Times::of(prefix)?)
    } else {
        None
    };
    let own = packages.iter().flat_map(|package| &package.options);
    let words = spec.options.iter().chain(own);
    let variables: BTreeSet<&str> = words
        .flat_map(|word| pip_variables::variables(word))
        .collect();
    for (index, package) in packages.iter().enumerate() {
        let mut command = process::pip(prefix, None, "install");
        command
            .args(["--no-deps", "--no-compile", "--no-warn-script-location"])
            .arg("--editable")
            .arg(&package.path)
            .args(
                package
                    .options
                    .iter()
                    .chain(&spec.options)
                    .map(|word| pip_variables::with_values(word, |name| std::env::var(name).ok())),
            );
        process::with_network(&mut command, &variables)?;
        let command = process::activated(command, prefix);
        process::run(command, log).map_err(|output| {
            let (reason, help) = match build_failure::find(&output) {
                Some(found) => (found.reason, found.help),
                None => (process::reason(&output), None),
            };
            let doing = format!("install {} as editable", package.label);
            let mut report = process::failure(&doing, &reason);
            report.culprits = vec![Culprit::Package(index)];
            let certificate = process::certificate(&output).map(|(_, help)| help.to_owned());
            let help = certificate.or(report.help).or(help);
            report.help = Some(help.unwrap_or_else(|| BUILT.to_owned()));
            report
        })?;
    }
    child::end_others();
    let Some(before) = before else {
        settle(prefix, start, spec.ownership())?;
        return Ok(());
    };
    let image = Path::new(IMAGE_PREFIX_DIR);
    before.carry_changes(prefix, image)?;
    settle(image, start, spec.ownership())?;
    Ok(())
}
