//! What a build asked the engine for, and when: shows where the time goes in a build in which nothing has changed.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The calls of a build.
#[derive(Debug)]
pub(crate) struct Timeline {
    started: Instant,
    calls: Mutex<Vec<Call>>,
}

#[derive(Debug)]
struct Call {
    what: String,
    from: Duration,
    to: Duration,
}

impl Timeline {
    /// A timeline that starts now.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            calls: Mutex::default(),
        }
    }

    /// Makes a call and notes when.
    pub(super) async fn of<T>(
        &self,
        what: impl FnOnce() -> String,
        call: impl Future<Output = T>,
    ) -> T {
        let from = self.started.elapsed();
        let answer = call.await;
        let call = Call {
            what: what(),
            from,
            to: self.started.elapsed(),
        };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
        answer
    }

    /// The time so far, and the calls in the order of their start, one per line.
    pub(super) fn report(&self) -> (Duration, String) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.sort_by_key(|call| call.from);
        let mut lines = String::new();
        for Call { what, from, to } in &*calls {
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                "{:7.3} to {:7.3} s  {what}",
                from.as_secs_f64(),
                to.as_secs_f64()
            );
        }
        (self.started.elapsed(), lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_listed_in_the_order_of_their_start() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let timeline = Timeline::start();
        let wait = |millis| tokio::time::sleep(Duration::from_millis(millis));
        runtime.block_on(async {
            tokio::join!(
                timeline.of(|| "long".to_owned(), wait(30)),
                timeline.of(|| "short".to_owned(), wait(1))
            )
        });
        let (total, lines) = timeline.report();
        let names: Vec<&str> = lines
            .lines()
            .filter_map(|line| line.split_whitespace().last())
            .collect();
        assert_eq!(names, ["long", "short"]);
        assert!(total >= Duration::from_millis(30));
    }
}
