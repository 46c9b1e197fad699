//! The step that has the files fetched and checks them, before anything is done with the image.
//!
//! A download that fails cancels what goes on beside it. BuildKit may not survive that while it puts layers together: the
//! snapshot that it was committing is lost, and each later build that needs it fails ("failed to finalize parent during
//! merge", `cache/refs.go`). So all files are there before the image is asked for.

use super::install::verify;
use crate::install::Mounts;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::pip::{PIP_FETCHED_FILE, PipFetchedSpec};

/// Runs the subcommand `pip-fetched`; `args` are what follows it.
///
/// # Errors
/// A file that is not the one that is wanted.
pub fn fetched(args: &[String], mounts: &Mounts) -> Result<(), FailureReport> {
    let (_, files) = PipFetchedSpec::from_args(args)?;
    let paths = verify(&files, mounts)?;
    let names = paths.iter().filter_map(|path| path.file_name());
    let list: String = names
        .map(|name| format!("{}\n", name.to_string_lossy()))
        .collect();
    std::fs::write(mounts.facts.join(PIP_FETCHED_FILE), list)?;
    Ok(())
}
