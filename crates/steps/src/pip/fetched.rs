//! The step that makes the build fetch files before the image is touched, verifies them, and reports their names.
//!
//! A failed download cancels everything that runs in parallel. If BuildKit is merging layers at that moment, the
//! snapshot that it is committing is lost, and each later build that needs it fails ("failed to finalize parent during
//! merge", `cache/refs.go`). So all files are downloaded before the image is requested.

use super::install::verify;
use crate::failure::of_pypi;
use crate::install::{Mounts, write_json};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::pip::{PIP_FETCHED_FILE, PipFetchedSpec};

/// Runs the subcommand `pip-fetched` with `args`.
///
/// # Errors
/// A file with the wrong hash.
pub(crate) fn fetched(args: &[String], mounts: &Mounts) -> Result<(), FailureReport> {
    let (_, files) = PipFetchedSpec::from_args(args)?;
    let paths = of_pypi(verify(&files, mounts))?;
    let names = paths.iter().filter_map(|path| path.file_name());
    let names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    Ok(write_json(&mounts.facts.join(PIP_FETCHED_FILE), &names)?)
}
