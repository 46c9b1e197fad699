//! Steps on downloaded files. They run right away, and once more if a download failed but a retry of it succeeds.

use super::session::{Session, unexplained};

use std::sync::Arc;

use buildkit_llb::Output;

use crate::gateway::client::Reference;
use crate::gateway::error::BuildError;
use crate::gateway::fetch::fetch_all;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::step::Step;
use condafront_model::source::Diagnostic;
use condafront_model::source::{Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::failure_report::Culprit;

/// Steps, and the files that they need.
pub(super) trait Job {
    /// The graph of the steps.
    type Graph;

    /// The graph, with files downloaded from `addresses`.
    ///
    /// # Errors
    /// When a step's arguments are too long.
    fn graph(&self, addresses: &Addresses) -> Result<Self::Graph, ArgsError>;

    /// The outputs to build, one after the other.
    fn outputs<'g>(&self, graph: &'g Self::Graph) -> Vec<&'g Output>;

    /// The first step whose digest is in `failed`.
    fn failing<'g>(&self, graph: &'g Self::Graph, failed: &[String]) -> Option<&'g Step>;

    /// Where the user asks for what made `step` fail.
    fn location(&self, step: &Step, culprit: &Culprit) -> Option<Location>;

    /// Everything to download.
    fn artifacts(&self) -> Vec<Artifact>;

    /// The file that asks for the artifacts, unless they name another.
    fn file(&self) -> &Arc<SourceFile>;
}

impl Session<'_> {
    /// Runs a job's steps; returns its graph, and the last of its outputs.
    ///
    /// # Errors
    /// Why a step failed, at the lines that are to blame, or which files cannot be downloaded.
    pub(super) async fn fetch_and_run<J: Job>(
        &self,
        job: &J,
        mut addresses: Addresses,
    ) -> Result<(J::Graph, Reference), BuildError> {
        let mut mended = false;
        loop {
            let graph = job.graph(&addresses)?;
            let error = match self.evaluate_all(&job.outputs(&graph)).await {
                Ok(reference) => return Ok((graph, reference)),
                Err(BuildError::Gateway(error)) => error,
                Err(error) => return Err(error),
            };
            if let Some(step) = job.failing(&graph, &error.vertices()) {
                let explained = self.explain(step, |culprit| job.location(step, culprit));
                return Err(match explained.await {
                    Some(explained) => explained,
                    None => unexplained(step, error),
                });
            }
            let artifacts = job.artifacts();
            // The failing operation may belong to another build that downloads the same file from elsewhere: BuildKit
            // joins the two.
            if mended || error.is_cancelled() || artifacts.is_empty() {
                return Err(error.into());
            }
            fetch_all(self.bridge, &artifacts, &mut addresses, job.file()).await?;
            mended = true;
        }
    }

    /// Builds all outputs, at least one.
    async fn evaluate_all(&self, outputs: &[&Output]) -> Result<Reference, BuildError> {
        let mut last = None;
        for output in outputs {
            last = Some(self.evaluate(output).await?);
        }
        last.ok_or_else(|| Diagnostic::new("there is nothing to build").into())
    }
}
