//! Recognises downloads that are not packages: servers may send web pages instead of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::{Error, ErrorKind};

/// The error for a file that [`is_web_page`] recognizes.
pub(crate) fn web_page() -> Error {
    Error::new(
        ErrorKind::WebPage,
        "the server sent a web page, not a conda package",
    )
}

/// Whether the bytes start like an HTML or XML document.
pub fn is_web_page(start: &[u8]) -> bool {
    let start = start[..start.len().min(512)]
        .trim_ascii_start()
        .to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<?xml"]
        .iter()
        .any(|beginning| start.starts_with(beginning))
}

/// Whether the file at `path` starts like one.
pub(crate) fn is_web_page_at(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut start)?;
    Ok(is_web_page(&start))
}

/// The error for a file of `size` bytes that starts like this.
pub(super) fn not_a_package(start: &[u8], size: u64) -> Error {
    if is_web_page(start) {
        return web_page();
    }
    let what = if size == 0 {
        "is empty"
    } else if start.starts_with(b"PK\x03\x04") {
        "is a zip archive, like .conda packages, but is not named like one"
    } else if start.starts_with(b"BZh") {
        "is a bzip2 archive, like .tar.bz2 packages, but is not named like one"
    } else {
        "is not a conda package (neither the .conda nor the .tar.bz2 format)"
    };
    Error::new(ErrorKind::BadArchive, format!("the downloaded file {what}"))
}
