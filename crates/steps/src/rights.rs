//! Permissions that give rights away.

use std::io;
use std::path::Path;

use nix::libc::ENOTSUP;

/// The bits for set-uid and set-gid.
pub(crate) const SET_ID: u32 = 0o6000;

/// The bits for set-uid, set-gid, and for everyone to write.
pub(crate) const RIGHTS: u32 = SET_ID | 0o002;

/// The attribute with a program's capabilities (capabilities(7)).
pub(crate) const CAPABILITIES: &str = "security.capability";

/// The capabilities of a file. A file system that has no such attributes stores none.
pub(crate) fn capabilities(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match xattr::get(path, CAPABILITIES) {
        Err(error) if error.raw_os_error() == Some(ENOTSUP) => Ok(None),
        other => other,
    }
}
