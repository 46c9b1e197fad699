//! A folder for readers of files.

use std::path::Path;

use tempfile::TempDir;

/// Runs a reader in an empty folder, in memory if there is such a file system.
pub(crate) fn in_scratch(data: &[u8], run: fn(&Path, &[u8])) {
    let memory = Path::new("/dev/shm");
    let dir = TempDir::new_in(memory).or_else(|_| TempDir::new());
    run(dir.expect("a temporary folder").path(), data);
}
