//! Makes pip resolve a list of requirements.

use buildkit_llb::Output;

use super::network::PipNetwork;
use super::packages::PipPackages;
use super::supplied::SuppliedPip;
use crate::downloads::Addresses;
use crate::environment::Environment;
use crate::step::{self, Step};
use condafront_input::requirements::List;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR};
use condafront_step_spec::pip::PipResolveSpec;

/// What pip found for a list.
pub struct PipResolved {
    /// What the step found.
    pub facts: Output,
    /// The step that asks pip.
    step: Step,
}

impl PipResolved {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        step::failing([(&self.facts, &self.step)], failed)
    }
}

impl Environment<'_> {
    /// What pip would install into the image `root` for `list`, whose local packages are `wheels`. Whether `root` has only
    /// what pip itself needs ([`Environment::pip_root`]) is `is_partial`. The pip of `wanted`, fetched from `addresses`, takes
    /// the place of the environment's own, if it has one.
    ///
    /// # Errors
    /// When an entry does not fit into a program's arguments.
    pub fn pip_resolve(
        &self,
        root: &Output,
        list: &List,
        wheels: &[Output],
        network: &PipNetwork,
        is_partial: bool,
        (wanted, addresses): (&PipPackages<'_>, &Addresses),
    ) -> Result<PipResolved, ArgsError> {
        let artifacts = self.pip_artifacts(wanted);
        let supplied = SuppliedPip::new(0, &artifacts, addresses, self.tools.content_cache);
        let spec = PipResolveSpec {
            prefix: self.prefix.path().to_owned(),
            pip: supplied.as_ref().map(SuppliedPip::path),
            cannot_report: wanted.cannot_report(),
            is_partial,
        };
        let entries = list.for_step(network.is_folder());
        let name = "[pip] resolve the requirements";
        let mut step = self.tools.step_in(root, spec.to_args(&entries)?, name);
        step.concerns(&(0..entries.len()).collect::<Vec<_>>());
        for (index, wheel) in wheels.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), wheel, false);
        }
        if let Some(supplied) = &supplied {
            supplied.mount(&mut step, self.tools.no_cache);
        }
        network.open(&mut step);
        let facts = step.output(FACTS_DIR);
        let facts = step.exec().build()[facts].clone();
        Ok(PipResolved { facts, step })
    }
}
