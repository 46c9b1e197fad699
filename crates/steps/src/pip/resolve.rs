//! The step that asks pip what it would install. It has network, and the image is its root.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use super::list_files::ListFiles;
use super::{build_failure, process, report, resolve_failure};
use crate::install::{Mounts, write_json};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::pip::{PIP_RESOLVED_FILE, PipResolveSpec};
use condafront_step_spec::pip_variables;

/// Where pip writes its report.
const REPORT: &str = "report.json";

/// The script that makes an old pip write it.
const REPORTING: &str = include_str!("report.py");

/// Runs the subcommand `pip-resolve` with `args`. Files for pip go to `work`, and pip's output goes to `log`.
///
/// # Errors
/// A list that pip cannot resolve, with pip's reason.
pub(crate) fn resolve(
    args: &[String],
    mounts: &Mounts,
    work: &Path,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, list) = PipResolveSpec::from_args(args)?;
    fs::create_dir_all(work)?;
    let report_path = work.join(REPORT);
    let files = ListFiles::of(&list, work, &mounts.input)?;
    let prefix = Path::new(&spec.prefix);
    let pip = spec.pip.as_deref();
    let mut command = match pip.filter(|_| spec.cannot_report) {
        Some(pip) => {
            let script = work.join("report.py");
            fs::write(&script, REPORTING)?;
            let words = [script.as_os_str(), pip.as_ref(), report_path.as_os_str()];
            process::pip_as(prefix, &words, "install")
        }
        None => {
            let mut command = process::pip(prefix, pip, "install");
            command.args(["--dry-run", "--report"]).arg(&report_path);
            command
        }
    };
    for file in files.all() {
        fs::write(&file.path, &file.text)?;
        if !file.entries.is_empty() {
            command.arg(file.option).arg(&file.path);
        }
    }
    let variables: BTreeSet<&str> = list
        .iter()
        .flat_map(|entry| pip_variables::variables(&entry.text))
        .collect();
    process::with_network(&mut command, &variables)?;
    // It may build packages to learn what they need.
    let command = process::activated(command, prefix);
    let resolved = match process::run(command, log) {
        Ok(()) => {
            let report = fs::read(&report_path)?;
            Some(report::read(&report, &mounts.input).map_err(FailureReport::new)?)
        }
        // Perhaps it can be built with what the other packages bring.
        Err(output) if spec.is_partial && build_failure::find(&output).is_some() => None,
        Err(output) => {
            let has_own_index = process::has_own_index();
            return Err(resolve_failure::of(
                &output,
                &list,
                &files,
                &mounts.input,
                has_own_index,
            ));
        }
    };
    Ok(write_json(
        &mounts.facts.join(PIP_RESOLVED_FILE),
        &resolved,
    )?)
}
