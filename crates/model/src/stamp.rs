//! Owners and times of the files that condafront creates: the same on every builder.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// 1980-01-01T00:00:00Z in seconds since 1970: the time of every file that has none of its own, and the earliest that
/// zip files can store.
pub const EPOCH: i64 = 315_532_800;

/// The numeric owner of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user ID.
    pub uid: u32,
    /// The group ID.
    pub gid: u32,
}

impl Owner {
    /// Root, who owns the system's own files.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// The owner in `metadata`.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            uid: metadata.uid(),
            gid: metadata.gid(),
        }
    }
}
