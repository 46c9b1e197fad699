//! Makes pip resolve a list of requirements.

use buildkit_llb::Output;

use super::metadata::Beside;
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
    /// The step that asks pip, after one that hands something over to it, each with an output.
    steps: Vec<(Output, Step)>,
}

impl PipResolved {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        step::failing_of(&self.steps, failed)
    }
}

impl Environment<'_> {
    /// What pip would install into the image `root` for `list`, whose local packages are `wheels`, if there are the packages
    /// `beside` it. The pip of `wanted`, fetched from `addresses`, takes the place of the environment's own, if it has one.
    ///
    /// # Errors
    /// When an entry does not fit into a program's arguments.
    pub fn pip_resolve(
        &self,
        root: &Output,
        list: &List,
        wheels: &[Output],
        network: &PipNetwork,
        beside: &Beside,
        (wanted, addresses): (&PipPackages<'_>, &Addresses),
    ) -> Result<PipResolved, ArgsError> {
        let artifacts = self.pip_artifacts(wanted);
        let supplied = SuppliedPip::new(0, &artifacts, addresses, self.tools.content_cache);
        let spec = PipResolveSpec {
            prefix: self.prefix.path().to_owned(),
            pip: supplied.as_ref().map(SuppliedPip::path),
            cannot_report: wanted.cannot_report(),
            is_partial: *beside != Beside::Nothing,
        };
        let entries = list.for_step(network.is_folder());
        let name = "[pip] resolve the requirements";
        let mut step = self.tools.step_in(root, spec.to_args(&entries)?, name);
        step.concerns(&(0..entries.len()).collect::<Vec<_>>());
        if let Some(supplied) = &supplied {
            supplied.mount(&mut step, self.tools.no_cache);
        }
        network.open(&mut step);
        let facts = step.output(FACTS_DIR);
        let mut steps = Vec::new();
        steps.extend(self.show_metadata(&mut step, facts, beside, wheels)?);
        for (index, wheel) in wheels.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), wheel, false);
        }
        let facts = step.exec().build()[facts].clone();
        steps.push((facts.clone(), step));
        Ok(PipResolved { facts, steps })
    }
}
