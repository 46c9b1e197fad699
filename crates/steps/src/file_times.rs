//! When files changed, and moments that it is compared with.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What files' times can lag behind the clock: a tick of Linux, which takes 10 ms at most.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// A time after that of all files and before that of all changes to come.
pub(crate) fn moment() -> SystemTime {
    let now = SystemTime::now();
    thread::sleep(TICK);
    now
}

/// When a file's content, owner, mode or number of links last changed.
pub(crate) fn change_of(metadata: &Metadata) -> SystemTime {
    let seconds = u64::try_from(metadata.ctime()).unwrap_or(0);
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
    UNIX_EPOCH + Duration::new(seconds, nanoseconds)
}
