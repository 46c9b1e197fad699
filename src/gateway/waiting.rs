//! Waiting for downloads: how long, and what the progress says meanwhile.
//!
//! BuildKit says nothing about the progress of a download, so only the time that it takes can be limited.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::client::Bridge;
use super::notice::notice;
use super::solving::Evaluate;
use condafront_model::package::PackageUrl;
use condafront_step_spec::timeout::Timeout;

/// When the user is first told what is waited for. The time doubles until the next notice.
pub(crate) const NOTICE: Duration = Duration::from_mins(1);

/// The slowest that a download whose size is known may be, in bytes per second, if it takes longer than the timeout.
const SLOWEST: u64 = 250_000;

/// How many downloads a notice names.
const NAMED: usize = 3;

/// The time that a download is given.
pub(crate) fn limit(given: Timeout, size: Option<u64>) -> Timeout {
    let more = Duration::from_secs(size.unwrap_or(0) / SLOWEST);
    Timeout::of(given.duration() + more)
}

/// Waits for `work` for the time `limit`; `None` if it takes longer.
///
/// # Errors
/// Those of `work`.
pub(crate) async fn within<T>(limit: Timeout, work: impl Future<Output = T>) -> Option<T> {
    timeout(limit.duration(), work).await.ok()
}

/// Downloads that have not arrived.
pub(crate) struct Waiting {
    start: Instant,
    /// Their names and where they come from, by a key of the caller's.
    for_what: RefCell<BTreeMap<usize, String>>,
}

impl Waiting {
    /// Nothing, since `start`.
    pub(crate) fn since(start: Instant) -> Self {
        Self {
            start,
            for_what: RefCell::default(),
        }
    }

    /// Adds a download, or changes where it comes from.
    pub(crate) fn add(&self, key: usize, label: &str, url: &PackageUrl) {
        let name = format!("{label} from {}", url.host());
        self.for_what.borrow_mut().insert(key, name);
    }

    /// Removes a download.
    pub(crate) fn remove(&self, key: usize) {
        self.for_what.borrow_mut().remove(&key);
    }

    /// Keeps reporting what the build is waiting for, until `work` is done.
    pub(crate) async fn telling<T>(&self, bridge: &Bridge, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.tell(bridge) => never,
        }
    }

    async fn tell<T>(&self, bridge: &Bridge) -> T {
        /// What is there already has been found by then.
        const LATEST: Duration = Duration::from_secs(2);
        let mut time = NOTICE;
        loop {
            let next = (self.start + time).max(Instant::now() + LATEST);
            sleep_until(next).await;
            let waited = self.start.elapsed();
            if let Some(text) = self.notice(waited)
                && let Err(_) = bridge.solve(notice(&text), Evaluate::Now).await
            {
                // The build is about to fail, with a better error.
                return pending().await;
            }
            time = next_notice(waited);
        }
    }

    /// What is waited for after this time, in whole minutes; `None` if it is nothing.
    fn notice(&self, time: Duration) -> Option<String> {
        let time = Duration::from_mins(time.as_secs() / 60);
        let waiting = self.for_what.borrow();
        let named: Vec<&str> = waiting.values().take(NAMED).map(String::as_str).collect();
        let mut text = match named.as_slice() {
            [] => return None,
            named => format!("[wait] {} for {}", Timeout::of(time), named.join(", ")),
        };
        let more = waiting.len() - named.len();
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        Some(text)
    }
}

/// When to tell the user next, after waiting for the time `waited`.
fn next_notice(waited: Duration) -> Duration {
    let mut time = NOTICE;
    while time <= waited {
        time *= 2;
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    #[test]
    fn large_files_are_given_more_time() {
        let seconds = |size| limit(Timeout::default(), size).duration().as_secs();
        assert_eq!(seconds(None), 1800);
        assert_eq!(seconds(Some(10_000)), 1800);
        assert_eq!(seconds(Some(3_000_000_000)), 1800 + 12_000);
    }

    #[test]
    fn a_notice_tells_the_time_that_has_passed() {
        let minutes = Duration::from_mins;
        for (waited, next) in [(0, 1), (1, 2), (3, 4), (5, 8)] {
            assert_eq!(next_notice(minutes(waited)), minutes(next), "{waited}");
        }
        let waiting = Waiting::since(Instant::now());
        let url = PackageUrl::new(Url::parse("https://c.example/x").unwrap());
        waiting.add(0, "a 1", &url);
        let late = minutes(5) + Duration::from_secs(7);
        let expected = "[wait] 5 minutes for a 1 from c.example";
        assert_eq!(waiting.notice(late).as_deref(), Some(expected));
    }

    #[test]
    fn a_notice_names_a_few_downloads() {
        let waiting = Waiting::since(Instant::now());
        assert_eq!(waiting.notice(NOTICE), None);
        let url = PackageUrl::new(Url::parse("https://me:pw@c.example/x").unwrap());
        for (key, name) in ["a 1", "b 2", "c 3", "d 4", "e 5"].iter().enumerate() {
            waiting.add(key, name, &url);
        }
        assert_eq!(
            waiting.notice(NOTICE * 2).unwrap(),
            "[wait] 2 minutes for a 1 from c.example, b 2 from c.example, c 3 from c.example and 2 more"
        );
        for key in [0, 1, 2, 4] {
            waiting.remove(key);
        }
        assert_eq!(
            waiting.notice(NOTICE).unwrap(),
            "[wait] 1 minute for d 4 from c.example"
        );
    }
}
