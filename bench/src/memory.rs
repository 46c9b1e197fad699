//! How much memory the machine needs for something.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The time between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// Watches the machine's available memory, from its start to [`Watch::peak`].
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Watch {
    /// Starts to watch.
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let before = available();
        let thread = thread::spawn(move || {
            let mut least = before;
            while !stopped.load(Ordering::Relaxed) {
                least = least.min(available());
                thread::sleep(INTERVAL);
            }
            before - least
        });
        Self { stop, thread }
    }

    /// The most bytes that were in use at one time, above what was in use at the start.
    pub(crate) fn peak(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// The memory that programs could have, in bytes (`MemAvailable` in proc_meminfo(5)): it includes what only caches
/// files.
fn available() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_memory() {
        assert!(available() > 1 << 20);
    }
}
