//! Loads the history of a repository, apart from the step that builds its package: no code of the repository sees git's login.

use buildkit_llb::Output;

use super::network::PipNetwork;
use crate::environment::Environment;
use crate::step::Step;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::history::{GIT_SECRETS, HistorySpec};
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
        network.reach(&mut step);
        for secret in GIT_SECRETS {
            step.exec()
                .secret_env(secret.variable, secret.id(url), true);
        }
        let loaded = step.exec().build()[loaded].clone();
        Ok((step, loaded))
    }
}
