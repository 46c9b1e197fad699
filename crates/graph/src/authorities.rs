//! The build's secret with authorities to trust, for steps that reach the network.

use buildkit_llb::{Exec, OpOptions as _, Output, Secret, Tmpfs};

use crate::step::Step;
use crate::tools::Tools;
use condafront_entrypoint::authorities::{DIR, GIVEN_FILE, SECRET};
use condafront_step_spec::authorities::CHECK;
use condafront_step_spec::mounts::FACTS_DIR;

/// Gives an operation the secret, if the build has it. Whether it has is not a part of the cache key: the same files come from
/// a server whoever vouches for it.
pub(crate) fn mount(exec: &mut Exec) {
    // Nothing of it is in the operation's root, except for the mount's own directory, which BuildKit removes.
    exec.mount(Tmpfs::new(DIR));
    // Commands may run as any user, and certificates are public.
    exec.mount(Secret::new(GIVEN_FILE, SECRET).mode(0o444).optional());
}

impl Tools<'_> {
    /// The step that checks whether the secret is what it should be, and its output, which is empty. What it found before does
    /// not count: the secret is no part of its cache key.
    pub fn check_authorities(&self) -> (Output, Step) {
        let mut step = self.step(vec![CHECK.to_owned()], "[internal] check CA_CERTIFICATES");
        let checked = step.output(FACTS_DIR);
        let exec = step.exec();
        mount(exec);
        exec.ignore_cache().export_cache(false);
        let output = exec.build()[checked].clone();
        (output, step)
    }
}
