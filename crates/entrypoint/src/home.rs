//! `HOME` and `USER` for a container that runs as a user the image does not know
//! (`docker run --user 1234`, OpenShift).

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::activation::Variables;
use crate::passwd::{Account, accounts};
use crate::prefix::in_root;
use crate::reserved::{HOME, IMAGE_USER};

const USER: &str = "USER";
const WRITE_AND_SEARCH: u32 = 0o3;

/// The user and groups of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Effective user id.
    pub uid: u32,
    /// Effective and supplementary group ids.
    pub groups: Vec<u32>,
}

impl Identity {
    /// Reads the contents of `/proc/self/status` (proc_pid_status(5)); `None` if ids are missing.
    pub fn from_status(status: &str) -> Option<Self> {
        let numbers = |label: &str| -> Option<Vec<u32>> {
            let line = status.lines().find_map(|line| line.strip_prefix(label))?;
            line.split_whitespace()
                .map(|word| word.parse().ok())
                .collect()
        };
        // Real, effective, saved and file system id, in this order.
        let uid = *numbers("Uid:")?.get(1)?;
        let mut groups = vec![*numbers("Gid:")?.get(1)?];
        groups.extend(numbers("Groups:").unwrap_or_default());
        Some(Self { uid, groups })
    }

    /// Whether this user can create files in a directory with these permission bits. Ignores access
    /// lists and read-only mounts.
    fn can_write(&self, uid: u32, gid: u32, mode: u32) -> bool {
        let bits = if self.uid == 0 {
            return true;
        } else if self.uid == uid {
            mode >> 6
        } else if self.groups.contains(&gid) {
            mode >> 3
        } else {
            mode
        };
        bits & WRITE_AND_SEARCH == WRITE_AND_SEARCH
    }
}

/// Sets `HOME` if it is missing or useless, and `USER` if it is missing and the user has no account.
/// A `HOME` that is an existing directory is not changed. Returns a warning if somebody chose another home for the image
/// or the container, which is not used.
///
/// The home is the account's own, else that of the image's user if it is writable, else `/tmp`:
/// programs that keep a cache or settings fail without a writable home.
pub(crate) fn provide(root: &Path, env: &mut Variables, identity: &Identity) -> Option<String> {
    let passwd = std::fs::read(in_root(root, OsStr::new("/etc/passwd"))).unwrap_or_default();
    let own = accounts(&passwd).find(|account| account.uid == identity.uid);
    let image_user = env
        .get(OsStr::new(IMAGE_USER))
        .and_then(|name| accounts(&passwd).find(|account| account.name == name));
    let home_is_useful = env
        .get(OsStr::new(HOME))
        .is_some_and(|home| home != "/" && is_dir(root, home));
    let mut warning = None;
    if !home_is_useful && let Some(home) = find_home(root, identity, own, image_user) {
        let shown = home.display().to_string();
        let old = env.insert(HOME.into(), home);
        warning = old
            .filter(|old| is_chosen(old, own))
            .map(|old| format!("HOME={}: no such directory; HOME is {shown}", old.display()));
    }
    if own.is_none()
        && !env.contains_key(OsStr::new(USER))
        && let Some(account) = image_user
    {
        env.insert(USER.into(), account.name.to_owned());
    }
    warning
}

/// Whether a `HOME` is not what an engine sets by itself: the account's home, or `/` without an account.
fn is_chosen(home: &OsStr, own: Option<Account<'_>>) -> bool {
    !home.is_empty() && home != "/" && own.is_none_or(|account| account.home != home)
}

fn find_home(
    root: &Path,
    identity: &Identity,
    own: Option<Account<'_>>,
    image_user: Option<Account<'_>>,
) -> Option<OsString> {
    if let Some(account) = own
        && account.home != "/"
        && is_dir(root, account.home)
    {
        return Some(account.home.to_owned());
    }
    let writable = |dir: &OsStr| {
        in_root(root, dir).metadata().is_ok_and(|meta| {
            meta.is_dir() && identity.can_write(meta.uid(), meta.gid(), meta.mode())
        })
    };
    image_user
        .map(|account| account.home)
        .into_iter()
        .chain([OsStr::new("/tmp")])
        .find(|dir| writable(dir))
        .map(OsStr::to_owned)
}

fn is_dir(root: &Path, dir: &OsStr) -> bool {
    !dir.is_empty() && in_root(root, dir).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_ids_are_read() {
        let status = "Name:\tx\nUid:\t0\t1234\t0\t0\nGid:\t0\t5\t0\t0\nGroups:\t7 8 \n";
        let expected = Identity {
            uid: 1234,
            groups: vec![5, 7, 8],
        };
        assert_eq!(Identity::from_status(status), Some(expected));
        assert_eq!(Identity::from_status("Name:\tx\n"), None);
    }

    #[test]
    fn permission_bits_decide_who_can_write() {
        let user = Identity {
            uid: 10,
            groups: vec![20, 30],
        };
        assert!(user.can_write(10, 0, 0o700));
        assert!(!user.can_write(10, 20, 0o577));
        assert!(user.can_write(0, 30, 0o070));
        assert!(!user.can_write(0, 30, 0o707));
        assert!(user.can_write(0, 0, 0o1777));
        assert!(!user.can_write(0, 0, 0o755));
        let root = Identity {
            uid: 0,
            groups: vec![0],
        };
        assert!(root.can_write(10, 10, 0o500));
    }
}
