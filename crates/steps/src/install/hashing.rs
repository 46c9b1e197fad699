//! Hashes of files.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::error::{Error, ErrorKind, Result};

/// The hashes and the size of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) md5: String,
    pub(crate) sha256: String,
    pub(crate) size: u64,
}

/// A hash that is not the expected one.
#[derive(Debug)]
pub(crate) struct Mismatch {
    kind: &'static str,
    expected: String,
    found: String,
}

/// Both hashes, on two indented lines.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            expected,
            found,
        } = self;
        write!(f, "  {kind} expected {expected}\n  {kind} found    {found}")
    }
}

impl Digests {
    /// The first hash that is not the expected one. Upper and lower case are the same.
    pub(crate) fn mismatch(&self, sha256: Option<&str>, md5: Option<&str>) -> Option<Mismatch> {
        let hashes = [("sha256", sha256, &self.sha256), ("md5", md5, &self.md5)];
        hashes.into_iter().find_map(|(kind, expected, found)| {
            let expected = expected.filter(|expected| !expected.eq_ignore_ascii_case(found))?;
            Some(Mismatch {
                kind,
                expected: expected.to_owned(),
                found: found.clone(),
            })
        })
    }

    /// Checks that a file, called `label` in messages, has the hashes from the lock.
    ///
    /// # Errors
    /// A hash that differs.
    pub(crate) fn check(&self, label: &str, sha256: Option<&str>, md5: Option<&str>) -> Result<()> {
        match self.mismatch(sha256, md5) {
            None => Ok(()),
            Some(mismatch) => Err(Error::new(
                ErrorKind::HashMismatch,
                format!("{label} does not match the lock\n{mismatch}"),
            )),
        }
    }
}

/// Reads the archive at `path` once and computes both hashes.
///
/// # Errors
/// A file that is missing or cannot be read.
pub(crate) fn digests(path: &Path) -> Result<Digests> {
    let (mut md5, mut sha256, mut size) = (Md5::new(), Sha256::new(), 0);
    read(path, |bytes| {
        md5.update(bytes);
        sha256.update(bytes);
        size += bytes.len() as u64;
    })?;
    Ok(Digests {
        md5: hex::encode(md5.finalize()),
        sha256: hex::encode(sha256.finalize()),
        size,
    })
}

/// The sha256 of the file at `path`, in hex.
///
/// # Errors
/// A file that is missing or cannot be read.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let mut sha256 = Sha256::new();
    read(path, |bytes| sha256.update(bytes))?;
    Ok(hex::encode(sha256.finalize()))
}

/// Reads the file at `path` in parts.
///
/// # Errors
/// A file that is missing or cannot be read.
pub(crate) fn read(path: &Path, mut each: impl FnMut(&[u8])) -> Result<()> {
    let mut file = File::open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Error::new(
            ErrorKind::MissingInput,
            format!("{} is missing", path.display()),
        ),
        _ => Error::io("open", path, e),
    })?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => each(&buffer[..length]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::io("read", path, e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_same_in_upper_case() {
        let found = Digests {
            md5: "ab".to_owned(),
            sha256: "cd".to_owned(),
            size: 1,
        };
        let wrong = |sha256, md5| {
            let mismatch = found.mismatch(sha256, md5);
            mismatch.map(|it| it.to_string())
        };
        for good in [(None, None), (Some("CD"), None), (Some("cd"), Some("AB"))] {
            assert_eq!(wrong(good.0, good.1), None, "{good:?}");
        }
        let of = |kind| format!("  {kind} expected EF\n  {kind} found    ");
        assert_eq!(wrong(Some("EF"), Some("EF")), Some(of("sha256") + "cd"));
        assert_eq!(wrong(Some("cd"), Some("EF")), Some(of("md5") + "ab"));
    }
}
