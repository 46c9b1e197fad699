//! Loads from repositories what BuildKit does not, apart from the step that builds a package: no code of the repository sees
//! git's login.

use buildkit_llb::Output;

use super::network::PipNetwork;
use crate::environment::Environment;
use crate::step::Step;
use condafront_input::requirements::Repository;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::history::{CommitSpec, GIT_SECRETS, HistorySpec};
use condafront_step_spec::mounts::{FACTS_DIR, OUTPUT_DIR};

impl Environment<'_> {
    /// The step that makes of `clone`, which has the latest commit of the repository at `url`, one with all commits, branches
    /// and tags, and that clone. It runs the git of the image `root`. `label` is the name of the package in messages.
    ///
    /// # Errors
    /// When the URL does not fit into a program's arguments.
    pub(super) fn with_history(
        &self,
        root: &Output,
        clone: &Output,
        label: &str,
        url: &str,
        network: &PipNetwork,
    ) -> Result<(Step, Output), ArgsError> {
        let spec = HistorySpec {
            prefix: self.prefix.path().to_owned(),
            label: label.to_owned(),
            url: url.to_owned(),
        };
        let name = format!("[pip] load the history of {label}");
        let mut step = self.tools.step_in(root, spec.to_args(&[])?, &name);
        let loaded = step.exec().output(OUTPUT_DIR, clone);
        // For the report of a failure, which is not to be in the clone.
        step.output(FACTS_DIR);
        log_in(&mut step, url, network);
        let loaded = step.exec().build()[loaded].clone();
        Ok((step, loaded))
    }

    /// The step that finds the commit whose name starts with the reference of `repository`, and the output with its whole name.
    /// It runs the git of the image `root`. `label` is the name of the package in messages.
    ///
    /// # Errors
    /// When the URL does not fit into a program's arguments.
    pub fn whole_commit(
        &self,
        root: &Output,
        repository: &Repository,
        label: &str,
        network: &PipNetwork,
    ) -> Result<(Step, Output), ArgsError> {
        let url = &repository.url;
        let reference = repository.reference.clone().unwrap_or_default();
        let name = format!("[pip] find the commit {reference} of {label}");
        let spec = CommitSpec {
            prefix: self.prefix.path().to_owned(),
            label: label.to_owned(),
            url: url.clone(),
            reference,
        };
        let mut step = self.tools.step_in(root, spec.to_args(&[])?, &name);
        let found = step.output(FACTS_DIR);
        log_in(&mut step, url, network);
        let found = step.exec().build()[found].clone();
        Ok((step, found))
    }
}

/// Gives `step` the network and the login for the repository at `url`.
fn log_in(step: &mut Step, url: &str, network: &PipNetwork) {
    network.reach(step);
    for secret in GIT_SECRETS {
        step.exec()
            .secret_env(secret.variable, secret.id(url), true);
    }
}
