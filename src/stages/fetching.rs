//! Steps on downloaded files. They run right away, and again if a download failed, or brought the wrong file, but a retry of
//! it succeeds.

use super::session::{Explanation, Session};
use super::step_error::{diagnosed, unexplained};

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;

use buildkit_llb::Output;
use tokio::time::Instant;

use crate::fetch_failure::Failure;
use crate::gateway::error::BuildError;
use crate::gateway::fetch::{Patience, fetch_all};
use crate::gateway::solving::Reference;
use crate::gateway::tries::Tries;
use condafront_graph::downloads::{Address, Addresses, Artifact};
use condafront_graph::step::Step;
use condafront_model::source::Diagnostic;
use condafront_model::source::{Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::failure_report::{Culprit, FailureReport};

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

    /// Whether the step failed for a reason that does not count, and [`graph`](Self::graph) has different steps from now on.
    fn takes_another_way(&self, _report: &FailureReport) -> bool {
        false
    }

    /// Everything to download.
    fn artifacts(&self) -> Vec<Artifact>;

    /// The file that asks for the artifacts, unless they name another.
    fn file(&self) -> &Arc<SourceFile>;
}

/// Downloads without a sha256 whose content a step refused, by a key of the caller's.
pub(super) struct Spoiled<K> {
    tries: BTreeMap<K, Tries>,
}

impl<K> Default for Spoiled<K> {
    fn default() -> Self {
        Self {
            tries: BTreeMap::new(),
        }
    }
}

impl<K: Ord> Spoiled<K> {
    /// Where to download an artifact from after a step's `report` that it is not the right file; `None` if no try is left.
    /// The content of a download with a sha256 is known to be right.
    pub(super) async fn next(
        &mut self,
        key: K,
        artifact: &Artifact,
        address: &Address,
        report: &FailureReport,
    ) -> Option<Address> {
        /// With more wrong files than this, the server has other packages altogether, and each try would take a while.
        const MOST: usize = 32;
        let is_another = self.tries.len() == MOST && !self.tries.contains_key(&key);
        if artifact.sha256.is_some() || address.is_given() || is_another {
            return None;
        }
        let failure = Failure::from_step(address.url().clone(), &report.message);
        let tries = self.tries.entry(key).or_default();
        let address = address.clone().after_wrong_content();
        tries.next(address, failure).await.ok()
    }
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
        let mut spoiled = Spoiled::default();
        let mut earlier: Vec<J::Graph> = Vec::new();
        loop {
            let graph = job.graph(&addresses)?;
            let artifacts = job.artifacts();
            let patience = self.patience();
            let outputs = job.outputs(&graph);
            let lists = [(artifacts.as_slice(), &addresses, job.file())];
            let evaluated = tokio::select! {
                biased;
                evaluated = self.evaluate_all(&outputs) => evaluated,
                found = self.stalled(&lists, patience) => {
                    // What does not arrive is requested elsewhere. Everything else has arrived.
                    addresses = found?.swap_remove(0);
                    mended = true;
                    earlier.push(graph);
                    continue;
                }
            };
            let error = match evaluated {
                Ok(reference) => return Ok((graph, reference)),
                Err(BuildError::Gateway(error)) => error,
                Err(error) => return Err(error),
            };
            // With the same content, BuildKit takes the step for the one that failed before, and reports that one's vertex.
            let failed = error.vertices();
            let mut graphs = std::iter::once(&graph).chain(&earlier);
            if let Some(step) = graphs.find_map(|graph| job.failing(graph, &failed)) {
                let report = match self.explanation(step, &error).await {
                    Explanation::Report(report) => report,
                    Explanation::Unknown => return Err(unexplained(step, error)),
                    Explanation::TryAgain => continue,
                };
                if job.takes_another_way(&report) {
                    earlier.push(graph);
                    continue;
                }
                let is_artifact = |culprit: &Culprit| match culprit {
                    Culprit::Package(index) => step.package(*index),
                    _ => None,
                };
                let culprits = report.culprits.iter().filter_map(is_artifact);
                let mut is_better = false;
                for index in culprits.filter(|_| report.wrong_content) {
                    let Some(artifact) = artifacts.get(index) else {
                        continue;
                    };
                    let next = spoiled
                        .next(index, artifact, addresses.get(index), &report)
                        .await;
                    if let Some(address) = next {
                        addresses.set(index, address);
                        is_better = true;
                    }
                }
                if !is_better {
                    return Err(diagnosed(report, |culprit| job.location(step, culprit)));
                }
            } else if mended || error.is_cancelled() || artifacts.is_empty() {
                // The failing operation may belong to another build that downloads the same file from elsewhere: BuildKit
                // joins the two.
                return Err(error.into());
            }
            earlier.push(graph);
            let (addresses, patience) = (&mut addresses, self.patience());
            fetch_all(self.bridge, &artifacts, addresses, job.file(), patience).await?;
            mended = true;
        }
    }

    /// How long to wait for downloads that start now.
    pub(super) fn patience(&self) -> Patience {
        Patience {
            start: Instant::now(),
            timeout: self.settings.timeout,
        }
    }

    /// Addresses that work for each list of downloads, after some took too long. Does not return if all arrive in time.
    pub(super) async fn stalled(
        &self,
        lists: &[(&[Artifact], &Addresses, &Arc<SourceFile>)],
        patience: Patience,
    ) -> Result<Vec<Addresses>, BuildError> {
        tokio::time::sleep_until(patience.watch_from()).await;
        let mut all = Vec::new();
        let mut is_same = true;
        for (artifacts, addresses, file) in lists {
            let mut found = Addresses::clone(addresses);
            fetch_all(self.bridge, artifacts, &mut found, file, patience).await?;
            let attempts = |all: &Addresses| all.iter().map(Address::attempt).sum::<u32>();
            is_same &= attempts(&found) == attempts(addresses);
            all.push(found);
        }
        if is_same {
            return pending().await;
        }
        Ok(all)
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
