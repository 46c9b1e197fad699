//! Repodata: which of a channel's subdirs have it, and where it is.

use std::pin::pin;
use std::time::Duration;

use buildkit_llb::{Definition, Output};

use super::client::{Bridge, Evaluate};
use super::error::GatewayError;
use super::fetch::Tries;
use crate::fetch_failure::Failure;
use condafront_graph::downloads::Address;
use condafront_graph::solve::{Repodata, Shown};
use condafront_model::package::PackageUrl;

/// The names that the file can have, the smaller file first.
pub(crate) const FILES: [&str; 2] = ["repodata.json.zst", "repodata.json"];

/// Repodata that exists.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    /// Its file's name.
    pub file: &'static str,
    /// The file system with the file.
    pub output: Output,
}

/// How long a download may take before the progress shows it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Downloads the first of [`FILES`] that exists; `candidates` gives the addresses of the file with a name. If there may be
/// none at all, the `last` is asked for quietly too.
///
/// # Errors
/// Inside, why none is available.
pub(crate) async fn find(
    bridge: &Bridge,
    repodata: &Repodata,
    last_shown: Shown,
    candidates: impl Fn(&str) -> Vec<PackageUrl>,
) -> Result<Result<Present, Failure>, GatewayError> {
    let [first, last] = FILES;
    let found = download(bridge, repodata, first, Shown::IfLong, candidates(first)).await?;
    match found {
        Err(failure) if failure.is_absence() => {
            download(bridge, repodata, last, last_shown, candidates(last)).await
        }
        outcome => Ok(outcome),
    }
}

async fn download(
    bridge: &Bridge,
    repodata: &Repodata,
    file: &'static str,
    shown: Shown,
    candidates: Vec<PackageUrl>,
) -> Result<Result<Present, Failure>, GatewayError> {
    let mut address = Address::new(candidates);
    let mut tries = Tries::new(&address);
    loop {
        let output = repodata.download(file, &address, shown);
        let definition = Definition::of(&output).to_pb().clone();
        let mut answer = pin!(bridge.solve(definition, Evaluate::Now));
        let quick = match shown {
            Shown::Always => None,
            Shown::IfLong => tokio::time::timeout(PATIENCE, &mut answer).await.ok(),
        };
        let answer = match quick {
            Some(answer) => answer,
            None => {
                if shown == Shown::IfLong {
                    let show = Definition::of(&repodata.show(file, &address))
                        .to_pb()
                        .clone();
                    bridge.solve(show, Evaluate::Now).await?;
                }
                answer.await
            }
        };
        let error = match answer {
            Ok(_) => return Ok(Ok(Present { file, output })),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => error,
        };
        let failure = Failure::from_message(address.url().clone(), error.message());
        address = match tries.next(address, failure).await {
            Ok(address) => address,
            Err(failure) => return Ok(Err(failure)),
        };
    }
}
