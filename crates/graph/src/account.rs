//! The step that creates the image's account and inspects the base.

use buildkit_llb::{Output, Slot};

use super::step::Step;
use super::tools::Tools;
use condafront_step_spec::account::AccountSpec;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{BASE_DIR, FACTS_DIR, OUTPUT_DIR};

/// The step's name if it creates nothing else.
const ACCOUNT: &str = "[base] account";

/// The step's results.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name in the progress and the image's history.
    pub name: String,
    /// The layer with account files and home.
    pub layer: Output,
    /// What it found.
    pub facts: Output,
    /// The step, in case it fails.
    pub step: Step,
}

impl Tools<'_> {
    /// Creates the account that `spec` asks for on the `base`, the working directory and the links.
    ///
    /// # Errors
    /// When the request does not fit into a program's arguments.
    pub fn account(&self, spec: &AccountSpec, base: Option<&Output>) -> Result<Account, ArgsError> {
        let name = match &spec.workdir {
            Some(workdir) => format!("{ACCOUNT}, working directory {workdir}"),
            None => ACCOUNT.to_owned(),
        };
        let mut step = self.step(spec.to_args(&[])?, name.clone());
        if let Some(base) = base {
            step.input(BASE_DIR, base, self.content_cache);
        }
        let layer: Slot = step.output(OUTPUT_DIR);
        let facts: Slot = step.output(FACTS_DIR);
        let built = step.exec().build();
        Ok(Account {
            name,
            layer: built[layer].clone(),
            facts: built[facts].clone(),
            step,
        })
    }
}
