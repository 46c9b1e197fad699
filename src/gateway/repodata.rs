//! Repodata: which of a channel's subdirs have it, and where it is.

use std::pin::pin;
use std::time::Duration;

use buildkit_llb::{Definition, Output};
use tokio::time::Instant;

use super::client::Bridge;
use super::error::GatewayError;
use super::solving::Evaluate;
use super::tries::Tries;
use super::waiting::{self, Waiting};
use crate::fetch_failure::Failure;
use condafront_graph::downloads::Address;
use condafront_graph::solve::{Repodata, Shown};
use condafront_model::package::PackageUrl;
use condafront_step_spec::solve::SHARDS_FILE;
use condafront_step_spec::timeout::Timeout;

/// The names that the file can have, the smaller file first.
pub(crate) const FILES: [&str; 2] = ["repodata.json.zst", "repodata.json"];

/// Repodata that exists.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    /// Its file's name.
    pub file: &'static str,
    /// The file system with the file.
    pub output: Output,
    address: Address,
    tries: Tries,
    /// Where else a list of shards may be: the mirrors that have not been asked.
    others: Vec<PackageUrl>,
}

impl Present {
    /// The mirrors of a list of shards that have not been asked.
    pub(crate) fn others(&self) -> Vec<PackageUrl> {
        self.others.clone()
    }

    /// Where a list of shards came from; `None` if it is another file.
    pub(crate) fn shards_address(&self) -> Option<String> {
        let is_it = self.file == SHARDS_FILE;
        is_it.then(|| self.address.url().recorded().to_string())
    }
}

/// How long a download may take before the progress shows it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Downloads the list of shards from the first of `addresses` that has it. A server that does not have it, or does not answer,
/// is not asked again: the whole repodata serves as well.
///
/// # Errors
/// When the build is cancelled.
pub(crate) async fn find_shards(
    bridge: &Bridge,
    repodata: &Repodata,
    addresses: Vec<PackageUrl>,
) -> Result<Option<Present>, GatewayError> {
    /// A list of shards is small.
    const LIMIT: Duration = Duration::from_secs(30);
    let limit = Timeout::of(LIMIT.min(repodata.timeout.duration()));
    let mut others = addresses.into_iter();
    while let Some(url) = others.next() {
        let address = Address::new(vec![url]);
        let answer = answer(bridge, repodata, SHARDS_FILE, &address, Shown::IfLong);
        match waiting::within(limit, answer).await {
            Some(Ok(())) => {
                return Ok(Some(Present {
                    file: SHARDS_FILE,
                    output: repodata.download(SHARDS_FILE, &address, Shown::IfLong),
                    address,
                    tries: Tries::default(),
                    others: others.collect(),
                }));
            }
            Some(Err(error)) if error.is_cancelled() => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

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
    let start = |file: &'static str, shown| Try {
        file,
        shown,
        address: Address::new(candidates(file)),
        tries: Tries::default(),
    };
    match start(first, Shown::IfLong)
        .download(bridge, repodata)
        .await?
    {
        Err(failure) if failure.is_absence() => {
            start(last, last_shown).download(bridge, repodata).await
        }
        outcome => Ok(outcome),
    }
}

/// Downloads once more what turned out to be something else than repodata: `reason` says what is wrong with it. Some
/// servers send a web page for a file that they do not have, so the next of [`FILES`] is tried in the end.
///
/// # Errors
/// Inside, why there is no other.
pub(crate) async fn find_again(
    bridge: &Bridge,
    repodata: &Repodata,
    wrong: Present,
    reason: &str,
    candidates: impl Fn(&str) -> Vec<PackageUrl>,
) -> Result<Result<Present, Failure>, GatewayError> {
    let Present {
        file,
        address,
        mut tries,
        ..
    } = wrong;
    let failure = Failure::from_step(address.url().clone(), reason);
    let [first, last] = FILES;
    let next = match tries.next(address.after_wrong_content(), failure).await {
        Ok(address) => Try {
            file,
            shown: Shown::Always,
            address,
            tries,
        },
        Err(_) if file == first => Try {
            file: last,
            shown: Shown::Always,
            address: Address::new(candidates(last)),
            tries: Tries::default(),
        },
        Err(failure) => return Ok(Err(failure)),
    };
    next.download(bridge, repodata).await
}

/// What is about to be downloaded.
struct Try {
    file: &'static str,
    shown: Shown,
    address: Address,
    tries: Tries,
}

impl Try {
    async fn download(
        self,
        bridge: &Bridge,
        repodata: &Repodata,
    ) -> Result<Result<Present, Failure>, GatewayError> {
        let Self {
            file,
            shown,
            mut address,
            mut tries,
        } = self;
        let waiting = Waiting::since(Instant::now());
        loop {
            let output = repodata.download(file, &address, shown);
            waiting.add(0, &repodata.label, address.url());
            let answer = answer(bridge, repodata, file, &address, shown);
            let work = waiting.telling(bridge, answer);
            let failure = match waiting::within(repodata.timeout, work).await {
                Some(Ok(())) => {
                    return Ok(Ok(Present {
                        file,
                        output,
                        address,
                        tries,
                        others: Vec::new(),
                    }));
                }
                Some(Err(error)) if error.is_cancelled() => return Err(error),
                Some(Err(error)) => Failure::from_message(address.url().clone(), error.message()),
                None => Failure::stalled(address.url().clone(), repodata.timeout),
            };
            address = match tries.next(address, failure).await {
                Ok(address) => address,
                Err(failure) => return Ok(Err(failure)),
            };
        }
    }
}

/// Requests a file, and makes the progress show it if that takes a while.
async fn answer(
    bridge: &Bridge,
    repodata: &Repodata,
    file: &str,
    address: &Address,
    shown: Shown,
) -> Result<(), GatewayError> {
    let download = repodata.download(file, address, shown);
    let definition = Definition::of(&download);
    let mut answer = pin!(bridge.solve(definition, Evaluate::Now));
    if shown == Shown::IfLong {
        if let Ok(answer) = tokio::time::timeout(PATIENCE, &mut answer).await {
            return answer.map(drop);
        }
        let show = Definition::of(repodata.show(file, address));
        bridge.solve(show, Evaluate::Now).await?;
    }
    answer.await.map(drop)
}
