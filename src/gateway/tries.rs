//! When and where to request a file again.

use std::time::Duration;

use crate::fetch_failure::Failure;
use condafront_graph::downloads::{Address, Next};

/// The pauses, in seconds, after every address of a file has failed. Together they are a minute, which is as long as
/// most servers ask for with `Retry-After`; BuildKit does not pass that header on.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 15, 30];

/// How many of the pauses are made unless a server says that it is busy.
const USUAL: usize = 3;

/// What was already tried for one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tries {
    rounds: usize,
    /// Whether a server has said that it is busy since the last pause.
    is_busy: bool,
    /// The failures so far.
    seen: Vec<Failure>,
}

impl Tries {
    /// Waits as long as necessary, and returns the address to try after this failure. All addresses are tried before a
    /// pause. An address is dropped after a failure that will last.
    ///
    /// # Errors
    /// The failure, if no try is left.
    pub(crate) async fn next(
        &mut self,
        address: Address,
        failure: Failure,
    ) -> Result<Address, Failure> {
        let Some((address, pause)) = self.choose(address, &failure) else {
            return Err(failure);
        };
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        Ok(address)
    }

    /// The address to try after this failure, and how long to wait before; `None` if no try is left.
    fn choose(
        &mut self,
        address: Address,
        failure: &Failure,
    ) -> Option<(Address, Option<Duration>)> {
        let same = self.seen.iter().filter(|seen| *seen == failure).count();
        let lasts = !failure.is_passing() || same >= failure.accidents();
        self.is_busy |= failure.is_busy();
        let Next {
            address,
            is_new_round,
        } = if lasts {
            address.without_current()?
        } else {
            address.next()
        };
        let pause = if is_new_round {
            Some(self.pause()?)
        } else {
            None
        };
        self.seen.push(failure.clone());
        Some((address, pause))
    }

    /// The pause before the next round; `None` if there is none.
    fn pause(&mut self) -> Option<Duration> {
        let most = if self.is_busy { PAUSES.len() } else { USUAL };
        let seconds = PAUSES[..most].get(self.rounds)?;
        self.rounds += 1;
        self.is_busy = false;
        Some(Duration::from_secs(*seconds))
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use condafront_model::package::PackageUrl;
    use condafront_step_spec::timeout::Timeout;

    fn urls(names: &[&str]) -> Vec<PackageUrl> {
        let url = |name| Url::parse(&format!("https://{name}.example/x.conda"));
        names
            .iter()
            .map(|name| PackageUrl::new(url(name).unwrap()))
            .collect()
    }

    /// The hosts that are asked, with the pauses between them, if each answers as `answer` says.
    fn course(names: &[&str], answer: impl Fn(&str, &PackageUrl) -> Failure) -> String {
        let mut address = Address::new(urls(names));
        let mut tries = Tries::default();
        let mut course = String::new();
        loop {
            let url = address.url().clone();
            let name = url.host().split('.').next().unwrap_or_default().to_owned();
            course.push_str(&name);
            let Some((next, pause)) = tries.choose(address, &answer(&name, &url)) else {
                return course;
            };
            if let Some(pause) = pause {
                course.push_str(&format!(" {}s", pause.as_secs()));
            }
            course.push(' ');
            address = next;
        }
    }

    fn status(code: u16) -> impl Fn(&str, &PackageUrl) -> Failure {
        move |_, url| Failure::from_message(url.clone(), &format!("invalid response status {code}"))
    }

    #[test]
    fn every_address_is_tried_before_a_pause() {
        assert_eq!(course(&["a"], status(500)), "a 1s a 2s a 4s a");
        assert_eq!(course(&["a"], status(404)), "a");
        assert_eq!(course(&["a", "b"], status(500)), "a b 1s a b 2s a b 4s a b");
        assert_eq!(course(&["a", "b", "c"], status(404)), "a b c");
    }

    #[test]
    fn a_busy_server_is_given_a_minute() {
        let minute = "a 1s a 2s a 4s a 8s a 15s a 30s a";
        assert_eq!(course(&["a"], status(429)), minute);
        assert_eq!(course(&["a"], status(503)), minute);
        assert_eq!(course(&["a"], status(502)), "a 1s a 2s a 4s a");
    }

    #[test]
    fn an_address_that_fails_for_good_is_dropped() {
        let one_absent = |name: &str, url: &PackageUrl| match name {
            "a" => status(404)(name, url),
            _ => status(500)(name, url),
        };
        assert_eq!(course(&["a", "b"], one_absent), "a b 1s b 2s b 4s b");
        assert_eq!(course(&["b", "a"], one_absent), "b a 1s b 2s b 4s b");
        assert_eq!(
            course(&["b", "a", "c"], one_absent),
            "b a c 1s b c 2s b c 4s b c"
        );
    }

    #[test]
    fn some_failures_are_taken_for_lasting_when_they_repeat() {
        let same = |_: &str, url: &PackageUrl| {
            let found = "f".repeat(64);
            Failure::from_content(url.clone(), b"PK", 2, "e", found)
        };
        assert_eq!(course(&["a"], same), "a 1s a 2s a");
        let refused = |_: &str, url: &PackageUrl| Failure::from_step(url.clone(), "not a package");
        assert_eq!(course(&["a"], refused), "a 1s a 2s a");
        let stalled = |_: &str, url: &PackageUrl| Failure::stalled(url.clone(), Timeout::default());
        assert_eq!(course(&["a"], stalled), "a 1s a");
        let page = |_: &str, url: &PackageUrl| {
            Failure::from_content(url.clone(), b"<html>", 6, "e", "f".to_owned())
        };
        assert_eq!(course(&["a"], page), "a 1s a 2s a 4s a");
    }
}
