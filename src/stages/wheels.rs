//! Links wheels into layers of their own, where pip is not needed.

use super::fetching::Job;
use super::linked::Linked;
use super::notices;
use super::pip_jobs::{Files, check_addresses};

use std::sync::Arc;

use buildkit_llb::{Input, Output};

use crate::gateway::error::BuildError;
use crate::inventory::Component;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::environment::Environment;
use condafront_graph::image::{Stack, Stacking};
use condafront_graph::install::InstallGraph;
use condafront_graph::pip::{ADD_WHEELS, PipPackages, WheelGraph};
use condafront_graph::plan::wheels::WheelPlan;
use condafront_graph::step::Step;
use condafront_model::layers::Layers;
use condafront_model::lint::Warning;
use condafront_model::source::{Location, SourceFile};
use condafront_step_spec::account::{LinkedDirectory, User};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::facts::{EnvironmentFacts, FACTS_FILE, Notice};
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::solve::Glibc;

/// What the layers of wheels depend on, besides the environment.
pub(super) struct WheelGround {
    /// How layers are stacked.
    pub(super) stacking: Stacking,
    /// The base image's links in the way of layers.
    pub(super) links: Vec<LinkedDirectory>,
    /// How many layers the wheels of an environment may have.
    pub(super) layers: Layers,
    /// The C library that packages can rely on.
    pub(super) glibc: Glibc,
    /// The image's user.
    pub(super) user: User,
}

/// An image with linked wheels.
pub(super) struct LinkedWheels {
    /// The image.
    pub(super) root: Output,
    /// The new layers.
    pub(super) layers: Stack,
    /// The output of the step that the frontend reads.
    pub(super) facts: Output,
    /// The wheels.
    pub(super) components: Vec<Component>,
}

impl Linked<'_> {
    /// Links `files` on top of the image `root`; `None` if pip must install them.
    ///
    /// # Errors
    /// Wheels that cannot be downloaded or linked, at their lines.
    pub(super) async fn link_wheels(
        &self,
        root: &Output,
        files: &Files,
        ground: &WheelGround,
    ) -> Result<Option<LinkedWheels>, BuildError> {
        let (session, environment) = (&self.session, &self.environment);
        let own = files.own_wheels();
        let plan = environment.wheel_plan(
            &files.packages,
            &own,
            &self.facts,
            session.platform,
            Some(&ground.glibc),
            ground.layers,
        );
        let Some(plan) = plan else {
            return Ok(None);
        };
        let wanted = environment
            .wheels(&files.packages, &session.settings.mirrors)?
            .with_wheels(own);
        let addresses = session.pip_addresses(wanted.fetched()).await?;
        check_addresses(&files.packages, &addresses, &self.file.file)?;
        let linking = Linking {
            environment,
            conda: &self.graph,
            file: &self.file.file,
            wanted,
            plan,
            files,
        };
        let (graph, reference) = session.fetch_and_run(&linking, addresses).await?;
        let facts: EnvironmentFacts = session.read_json(&reference, FACTS_FILE).await?;
        // pip says what is wrong, or that nothing is.
        if !environment.runs_all(&facts) {
            return Ok(None);
        }
        let notices = facts.notices.iter();
        let new = notices.filter(|notice| !self.facts.notices.contains(notice));
        let new: Vec<Warning> = new.map(|notice| linking.warning(notice)).collect();
        session.warn(&new).await?;
        let stack = environment.stack_wheels(&graph, &facts, &self.facts)?;
        let stack = stack.prefix_through(&ground.links, &environment.tools);
        let name = environment.tools.title(ADD_WHEELS);
        let Input::Output(root) = stack.on(&root.into(), ground.stacking, &name) else {
            return Ok(None);
        };
        let layers = graph.layer_names(&linking.plan);
        let components = files.components().zip(&layers);
        let components = components.map(|(wheel, layer)| wheel.in_layer(layer));
        Ok(Some(LinkedWheels {
            root,
            layers: stack,
            components: components.collect(),
            facts: graph.facts,
        }))
    }
}

/// The job that links wheels.
struct Linking<'a> {
    environment: &'a Environment<'a>,
    conda: &'a InstallGraph,
    file: &'a Arc<SourceFile>,
    wanted: PipPackages<'a>,
    plan: WheelPlan,
    files: &'a Files,
}

impl Linking<'_> {
    /// Where the package at `index` is asked for: conda packages come first, then the wheels.
    fn place(&self, index: usize) -> Option<Location> {
        let conda = &self.environment.plan.packages;
        match index.checked_sub(conda.len()) {
            None => Some(Location {
                file: Arc::clone(self.file),
                lines: conda.get(index)?.lines,
            }),
            Some(index) => self.files.place(index, self.file),
        }
    }

    /// A notice as a warning at the package's place. The facts have the wheels in the order of the plan.
    fn warning(&self, notice: &Notice) -> Warning {
        let first = self.environment.plan.packages.len();
        notices::warning(notice, |index| {
            let index = match index.checked_sub(first) {
                None => index,
                Some(position) => first + self.plan.order.get(position)?,
            };
            self.place(index)
        })
    }
}

impl Job for Linking<'_> {
    type Graph = WheelGraph;

    fn graph(&self, addresses: &Addresses) -> Result<WheelGraph, ArgsError> {
        self.environment
            .link_wheels(self.conda, &self.wanted, &self.plan, addresses)
    }

    fn outputs<'g>(&self, graph: &'g WheelGraph) -> Vec<&'g Output> {
        vec![&graph.facts]
    }

    fn failing<'g>(&self, graph: &'g WheelGraph, failed: &[String]) -> Option<&'g Step> {
        graph.failing(failed)
    }

    fn location(&self, step: &Step, culprit: &Culprit) -> Option<Location> {
        match culprit {
            Culprit::Package(index) => self.place(step.package(*index)?),
            _ => None,
        }
    }

    fn artifacts(&self) -> Vec<Artifact> {
        self.environment.pip_artifacts(&self.wanted)
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }
}
