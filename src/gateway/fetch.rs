//! Downloads that fail: which ones, why, and whether to try again.
//!
//! When a pinned download fails, BuildKit says only that its digest does not match, whatever the server answered
//! (`source/http/source.go`), and does not try again. So every download that fails is first requested without its
//! digest, which makes BuildKit look at the answer, and then, once the right content comes, with it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use buildkit_llb::{Definition, Output};
use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::client::Bridge;
use super::error::{BuildError, GatewayError};
use super::solving::{Evaluate, Reference};
use super::tries::Tries;
use super::waiting::{self, NOTICE, Waiting};
use crate::fetch_failure::{Failure, report};
use condafront_graph::downloads::{Address, Addresses, Artifact};
use condafront_model::source::SourceFile;
use condafront_step_spec::timeout::Timeout;

/// How much of a file to read at once, in bytes.
const PIECE: usize = 4 << 20;

/// How many downloads to request at once.
const PARALLEL: usize = 16;

/// How long to wait for downloads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Since when the user has been waiting.
    pub start: Instant,
    /// How long one request may take, if the size of the file is not known.
    pub timeout: Timeout,
}

impl Patience {
    /// From when to watch downloads that are part of a larger build.
    pub(crate) fn watch_from(self) -> Instant {
        self.start + NOTICE.min(self.timeout.duration())
    }

    /// What is left of a limit.
    fn rest(self, limit: Timeout) -> Timeout {
        /// What is there already has been found by then.
        const LEAST: Duration = Duration::from_secs(2);
        let rest = limit.duration().saturating_sub(self.start.elapsed());
        Timeout::of(rest.max(LEAST))
    }
}

/// Downloads whatever is still missing, and records in `addresses` where each artifact came from.
///
/// # Errors
/// One diagnostic for all artifacts that cannot be downloaded.
pub(crate) async fn fetch_all(
    bridge: &Bridge,
    artifacts: &[Artifact],
    addresses: &mut Addresses,
    file: &Arc<SourceFile>,
    patience: Patience,
) -> Result<(), BuildError> {
    let build = build_name();
    let slots = Semaphore::new(PARALLEL);
    let waiting = Waiting::since(patience.start);
    let (build, slots, waiting) = (build.as_str(), &slots, &waiting);
    let tasks = artifacts.iter().enumerate().map(|(index, artifact)| {
        let fetch = Fetch {
            bridge,
            artifact,
            build,
            slots,
            waiting,
            index,
            patience,
            limit: waiting::limit(patience.timeout, artifact.size),
        };
        let address = addresses.get(index).clone();
        async move { fetch.run(address).await }
    });
    let outcomes = waiting.telling(bridge, join_all(tasks)).await;
    let mut failures = Vec::new();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome? {
            Ok(address) => addresses.set(index, address),
            Err(failure) => failures.push((&artifacts[index].wanted, failure)),
        }
    }
    match report(file, &failures) {
        Some(diagnostic) => Err(diagnostic.into()),
        None => Ok(()),
    }
}

/// A name that no other build has.
fn build_name() -> String {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    format!("{:x}", since.as_nanos())
}

/// One artifact's download.
struct Fetch<'a> {
    bridge: &'a Bridge,
    artifact: &'a Artifact,
    /// The build's name.
    build: &'a str,
    /// One for each request at a time; none is taken while a download waits for its next try.
    slots: &'a Semaphore,
    /// What has not arrived yet.
    waiting: &'a Waiting,
    /// Its place among all artifacts.
    index: usize,
    patience: Patience,
    /// How long a request may take.
    limit: Timeout,
}

impl Fetch<'_> {
    /// Tries until it has the artifact, or knows that it is unavailable.
    async fn run(&self, address: Address) -> Result<Result<Address, Failure>, GatewayError> {
        if address.is_given() {
            return Ok(Ok(address));
        }
        let outcome = self.try_all(address).await;
        self.waiting.remove(self.index);
        outcome
    }

    async fn try_all(&self, address: Address) -> Result<Result<Address, Failure>, GatewayError> {
        // The first request may have been made some time ago.
        let first = self.download(&address, self.patience.rest(self.limit));
        let Some(failed) = first.await? else {
            return Ok(Ok(address));
        };
        // BuildKit's error for a pinned download says little.
        let mut failure = Some(failed).filter(|failed| !self.is_pinned() || failed.is_stall());
        let mut tries = Tries::default();
        let mut address = address.after_failure();
        loop {
            if let Some(failure) = failure {
                address = match tries.next(address, failure).await {
                    Ok(address) => address,
                    Err(failure) => return Ok(Err(failure)),
                };
            }
            failure = self.look(&address).await?;
            if failure.is_some() {
                continue;
            }
            match self.download(&address, self.limit).await? {
                None => return Ok(Ok(address)),
                Some(failed) => {
                    failure = Some(failed);
                    address = address.after_failure();
                }
            }
        }
    }

    fn is_pinned(&self) -> bool {
        self.artifact.sha256.is_some()
    }

    /// Looks at the server's answer for a reason why a download fails. A download that is not pinned needs no look: its
    /// own error gives the reason.
    async fn look(&self, address: &Address) -> Result<Option<Failure>, GatewayError> {
        let Some(expected) = &self.artifact.sha256 else {
            return Ok(None);
        };
        let url = address.url().clone();
        let _slot = self.slots.acquire().await;
        let probe = self.artifact.probe(address, self.build);
        let reference = match self.solve(&probe.output, address, self.limit).await? {
            Ok(reference) => reference,
            Err(failure) => return Ok(Some(failure)),
        };
        let name = &probe.file_name;
        let mut start = Vec::new();
        let mut size = 0;
        let mut hash = Sha256::new();
        loop {
            let piece = self
                .bridge
                .read_piece(&reference, name, size, PIECE)
                .await?;
            size += piece.len();
            hash.update(&piece);
            let last = piece.len() < PIECE;
            if start.is_empty() {
                start = piece;
            }
            if last {
                break;
            }
        }
        let found = hex::encode(hash.finalize());
        if found == *expected {
            return Ok(None);
        }
        Ok(Some(Failure::from_content(
            url, &start, size, expected, found,
        )))
    }

    /// Downloads the artifact, or returns why it failed.
    async fn download(
        &self,
        address: &Address,
        limit: Timeout,
    ) -> Result<Option<Failure>, GatewayError> {
        let _slot = self.slots.acquire().await;
        let output = self.artifact.download(address);
        Ok(self.solve(&output, address, limit).await?.err())
    }

    async fn solve(
        &self,
        output: &Output,
        address: &Address,
        limit: Timeout,
    ) -> Result<Result<Reference, Failure>, GatewayError> {
        let url = || address.url().clone();
        self.waiting
            .add(self.index, &self.artifact.wanted.label, address.url());
        let definition = Definition::of(output);
        let work = self.bridge.solve(definition, Evaluate::Now);
        match waiting::within(limit, work).await {
            Some(Ok(reference)) => Ok(Ok(reference)),
            Some(Err(error)) if error.is_cancelled() => Err(error),
            Some(Err(error)) => Ok(Err(Failure::from_message(url(), error.message()))),
            None => Ok(Err(Failure::stalled(url(), self.limit))),
        }
    }
}
