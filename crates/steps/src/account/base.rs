//! What the steps need to know about a base image, read from its files: none of its programs run.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::error::AccountError;
use crate::distribution::name_of_release;
use crate::root::{Root, RootError};
use condafront_step_spec::account::Libc;

/// A base image's shells, as absolute paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shells {
    /// A POSIX shell.
    pub(super) sh: Option<String>,
    /// bash.
    pub(super) bash: Option<String>,
}

/// Finds the shells in the directories where distributions install them.
pub(super) fn shells(root: &Root) -> Result<Shells, AccountError> {
    Ok(Shells {
        sh: executable(root, "sh")?,
        bash: executable(root, "bash")?,
    })
}

fn executable(root: &Root, name: &str) -> Result<Option<String>, AccountError> {
    for dir in ["/bin", "/usr/bin"] {
        let path = format!("{dir}/{name}");
        let found = root.metadata(Path::new(&path))?;
        if found.is_some_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// os-release(5); empty if the base image has none.
pub(crate) fn os_release(root: &Root) -> Result<String, RootError> {
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        if let Some(text) = root.read(Path::new(path))? {
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(String::new())
}

/// The distribution's name in os-release(5), `Debian GNU/Linux 13 (trixie)`; empty if the base image has none.
pub(crate) fn os_name(root: &Root) -> Result<String, RootError> {
    let text = os_release(root)?;
    Ok(name_of_release(&text).unwrap_or_default().to_owned())
}

/// Finds the C library: glibc's `libc.so.6` names its version, and musl is known by the name of its loader.
pub(crate) fn libc(root: &Root) -> Result<Libc, RootError> {
    let dirs = library_dirs(root)?;
    for dir in &dirs {
        if let Some(library) = root.read(&dir.join("libc.so.6"))?
            && let Some(version) = glibc_version(&library)
        {
            return Ok(Libc::Glibc { version });
        }
    }
    for dir in &dirs {
        let names = root.list(dir)?;
        if names
            .iter()
            .any(|name| name.as_encoded_bytes().starts_with(b"ld-musl-"))
        {
            return Ok(Libc::Musl);
        }
    }
    Ok(Libc::None)
}

/// `/lib`, `/lib64` and so on, and Debian's directories for an architecture in them.
fn library_dirs(root: &Root) -> Result<Vec<PathBuf>, RootError> {
    let mut dirs = Vec::new();
    for dir in ["/lib64", "/lib", "/usr/lib64", "/usr/lib"] {
        let dir = PathBuf::from(dir);
        for name in root.list(&dir)? {
            if name.to_string_lossy().contains("-linux-gnu") {
                dirs.push(dir.join(name));
            }
        }
        dirs.push(dir);
    }
    Ok(dirs)
}

/// The version in glibc's banner, `GNU C Library (Debian GLIBC 2.41-12) stable release version
/// 2.41.`
fn glibc_version(library: &[u8]) -> Option<String> {
    let banner = after(library, b"GNU C Library ")?;
    let banner = &banner[..banner.len().min(256)];
    let version = after(banner, b" version ")?;
    let end = version
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    let version = std::str::from_utf8(&version[..end]).ok()?;
    let version = version.trim_end_matches('.');
    (!version.is_empty()).then(|| version.to_owned())
}

fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = memmem::find(bytes, mark)?;
    Some(&bytes[at + mark.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_of_glibc_gives_its_version() {
        let debian = b"\0\x7fGNU C Library (Debian GLIBC 2.36-9+deb12u4) stable release version 2.36.\nCopyright";
        assert_eq!(glibc_version(debian).as_deref(), Some("2.36"));
        let fedora = b"GNU C Library (GNU libc) stable release version 2.41.\0";
        assert_eq!(glibc_version(fedora).as_deref(), Some("2.41"));
        assert_eq!(glibc_version(b"GNU C Library (old)"), None);
        assert_eq!(glibc_version(b""), None);
    }
}
