//! Repodata: which of a channel's subdirs have it, and where it is.

use buildkit_llb::{Definition, Output};

use super::client::{Bridge, Evaluate};
use super::error::GatewayError;
use super::fetch::Tries;
use crate::fetch_failure::Failure;
use condafront_graph::downloads::Address;
use condafront_graph::solve::Repodata;
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

/// Downloads the first of [`FILES`] that exists; `candidates` gives the addresses of the file with a name.
///
/// # Errors
/// Inside, why none is available.
pub(crate) async fn find(
    bridge: &Bridge,
    repodata: &Repodata,
    candidates: impl Fn(&str) -> Vec<PackageUrl>,
) -> Result<Result<Present, Failure>, GatewayError> {
    let [first, last] = FILES;
    match download(bridge, repodata, first, candidates(first)).await? {
        Err(failure) if failure.is_absence() => {
            download(bridge, repodata, last, candidates(last)).await
        }
        outcome => Ok(outcome),
    }
}

async fn download(
    bridge: &Bridge,
    repodata: &Repodata,
    file: &'static str,
    candidates: Vec<PackageUrl>,
) -> Result<Result<Present, Failure>, GatewayError> {
    let mut address = Address::new(candidates);
    let mut tries = Tries::new(&address);
    loop {
        let output = repodata.download(file, &address);
        let definition = Definition::of(&output).to_pb().clone();
        let error = match bridge.solve(definition, Evaluate::Now).await {
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
