//! How much memory the machine needs for something.

use std::fs;
use std::path::Path;
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

/// Watches the steps of builds: processes that run the frontend's program with one of two names as the first argument.
pub(crate) struct Steps {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<[f64; 2]>,
}

impl Steps {
    /// Starts to watch.
    pub(crate) fn watch(names: [&'static str; 2]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut peaks = [0.0; 2];
            while !stopped.load(Ordering::Relaxed) {
                for (step, peak) in running(names) {
                    peaks[step] = f64::max(peaks[step], peak);
                }
                thread::sleep(INTERVAL / 5);
            }
            peaks
        });
        Self { stop, thread }
    }

    /// The most bytes that a step of each name used at one time; 0 if there was none.
    pub(crate) fn peaks(self) -> [f64; 2] {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// The steps that run now, each with the index of its name and its peak.
fn running(names: [&str; 2]) -> Vec<(usize, f64)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let steps = processes.filter_map(|process| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0);
        let (program, name) = (words.next()?, words.next()?);
        let step = names.iter().position(|known| known.as_bytes() == name)?;
        let peak = peak_of(&process.path().join("status"))?;
        program.ends_with(b"/condafront").then_some((step, peak))
    });
    steps.collect()
}

/// The most memory that the program of a running process has used at one time, in bytes (`proc_pid_status(5)`).
pub(crate) fn peak_of(status: &Path) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// The memory that programs could have, in bytes: `MemAvailable` in proc_meminfo(5), which includes what only caches files,
/// and `Shmem`, the files in memory. Engines keep theirs there, which would be on a disk elsewhere.
fn available() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let value = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        value.unwrap_or_default()
    };
    (kibibytes("MemAvailable:") + kibibytes("Shmem:")) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_process_is_known() {
        let memory = peak_of(Path::new("/proc/self/status")).unwrap();
        assert!(memory > 1e6, "{memory}");
        assert_eq!(running(["no-such-step", "nor-this"]), []);
    }

    #[test]
    fn the_machine_has_memory() {
        assert!(available() > 1 << 20);
    }
}
