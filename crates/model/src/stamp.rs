//! Owners and times of the files that condafront makes: the same from every builder.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// 1980-01-01T00:00:00Z in seconds since 1970, the time of everything that has none of its own. Zip files cannot say an
/// earlier one.
pub const EPOCH: i64 = 315_532_800;

/// Who owns files, by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Owner {
    /// The system's own files are root's.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// The owner of what `metadata` is about.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            uid: metadata.uid(),
            gid: metadata.gid(),
        }
    }
}
