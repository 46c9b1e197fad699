//! Has pip resolve a list of requirements.

use buildkit_llb::Output;

use super::network::PipNetwork;
use super::wheel::Wheel;
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
    /// The steps that may fail, each with one of its outputs.
    steps: Vec<(Output, Step)>,
}

impl PipResolved {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        let steps = self.steps.iter().map(|(output, step)| (output, step));
        step::failing(steps, failed)
    }
}

impl Environment<'_> {
    /// What pip would install into the image `root` for `list`, whose local packages are `wheels`. Whether `root` has only
    /// what pip itself needs ([`Environment::pip_root`]) is `is_partial`.
    ///
    /// # Errors
    /// When an entry does not fit into a program's arguments.
    pub fn pip_resolve(
        &self,
        root: &Output,
        list: &List,
        wheels: &[Wheel],
        network: &PipNetwork,
        is_partial: bool,
    ) -> Result<PipResolved, ArgsError> {
        let spec = PipResolveSpec {
            prefix: self.prefix.path().to_owned(),
            is_partial,
        };
        let entries = list.for_step(network.is_folder());
        let name = "[pip] resolve the requirements";
        let mut step = self.tools.step_in(root, spec.to_args(&entries)?, name);
        step.concerns(&(0..entries.len()).collect::<Vec<_>>());
        let mut steps = Vec::new();
        for (index, wheel) in wheels.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), &wheel.output, false);
            let made = wheel.step.clone();
            steps.extend(made.map(|made| (wheel.output.clone(), made)));
        }
        network.open(&mut step);
        let facts = step.output(FACTS_DIR);
        let facts = step.exec().build()[facts].clone();
        steps.push((facts.clone(), step));
        Ok(PipResolved { facts, steps })
    }
}
