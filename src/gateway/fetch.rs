//! Downloads that fail: which they are, why, and whether to try again.
//!
//! BuildKit says of a pinned download only that its digest does not match, whatever the server answered
//! (`source/http/source.go`), remembers the failure for the rest of the build, and does not try again. So every
//! download that did not arrive is asked for by itself, then without its digest, which makes BuildKit look at the
//! answer.

use std::sync::Arc;
use std::time::Duration;

use buildkit_llb::{Definition, Output};
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use super::client::{Bridge, Evaluate, Reference};
use super::error::{BuildError, GatewayError};
use crate::fetch_failure::{Failure, report};
use crate::graph::downloads::{self, Address, Addresses};
use crate::graph::environment::Environment;
use crate::package::Package;
use crate::source::SourceFile;

/// How often a download that failed for a passing reason is tried again.
const RETRIES: u32 = 3;

/// The pause before the first retry; each later one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// How many downloads are asked for at once.
const PARALLEL: usize = 16;

/// Downloads whatever has not arrived yet, and leaves in `addresses` where each package did come from.
///
/// # Errors
/// One diagnostic for all packages that cannot be downloaded.
pub async fn fetch_all(
    bridge: &Bridge,
    environment: &Environment<'_>,
    addresses: &mut Addresses,
    file: &Arc<SourceFile>,
) -> Result<(), BuildError> {
    let packages: Vec<&Package> = environment.fetched().collect();
    let tasks = packages
        .iter()
        .copied()
        .enumerate()
        .map(|(index, package)| {
            let address = addresses.get(index).clone();
            async move {
                let outcome = Fetch {
                    bridge,
                    environment,
                    package,
                    index,
                }
                .run(address)
                .await;
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
            Err(failure) => failures.push((environment.wanted(index, packages[index]), failure)),
        }
    }
    match report(file, &failures) {
        Some(diagnostic) => Err(diagnostic.into()),
        None => Ok(()),
    }
}

/// One package's download.
struct Fetch<'a> {
    bridge: &'a Bridge,
    environment: &'a Environment<'a>,
    package: &'a Package,
    index: usize,
}

impl Fetch<'_> {
    /// Tries until it has the package, or knows that it cannot be had. A lasting failure at one mirror leaves the
    /// others to try; each passing one costs a retry.
    async fn run(&self, mut address: Address) -> Result<Result<Address, Failure>, GatewayError> {
        let mut retries = 0;
        let mut mirrors_left = address.candidates() - 1;
        loop {
            let options = self.environment.download_options(self.index, self.package);
            let output = downloads::download(self.package, &address, &options);
            let error = match self.solve(&output).await {
                Ok(_) => return Ok(Ok(address)),
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => error,
            };
            let failure = self.probe(&address, &error).await?;
            if failure.is_passing() && retries < RETRIES {
                tokio::time::sleep(PAUSE * 2u32.pow(retries)).await;
                retries += 1;
            } else if mirrors_left > 0 {
                mirrors_left -= 1;
            } else {
                return Ok(Err(failure));
            }
            address = address.next();
        }
    }

    /// Why the download failed.
    async fn probe(
        &self,
        address: &Address,
        error: &GatewayError,
    ) -> Result<Failure, GatewayError> {
        let url = address.url().clone();
        if !self.package.hashes.is_pinned() {
            return Ok(Failure::from_message(url, error.message()));
        }
        match self.solve(&downloads::probe(self.package, address)).await {
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => Ok(Failure::from_message(url, error.message())),
            Ok(reference) => {
                let name = self.package.id.file_name();
                let content = self.bridge.read_file(&reference, &name).await?;
                let found = hex::encode(Sha256::digest(&content));
                let expected = self.package.hashes.sha256.clone().unwrap_or_default();
                Ok(Failure::from_content(url, &content, expected, found))
            }
        }
    }

    async fn solve(&self, output: &Output) -> Result<Reference, GatewayError> {
        let definition = Definition::of(output).to_pb().clone();
        self.bridge.solve(definition, Evaluate::Now).await
    }
}
