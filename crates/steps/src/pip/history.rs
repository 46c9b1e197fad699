//! Loads the history of a repository: BuildKit itself provides only the latest commit.

use std::io::Write;
use std::path::Path;

use super::git::{ALL, Git};
use crate::install::Mounts;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::history::HistorySpec;

/// What to do about a root without git.
const NO_GIT: &str = "Add git to `build` in the image section, or to `apt`.";

/// Runs the subcommand `git-history` with `args`: loads all commits, branches and tags into the clone. `home` is as for
/// [`Git::find`].
///
/// # Errors
/// A root without git, or a repository that cannot be loaded.
pub(crate) fn load(
    args: &[String],
    mounts: &Mounts,
    home: &Path,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, _) = HistorySpec::from_args(args)?;
    let failed = |reason: &str, help: &str| {
        let label = &spec.label;
        let mut report =
            FailureReport::new(format!("cannot load the history of {label}: {reason}"));
        report.culprits = vec![Culprit::Package(0)];
        report.help = Some(help.to_owned());
        report
    };
    let Some(git) = Git::find(Path::new(&spec.prefix), home, &spec.url)? else {
        return Err(failed("the step that builds it has no git", NO_GIT));
    };
    let mut command = git.command(&mounts.output);
    command
        // Submodules are what the commit says, and may be on other servers.
        .args(["fetch", "--progress", "--force", "--no-recurse-submodules"])
        // BuildKit makes a tag of the branch that is asked for, which the repository does not have.
        .args([ALL, "--prune", "origin"])
        .arg("+refs/heads/*:refs/remotes/origin/*")
        .arg("+refs/tags/*:refs/tags/*");
    let loaded = git.load(command, log)?;
    loaded.map_err(|error| failed(&error.reason, error.help))
}
