//! What a wheel says about itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::super::entry::{Entries, MOST_FILES, shown};
use super::super::error::{Error, ErrorKind, Result};
use super::archive::Unpacked;
use crate::headers::{text_of, value};
use condafront_model::pypi_package::{is_name_char, normalized};

/// The folder of a wheel's metadata, and the parts of it that installing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// `requests-2.32.3.dist-info`
    pub(super) folder: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) requires_python: Option<String>,
}

/// How many bytes a text file of a wheel's metadata may have.
pub(super) const LARGEST: u64 = 16 << 20;

/// How many bytes the list of its files may have, and any program in it. A list of half a million files has less.
pub(super) const LARGEST_LIST: u64 = 256 << 20;

/// An error in what a wheel says.
pub(super) fn bad(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadMetadata, why)
}

impl Metadata {
    /// Reads the metadata of the wheel `file_name`, which is unpacked in `dir`.
    ///
    /// # Errors
    /// Metadata that is missing, is that of another package, or has a newer format.
    pub(super) fn read(file_name: &str, wheel: &Unpacked, dir: &Path) -> Result<Self> {
        let folder = folder(&wheel.tops)?;
        let of = |name: &str| text(dir, &wheel.entries, &format!("{folder}/{name}"), LARGEST);
        let required = |name: &str| of(name)?.ok_or_else(|| bad(format!("it has no {name}")));
        let (metadata, wheel) = (required("METADATA")?, required("WHEEL")?);
        let field = |name: &str| {
            let found = value(&metadata, name).filter(|found| !found.is_empty());
            found.ok_or_else(|| bad(format!("its METADATA has no {name}")))
        };
        let (name, version) = (field("Name")?, field("Version")?);
        check_spelling(&text_of(&metadata, "Name").unwrap_or_default())?;
        let of_file = file_name.split('-').next().unwrap_or_default();
        check_name(&name, of_file, &folder)?;
        let format = value(&wheel, "Wheel-Version").filter(|found| !found.is_empty());
        check_format(&format.ok_or_else(|| bad("its WHEEL has no Wheel-Version".to_owned()))?)?;
        Ok(Self {
            requires_python: value(&metadata, "Requires-Python"),
            name,
            version,
            folder,
        })
    }
}

/// The text of a file of the wheel, if it has the file.
///
/// # Errors
/// As for [`read`], and a file in another encoding: pip reads none, and programs that list packages fail.
pub(super) fn text(dir: &Path, entries: &Entries, path: &str, most: u64) -> Result<Option<String>> {
    if !entries.contains_key(path) {
        return Ok(None);
    }
    let bytes = read(&dir.join(path), most)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let name = path.rsplit('/').next().unwrap_or(path);
        bad(format!("its {name} is not UTF-8"))
    })?;
    Ok(Some(text))
}

/// The content of a text file of at most `most` bytes.
///
/// # Errors
/// An I/O error, or a file that is too large.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let reading = |e| Error::io("read", path, e);
    let size = fs::metadata(path).map_err(reading)?.len();
    if size > most {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let message = format!(
            "its {} has {size} bytes; no real package does",
            shown(&name)
        );
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    fs::read(path).map_err(reading)
}

/// The error for a file of the metadata that lists more of something than there are files in any package.
pub(super) fn too_many(file: &str, what: &str) -> Error {
    let message = format!("its {file} lists more than {MOST_FILES} {what}; no real package does");
    Error::new(ErrorKind::TooLarge, message)
}

/// The folder of the metadata. As for pip, nothing else in a wheel may be called like one, be it a file or empty.
fn folder(tops: &BTreeSet<String>) -> Result<String> {
    let mut folders = tops.iter().filter(|top| top.ends_with(".dist-info"));
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder.clone()),
        (None, _) => Err(bad("it has no .dist-info folder, so it is not a wheel")),
        (Some(one), Some(other)) => Err(bad(format!(
            "it has `{}` and `{}`, but a wheel has one .dist-info folder",
            shown(one),
            shown(other)
        ))),
    }
}

/// A name must be spelled as one, with nothing around it. pip does not take it for that of the package otherwise.
fn check_spelling(name: &str) -> Result<()> {
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if name.chars().all(is_name_char)
        && is_end(name.chars().next())
        && is_end(name.chars().next_back())
    {
        return Ok(());
    }
    Err(bad(format!(
        "its METADATA has the name `{}`, which is not valid",
        shown(name)
    )))
}

/// The package `name` must be the one of the file's name and of the `folder` with the metadata. Old wheels have folders whose
/// names do not show where the package's ends.
fn check_name(name: &str, of_file: &str, folder: &str) -> Result<()> {
    let is_named = |other: &str| {
        Err(bad(format!(
            "it is named like `{}`, but its METADATA is that of `{}`",
            other.escape_debug(),
            name.escape_debug()
        )))
    };
    if normalized(of_file) != normalized(name) {
        return is_named(of_file);
    }
    if !normalized(folder).starts_with(&normalized(name)) {
        return is_named(folder);
    }
    Ok(())
}

/// Minor versions of the format are compatible, major ones are not. Wheels from before the specification have version 0.
fn check_format(version: &str) -> Result<()> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    if version.split('.').all(is_number) && matches!(major, Some(0u32 | 1)) {
        return Ok(());
    }
    Err(bad(format!(
        "its format is version `{}`, and only version 1 is known",
        version.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_be_those_of_the_package() {
        for (name, of_file, folder, expected) in [
            ("A.b", "a_b", "A.b-1.0.dist-info", true),
            ("my-pkg", "my_pkg", "my-pkg-1.0.dist-info", true),
            ("a", "b", "a-1.0.dist-info", false),
            ("a", "a", "b-1.0.dist-info", false),
        ] {
            let found = check_name(name, of_file, folder);
            assert_eq!(found.is_ok(), expected, "{name} {of_file} {folder}");
        }
    }

    #[test]
    fn names_must_be_spelled_as_names() {
        for name in ["a", "A.b-c_2", "2"] {
            assert!(check_spelling(name).is_ok(), "{name}");
        }
        for name in [
            "a  ",
            "\n a",
            "a\t",
            "a.",
            "_a",
            "a b",
            "é",
            "=?utf-8?q?a?=",
        ] {
            let message = check_spelling(name).unwrap_err().to_string();
            assert!(message.ends_with("which is not valid"), "{name}: {message}");
        }
    }

    #[test]
    fn only_known_formats_are_read() {
        for version in ["1.0", "1.9", "1", "0.1", "1.99999999999"] {
            assert!(check_format(version).is_ok(), "{version}");
        }
        for version in [
            "",
            "2.0",
            "10.0",
            "x",
            "1.x",
            "1.0 x",
            "1.",
            "-1.0",
            "99999999999.0",
        ] {
            assert!(check_format(version).is_err(), "{version}");
        }
    }
}
