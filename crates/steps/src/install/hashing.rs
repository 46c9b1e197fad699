//! Hashes of files.

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
