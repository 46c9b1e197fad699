//! Downloads and links packages, and reads the facts about them.

use super::fetching::Job;
use super::session::Session;

use std::sync::Arc;

use buildkit_llb::{Input, Output};

use crate::gateway::error::BuildError;
use crate::options::inputs::MICROMAMBA;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::environment::{Environment, Micromamba};
use condafront_graph::install::InstallGraph;
use condafront_graph::plan::micromamba;
use condafront_graph::step::Step;
use condafront_model::source::{Diagnostic, Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::facts::{EnvironmentFacts, FACTS_FILE};
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::install::Installer;

impl Session<'_> {
    /// Downloads and links all packages, and reads the facts about them.
    pub(super) async fn install(
        &self,
        environment: &Environment<'_>,
    ) -> Result<(InstallGraph, EnvironmentFacts), BuildError> {
        let addresses = self.addresses(environment.fetched()).await?;
        // The installer has no line in the file.
        let in_file = environment.plan.packages.iter();
        let lines = in_file.map(|package| Some(package.lines));
        self.check_recorded(&addresses, lines)?;
        let linking = Linking {
            environment,
            file: self.file,
        };
        let (graph, reference) = self.fetch_and_run(&linking, addresses).await?;
        let facts = self.read_json(&reference, FACTS_FILE).await?;
        Ok((graph, facts))
    }

    /// The micromamba for the session's platform, if it is the installer: the named context `micromamba`, or
    /// conda-forge's package.
    pub(super) async fn micromamba(
        &self,
        installer: Installer,
    ) -> Result<Option<Micromamba>, BuildError> {
        if installer == Installer::Native {
            return Ok(None);
        }
        if let Some(found) = self.finder().named(MICROMAMBA).await? {
            return match found.state {
                Input::Output(from) => Ok(Some(Micromamba::Given {
                    from,
                    pinned: found.pinned,
                })),
                Input::Scratch => {
                    Err(Diagnostic::new("the named context micromamba is empty").into())
                }
            };
        }
        let package = micromamba::package(&self.settings.micromamba, self.platform)?;
        let warning = micromamba::warning(&package, &self.settings.micromamba);
        self.warn(warning.as_slice()).await?;
        Ok(Some(Micromamba::Package(Box::new(package))))
    }
}

/// The job that links packages.
struct Linking<'a> {
    environment: &'a Environment<'a>,
    file: &'a Arc<SourceFile>,
}

impl Job for Linking<'_> {
    type Graph = InstallGraph;

    fn graph(&self, addresses: &Addresses) -> Result<InstallGraph, ArgsError> {
        self.environment.install(addresses)
    }

    fn outputs<'g>(&self, graph: &'g InstallGraph) -> Vec<&'g Output> {
        vec![&graph.facts]
    }

    fn failing<'g>(&self, graph: &'g InstallGraph, failed: &[String]) -> Option<&'g Step> {
        graph.failing(failed)
    }

    fn location(&self, step: &Step, culprit: &Culprit) -> Option<Location> {
        Some(Location {
            file: Arc::clone(self.file),
            lines: self.environment.lines(step, culprit)?,
        })
    }

    fn artifacts(&self) -> Vec<Artifact> {
        self.environment.artifacts()
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }
}
