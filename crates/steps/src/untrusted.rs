//! Reading files of an image that may come from anyone.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

/// The longest record of a package that is read. That of the largest packages has some megabytes.
pub(crate) const LONGEST_RECORD: u64 = 64 << 20;

/// The content of the regular file at `path`, which is no link, if it has at most `most` bytes.
///
/// # Errors
/// An I/O error; for something else than such a file, one that says so.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let too_large = || wrong("it is too large");
    if file.metadata()?.len() > most {
        return Err(too_large());
    }
    let content = content(file, most.saturating_add(1))?;
    if content.len() as u64 > most {
        return Err(too_large());
    }
    Ok(content)
}

/// The first bytes of the regular file at `path`, which is no link, at most `most`.
///
/// # Errors
/// As [`read`].
pub(crate) fn start(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    content(open(path)?, most)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Opening a named pipe waits for a writer.
    options.read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(wrong("it is not a file"));
    }
    Ok(file)
}

fn content(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(most).read_to_end(&mut content)?;
    Ok(content)
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn only_small_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "text").unwrap();
        symlink("file", at("link")).unwrap();
        let made = Command::new("mkfifo").arg(at("pipe")).status();
        assert!(made.unwrap().success());
        assert_eq!(read(&at("file"), 4).unwrap(), b"text");
        assert_eq!(start(&at("file"), 3).unwrap(), b"tex");
        assert_eq!(
            read(&at("file"), 3).unwrap_err().to_string(),
            "it is too large"
        );
        assert_eq!(
            read(&at("pipe"), 9).unwrap_err().to_string(),
            "it is not a file"
        );
        for wrong in ["link", "missing", "."] {
            assert!(read(&at(wrong), 9).is_err(), "{wrong}");
        }
    }
}
