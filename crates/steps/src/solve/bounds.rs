//! How much memory and time a solve may take.
//!
//! A search can grow exponentially, and a kilobyte of repodata can describe one that does. Not every part of the solver can be
//! asked to stop, so another thread watches it.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rattler_solve::CancellationToken;

use super::error::{Bound, SolveError};

/// What a solve may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The process's memory, in bytes.
    pub(super) memory: u64,
    /// The time.
    pub(super) time: Duration,
}

impl Default for Bounds {
    /// Many times what environments with packages from all of conda-forge take: seconds, and half a gigabyte.
    fn default() -> Self {
        Self {
            memory: 3 << 30,
            time: Duration::from_mins(10),
        }
    }
}

impl Bounds {
    /// The bound that is reached after this time, with this memory.
    fn reached(self, time: Duration, memory: Option<u64>) -> Option<Bound> {
        if memory.is_some_and(|memory| memory > self.memory) {
            Some(Bound::Memory(self.memory))
        } else {
            (time > self.time).then_some(Bound::Time(self.time))
        }
    }

    /// The result of work that may panic or recurse deeply. It gets a signal when it should stop; if it reaches a bound, nobody
    /// waits for it any longer.
    pub(super) fn keep<T: Send + 'static>(
        self,
        work: impl FnOnce(&CancellationToken) -> Result<T, SolveError> + Send + 'static,
    ) -> Result<T, SolveError> {
        /// A chain of dependencies may be long. Unused memory costs nothing.
        const STACK: usize = 256 << 20;
        /// How often the memory is looked at.
        const PAUSE: Duration = Duration::from_millis(50);
        let stop = CancellationToken::new();
        let (sender, answer) = mpsc::channel();
        let start = Instant::now();
        let of_thread = stop.clone();
        thread::Builder::new()
            .stack_size(STACK)
            // Nobody waits for an answer that comes too late.
            .spawn(move || drop(sender.send(work(&of_thread))))
            .map_err(SolveError::Thread)?;
        loop {
            match answer.recv_timeout(PAUSE) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Disconnected) => return Err(SolveError::Solver),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(bound) = self.reached(start.elapsed(), memory()) {
                stop.cancel();
                return Err(SolveError::Bound(bound));
            }
        }
    }
}

/// The memory of this process, in bytes; `None` where the system does not say.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_reaches_a_bound_is_told_to_stop() {
        let (sender, told) = mpsc::channel();
        let bounds = Bounds {
            memory: 0,
            ..Bounds::default()
        };
        let outcome = bounds.keep::<()>(move |stop| {
            while !stop.is_cancelled() {
                thread::yield_now();
            }
            sender.send(()).map_err(|_| SolveError::Cancelled)
        });
        let Err(SolveError::Bound(bound)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(bound, Bound::Memory(0));
        told.recv().unwrap();
    }

    #[test]
    fn bounds_are_reached() {
        let bounds = Bounds {
            memory: 1 << 30,
            time: Duration::from_mins(1),
        };
        let second = Duration::from_secs(1);
        assert_eq!(bounds.reached(second, Some(1 << 30)), None);
        assert_eq!(bounds.reached(second, None), None);
        let said = |bound: Option<Bound>| bound.map(|bound| bound.to_string());
        assert_eq!(
            said(bounds.reached(second, Some((1 << 30) + 1))).as_deref(),
            Some("needs more than 1024 MiB of memory")
        );
        assert_eq!(
            said(bounds.reached(61 * second, Some(0))).as_deref(),
            Some("takes longer than 1 minute")
        );
    }

    #[test]
    fn the_memory_of_this_process_is_known() {
        assert!(memory().unwrap() > 1 << 20);
    }

    #[test]
    fn a_panic_is_a_failure_of_the_solver() {
        let outcome = Bounds::default().keep::<()>(|_| panic!("impossible data"));
        assert!(matches!(outcome, Err(SolveError::Solver)));
    }
}
