//! The step that tries an image as a platform starts it.

use buildkit_llb::Output;

use crate::step::Step;
use crate::tools::Tools;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::FACTS_DIR;
use condafront_step_spec::prove::ProveSpec;

/// Whether containers can write to their own file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootAccess {
    /// They can. What the step writes is discarded.
    Writable,
    /// They cannot.
    ReadOnly,
}

impl Tools<'_> {
    /// Tries the image `root` with the variables `env`; `platform` is the one it is tried for.
    ///
    /// # Errors
    /// When the variables do not fit into a program's arguments.
    pub fn prove(
        &self,
        root: &Output,
        access: RootAccess,
        platform: &str,
        spec: &ProveSpec,
        env: &[(String, String)],
    ) -> Result<(Output, Step), ArgsError> {
        let name = format!("[for] try the image as {platform} does");
        let mut step = self.step_in(root, spec.to_args(env)?, name);
        if access == RootAccess::Writable {
            step.discard_changes();
        }
        let facts = step.output(FACTS_DIR);
        Ok((step.exec().build()[facts].clone(), step))
    }
}
