//! What a wheel says about itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::super::entry::Entries;
use super::super::error::{Error, ErrorKind, Result};
use crate::headers::value;
use condafront_model::pypi_package::normalized;

/// The folder of a wheel's metadata, and the parts of it that installing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// `requests-2.32.3.dist-info`
    pub(super) folder: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) requires_python: Option<String>,
}

/// An error in what a wheel says.
pub(super) fn bad(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadMetadata, why)
}

impl Metadata {
    /// Reads the metadata of the wheel `file_name`, which is unpacked in `dir`.
    ///
    /// # Errors
    /// Metadata that is missing, is that of another package, or has a newer format.
    pub(super) fn read(file_name: &str, entries: &Entries, dir: &Path) -> Result<Self> {
        let folder = folder(entries)?;
        let of = |name: &str| text(dir, entries, &format!("{folder}/{name}"));
        let required = |name: &str| of(name)?.ok_or_else(|| bad(format!("it has no {name}")));
        let (metadata, wheel) = (required("METADATA")?, required("WHEEL")?);
        let field = |name: &str| {
            let found = value(&metadata, name).filter(|found| !found.is_empty());
            found.ok_or_else(|| bad(format!("its METADATA has no {name}")))
        };
        let (name, version) = (field("Name")?, field("Version")?);
        let of_file = file_name.split('-').next().unwrap_or_default();
        check_name(&name, of_file, &folder)?;
        check_format(&value(&wheel, "Wheel-Version").unwrap_or_default())?;
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
pub(super) fn text(dir: &Path, entries: &Entries, path: &str) -> Result<Option<String>> {
    if !entries.contains_key(path) {
        return Ok(None);
    }
    let bytes = read(&dir.join(path))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let name = path.rsplit('/').next().unwrap_or(path);
        bad(format!("its {name} is not UTF-8"))
    })?;
    Ok(Some(text))
}

/// The content of a text file.
///
/// # Errors
/// An I/O error, or a file that is too large for memory.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    /// The list of half a million files has less than this.
    const MOST: u64 = 256 << 20;
    let reading = |e| Error::io("read", path, e);
    let size = fs::metadata(path).map_err(reading)?.len();
    if size > MOST {
        let message = format!("a text file in it has {size} bytes; no real package does");
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    fs::read(path).map_err(reading)
}

fn folder(entries: &Entries) -> Result<String> {
    let top = entries.keys().filter_map(|path| path.split_once('/'));
    let folders: BTreeSet<&str> = top
        .map(|(folder, _)| folder)
        .filter(|folder| folder.ends_with(".dist-info"))
        .collect();
    let mut folders = folders.into_iter();
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder.to_owned()),
        (None, _) => Err(bad("it has no .dist-info folder, so it is not a wheel")),
        (Some(_), Some(_)) => Err(bad("it has several .dist-info folders")),
    }
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
    let numbers = version.split('.').map(|number| number.parse().ok());
    let numbers: Option<Vec<u32>> = numbers.collect();
    match numbers.as_deref() {
        Some([0 | 1, ..]) => Ok(()),
        _ => Err(bad(format!(
            "its format is version `{}`, and only version 1 is known",
            version.escape_debug()
        ))),
    }
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
    fn only_known_formats_are_read() {
        for version in ["1.0", "1.9", "1", "0.1"] {
            assert!(check_format(version).is_ok(), "{version}");
        }
        for version in ["", "2.0", "10.0", "x", "1.x", "1.0 x"] {
            assert!(check_format(version).is_err(), "{version}");
        }
    }
}
