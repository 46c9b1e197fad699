//! Owners and times of the files that condafront creates: the same on every builder.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// 1980-01-01T00:00:00Z in seconds since 1970: the time of every file that has none of its own, and the earliest that
/// zip files can store.
pub const EPOCH: i64 = 315_532_800;

/// 2038-01-19T03:14:07Z in seconds since 1970: the latest time of a file. Not every file system stores later ones.
pub const LATEST: i64 = i32::MAX as i64;

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

/// Who owns the files of an environment or a home, and what their group may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The owner.
    pub owner: Owner,
    /// Whether the group may do what the owner may.
    pub group_writable: bool,
}

impl Ownership {
    /// What belongs to this user and this group.
    pub fn new(uid: u32, gid: u32, group_writable: bool) -> Self {
        Self {
            owner: Owner { uid, gid },
            group_writable,
        }
    }

    /// The permission bits of a file that has `mode` where only the owner may write.
    pub fn mode(self, mode: u32) -> u32 {
        if self.group_writable {
            mode | (mode & 0o700) >> 3
        } else {
            mode
        }
    }
}

/// Only the owner may write.
impl From<Owner> for Ownership {
    fn from(owner: Owner) -> Self {
        Self {
            owner,
            group_writable: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_may_write_may_do_what_the_owner_may() {
        let own = Ownership::from(Owner::ROOT);
        let shared = Ownership {
            group_writable: true,
            ..own
        };
        for (mode, expected) in [
            (0o755, 0o775),
            (0o644, 0o664),
            (0o600, 0o660),
            (0o555, 0o555),
            (0o475, 0o475),
        ] {
            assert_eq!(own.mode(mode), mode);
            assert_eq!(shared.mode(mode), expected, "{mode:o}");
        }
    }
}
