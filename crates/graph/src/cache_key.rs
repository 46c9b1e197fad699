//! What changes cache keys, or ignores the cache, and nothing else.
//!
//! BuildKit remembers a failure until the build ends, for the operation and for all others with the same cache key
//! (`solver/scheduler.go`, `mergeTo`). So whatever is tried again in the same build must be a different operation, with
//! the same result. This module makes it so. It also makes operations depend on what they do not use.

use buildkit_llb::{Copy, Exec, File, Http, OpOptions, Output};
use url::Url;

/// A pattern that matches no file in any step's facts.
const NO_FILE: &str = "/none*";

/// The URL for attempt `number` at a download, counted from 0. Servers do not see the fragment.
///
/// It is not part of a pinned download's cache key: see [`retry_download`].
pub(crate) fn url_of_attempt(mut url: Url, number: u32) -> String {
    if number > 0 {
        url.set_fragment(Some(&number.to_string()));
    }
    url.into()
}

/// Separates a pinned download from the `failed` ones before it. `no_cache` says that the build ignores caches from the
/// start.
///
/// The cache key of such a download does not include the URL. The second attempt ignores the cache, which separates it
/// from the first and still leaves the result where the next build looks for it. Later attempts, and the second if the
/// first ignored the cache too, give the file a different mode.
pub(crate) fn retry_download(http: &mut Http, failed: u32, no_cache: bool) {
    if failed > 0 {
        retry(http);
    }
    let spent = u32::from(!no_cache);
    if failed > spent {
        // Any mode will do: steps run as root.
        http.perm(0o600 + failed);
    }
}

/// Separates a download that is not pinned from the `spoiled` ones before it, which brought the wrong content.
///
/// BuildKit keeps such a file together with its `ETag`, before version 0.18 by the file's name and mode alone. If a
/// server gives a wrong answer and the right one the same `ETag`, BuildKit would take the wrong one again.
pub(crate) fn retry_unpinned(http: &mut Http, spoiled: u32) {
    if spoiled > 0 {
        http.perm(0o600 + spoiled);
    }
}

/// The name of the file in which the frontend looks at the response to attempt `number`.
///
/// The name separates it from the download that failed. Otherwise the two would have the same cache key if the right
/// content comes without `Last-Modified`, and BuildKit would answer with the failure that it remembers. The name also
/// keeps out files that BuildKit stored with an `ETag`, in this or another build.
pub(crate) fn probe_file(build: &str, number: u32) -> String {
    format!("answer-{build}-{number}")
}

/// Separates a step from the one that failed because an input was missing. `no_cache` says that the build ignores caches
/// from the start, in which case only a different cache key helps.
pub(crate) fn retry_step(exec: &mut Exec, no_cache: bool) {
    retry(exec);
    if no_cache {
        exec.env("CONDAFRONT_RETRY", "1");
    }
}

/// Separates an operation from the one that failed because an input was missing.
pub(crate) fn retry(operation: &mut impl OpOptions) {
    operation.ignore_cache();
}

/// Makes a file operation depend on `facts`, which steps left for the frontend to read, without taking any of them.
///
/// What the image does not depend on is not exported to a cache, and a builder that imports the cache would have to
/// gather them again.
pub(crate) fn depend_on(file: &mut File, facts: &[Output]) {
    for facts in facts {
        file.then(Copy::new(facts, NO_FILE, "/").optional_wildcard());
    }
}
