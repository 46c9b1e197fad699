//! Downloads that fail: which ones, why, and whether to try again.
//!
//! When a pinned download fails, BuildKit says only that its digest does not match, whatever the server answered
//! (`source/http/source.go`), and does not try again. So every download that fails is first requested without its
//! digest, which makes BuildKit look at the answer, and then, once the right content comes, with it.

use std::sync::Arc;
use std::time::Duration;

use buildkit_llb::{Definition, Output};
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use super::client::{Bridge, Evaluate, Reference};
use super::error::{BuildError, GatewayError};
use crate::fetch_failure::{Failure, report};
use condafront_graph::downloads::{Address, Addresses, Artifact};
use condafront_model::source::SourceFile;

/// How often to retry a download that failed for a temporary reason.
const RETRIES: u32 = 3;

/// The pause before the first retry; each later one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// How much of a file to read at once, in bytes.
const PIECE: usize = 4 << 20;

/// How many downloads to request at once.
const PARALLEL: usize = 16;

/// Downloads whatever is still missing, and records in `addresses` where each artifact came from.
///
/// # Errors
/// One diagnostic for all artifacts that cannot be downloaded.
pub(crate) async fn fetch_all(
    bridge: &Bridge,
    artifacts: &[Artifact],
    addresses: &mut Addresses,
    file: &Arc<SourceFile>,
) -> Result<(), BuildError> {
    let tasks = artifacts.iter().enumerate().map(|(index, artifact)| {
        let address = addresses.get(index).clone();
        async move {
            let outcome = Fetch { bridge, artifact }.run(address).await;
            (index, outcome)
        }
    });
    let mut outcomes: Vec<_> = stream::iter(tasks)
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    outcomes.sort_by_key(|(index, _)| *index);
    let mut failures = Vec::new();
    for (index, outcome) in outcomes {
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

/// How often and where else a file can be requested. After a permanent failure at one mirror the others are tried; each
/// temporary failure costs a retry.
pub(crate) struct Tries {
    retries: u32,
    mirrors_left: usize,
}

impl Tries {
    /// What a file has left at its first failure.
    pub(crate) fn new(address: &Address) -> Self {
        Self {
            retries: 0,
            mirrors_left: address.candidates() - 1,
        }
    }

    /// Waits as long as necessary, and returns the address to try after this failure.
    ///
    /// # Errors
    /// The failure, if no try is left.
    pub(crate) async fn next(
        &mut self,
        address: Address,
        failure: Failure,
    ) -> Result<Address, Failure> {
        if failure.is_passing() && self.retries < RETRIES {
            tokio::time::sleep(PAUSE * 2u32.pow(self.retries)).await;
            self.retries += 1;
        } else if self.mirrors_left > 0 {
            self.mirrors_left -= 1;
        } else {
            return Err(failure);
        }
        Ok(address.next())
    }
}

/// One artifact's download.
struct Fetch<'a> {
    bridge: &'a Bridge,
    artifact: &'a Artifact,
}

impl Fetch<'_> {
    /// Tries until it has the artifact, or knows that it is unavailable.
    async fn run(&self, address: Address) -> Result<Result<Address, Failure>, GatewayError> {
        if address.is_given() {
            return Ok(Ok(address));
        }
        let Some(error) = self.download(&address).await? else {
            return Ok(Ok(address));
        };
        let mut failure = (!self.is_pinned())
            .then(|| Failure::from_message(address.url().clone(), error.message()));
        let mut tries = Tries::new(&address);
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
            match self.download(&address).await? {
                None => return Ok(Ok(address)),
                Some(error) => {
                    failure = Some(Failure::from_message(
                        address.url().clone(),
                        error.message(),
                    ));
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
        let reference = match self.solve(&self.artifact.probe(address)).await {
            Ok(reference) => reference,
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => return Ok(Some(Failure::from_message(url, error.message()))),
        };
        let name = &self.artifact.file_name;
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

    /// Downloads the artifact, or returns BuildKit's error.
    async fn download(&self, address: &Address) -> Result<Option<GatewayError>, GatewayError> {
        match self.solve(&self.artifact.download(address)).await {
            Ok(_) => Ok(None),
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => Ok(Some(error)),
        }
    }

    async fn solve(&self, output: &Output) -> Result<Reference, GatewayError> {
        let definition = Definition::of(output).to_pb().clone();
        self.bridge.solve(definition, Evaluate::Now).await
    }
}
