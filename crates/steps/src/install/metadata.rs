//! A package's own metadata: the files in `info/`. They are as untrusted as the archive, and their sizes are limited.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use rattler_conda_types::package::{
    EntryPoint, LinkJson, NoArchLinks, PackageFile as _, PathsEntry, PathsJson,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::entry::MOST_FILES;
use super::error::{Cause, Error, ErrorKind, Result};
use condafront_model::visible::unfit;

const INDEX: &str = "info/index.json";
const PATHS: &str = "info/paths.json";
const LINK: &str = "info/link.json";

/// Files that list paths line by line, as packages had them before `paths.json`.
const OLD_LISTS: [&str; 4] = [
    "info/files",
    "info/has_prefix",
    "info/no_link",
    "info/no_softlink",
];

/// How many bytes a file may have. Real ones have a few kilobytes.
const LARGEST: u64 = 16 << 20;

/// How many bytes a list of all files may have. An entry has about 250.
const LARGEST_LIST: u64 = 512 << 20;

/// How many values `paths.json` may have, with those in lists and objects. An entry has about 6.
const MOST_VALUES: u64 = 32 * MOST_FILES;

/// The whole of `index.json`.
///
/// # Errors
/// A file that is missing, too large, or not a JSON object.
pub(super) fn index(dir: &Path) -> Result<Map<String, Value>> {
    let Some(text) = read(dir, INDEX, LARGEST)? else {
        return Err(bad_metadata(INDEX, "the archive has no such file"));
    };
    serde_json::from_slice(&text).map_err(|e| bad_metadata(INDEX, e))
}

/// The paths that the package lists, in `paths.json` or in the files before it.
///
/// # Errors
/// Files that are missing, too large or not valid.
pub(super) fn paths(dir: &Path) -> Result<Vec<PathsEntry>> {
    let paths = match read(dir, PATHS, LARGEST_LIST)? {
        Some(text) => {
            check_values(&text)?;
            if count(&text).map_err(|e| bad_metadata(PATHS, e))? > MOST_FILES {
                return Err(too_many(PATHS, "files"));
            }
            PathsJson::from_slice(&text)
        }
        None => {
            for name in OLD_LISTS {
                check_lines(dir, name)?;
            }
            PathsJson::from_deprecated_package_directory(dir)
        }
    };
    Ok(paths.map_err(|e| bad_metadata(PATHS, e))?.paths)
}

/// The programs of a `noarch: python` package.
///
/// # Errors
/// A file that is too large or not valid, or a name that would break lines or hide itself.
pub(super) fn entry_points(dir: &Path) -> Result<Vec<EntryPoint>> {
    let Some(text) = read(dir, LINK, LARGEST)? else {
        return Ok(Vec::new());
    };
    let link = LinkJson::from_slice(&text).map_err(|e| bad_metadata(LINK, e))?;
    let entry_points = match link.noarch {
        NoArchLinks::Python(python) => python.entry_points,
        NoArchLinks::Generic => Vec::new(),
    };
    if entry_points.len() as u64 > MOST_FILES {
        return Err(too_many(LINK, "programs"));
    }
    // The parser has checked everything else.
    for EntryPoint { command, .. } in &entry_points {
        if let Some(what) = unfit(command) {
            let why = format!(
                "the name of its entry point `{}` contains {what}",
                command.escape_debug()
            );
            return Err(bad_metadata(LINK, why));
        }
    }
    Ok(entry_points)
}

/// The error for metadata that is missing or not valid.
pub(super) fn bad_metadata(file: &str, why: impl Into<Cause>) -> Error {
    let why = why.into();
    Error::new(
        ErrorKind::BadMetadata,
        format!("the package's {file} cannot be used: {why}"),
    )
    .caused_by(why)
}

/// How many paths a `paths.json` lists. An entry takes much more memory than its text, so that they are counted first.
fn count(text: &[u8]) -> serde_json::Result<u64> {
    #[derive(Deserialize)]
    struct Paths {
        /// Takes no memory: its items have no size.
        paths: Vec<IgnoredAny>,
    }
    let paths: Paths = serde_json::from_slice(text)?;
    Ok(paths.paths.len() as u64)
}

/// Checks that a `paths.json` has no more values than the parser can keep. It keeps those that it does not know until it has
/// read the entry, and each takes much more memory than its text.
fn check_values(text: &[u8]) -> Result<()> {
    // Every value is the first one in its list or object, or it follows a comma. Those in names count too.
    let starts = text.iter().filter(|byte| b"[{,".contains(byte));
    if starts.count() as u64 > MOST_VALUES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("its {PATHS} has more than {MOST_VALUES} values; no real package does"),
        ));
    }
    Ok(())
}

/// Checks that a file with a path per line, if there is one, has no more lines than a package may have files.
fn check_lines(dir: &Path, name: &str) -> Result<()> {
    let path = dir.join(name);
    if !check_size(&path, name, LARGEST_LIST)? {
        return Ok(());
    }
    let file = File::open(&path).map_err(|e| Error::io("open", &path, e))?;
    let lines = BufReader::new(file).split(b'\n');
    if lines.take_while(io::Result::is_ok).count() as u64 > MOST_FILES {
        return Err(too_many(name, "files"));
    }
    Ok(())
}

/// The content of a file; `None` if there is none.
fn read(dir: &Path, name: &str, largest: u64) -> Result<Option<Vec<u8>>> {
    let path = dir.join(name);
    if !check_size(&path, name, largest)? {
        return Ok(None);
    }
    let text = fs::read(&path).map_err(|e| bad_metadata(name, e))?;
    Ok(Some(text))
}

/// Checks that a file, if there is one, is not too large. Returns whether there is one.
fn check_size(path: &Path, name: &str, largest: u64) -> Result<bool> {
    match fs::metadata(path) {
        Ok(found) if found.len() > largest => Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "its {name} has more than {} MiB; no real package does",
                largest >> 20
            ),
        )),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(bad_metadata(name, error)),
    }
}

fn too_many(name: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("its {name} lists more than {MOST_FILES} {what}; no real package does"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error for a package whose file `name` has this content.
    fn error(name: &str, content: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("info")).unwrap();
        fs::write(dir.path().join(name), content).unwrap();
        let error = match name {
            INDEX => index(dir.path()).unwrap_err(),
            LINK => entry_points(dir.path()).unwrap_err(),
            _ => paths(dir.path()).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        error.to_string()
    }

    /// All of these compress to almost nothing.
    #[test]
    fn metadata_that_no_package_has_is_refused_before_it_is_read() {
        let count = usize::try_from(MOST_FILES).unwrap() + 1;
        let blank = " ".repeat(usize::try_from(LARGEST).unwrap() + 1);
        let mut paths = r#"{"_path":"x","path_type":"hardlink"},"#.repeat(count);
        paths.pop();
        let paths = format!(r#"{{"paths":[{paths}],"paths_version":1}}"#);
        let values = format!(
            r#"{{"paths":[{{"_path":"a","path_type":"hardlink","more":[{}0]}}],"paths_version":1}}"#,
            "0,".repeat(usize::try_from(MOST_VALUES).unwrap())
        );
        let lines = "share/x\n".repeat(count);
        let mut programs = r#""a=b:c","#.repeat(count);
        programs.pop();
        let programs = format!(
            r#"{{"noarch":{{"type":"python","entry_points":[{programs}]}},"package_metadata_version":1}}"#
        );
        let errors = [
            error(INDEX, &blank),
            error(LINK, &blank),
            error(LINK, &programs),
            error(PATHS, &paths),
            error(PATHS, &values),
            error("info/files", &lines),
            error("info/no_link", &lines),
        ];
        insta::assert_snapshot!(errors.join("\n"), @"
        its info/index.json has more than 16 MiB; no real package does
        its info/link.json has more than 16 MiB; no real package does
        its info/link.json lists more than 500000 programs; no real package does
        its info/paths.json lists more than 500000 files; no real package does
        its info/paths.json has more than 16000000 values; no real package does
        its info/files lists more than 500000 files; no real package does
        its info/no_link lists more than 500000 files; no real package does
        ");
    }
}
