//! What an archive says about its package: `info/index.json`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};

use crate::install::error::{Error, ErrorKind, Result};

/// The file in the archive.
const INDEX: &str = "info/index.json";

/// At most this many unpacked bytes are read to find it.
const LARGEST: u64 = 64 << 30;

/// No such file has more than this many bytes.
const LARGEST_INDEX: u64 = 16 << 20;

/// Reads it from the archive at `path`.
///
/// # Errors
/// A damaged archive, or one without this file.
pub(super) fn index(path: &Path) -> Result<Map<String, Value>> {
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let is_conda = path.extension().is_some_and(|ending| ending == "conda");
    let text = if is_conda {
        index_of_conda(file)
    } else {
        find(bzip2::bufread::MultiBzDecoder::new(BufReader::new(file)))
    };
    text.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()))
        .map_err(|reason| {
            Error::new(
                ErrorKind::BadMetadata,
                format!("its {INDEX} cannot be read: {reason}"),
            )
        })
}

/// A `.conda` file is a zip archive; an archive of its own inside it describes the package.
fn index_of_conda(file: File) -> std::result::Result<Vec<u8>, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| text(&error))?;
    let name = zip
        .file_names()
        .flatten()
        .find(|name| name.starts_with("info-") && name.ends_with(".tar.zst"))
        .map(std::borrow::Cow::into_owned)
        .ok_or("the archive has no info-….tar.zst")?;
    let member = zip.by_name(&name).map_err(|error| text(&error))?;
    find(zstd::Decoder::new(member).map_err(|error| text(&error))?)
}

fn find(archive: impl Read) -> std::result::Result<Vec<u8>, String> {
    let mut archive = tar::Archive::new(archive.take(LARGEST));
    let entries = archive.entries().map_err(|error| error.to_string())?;
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        if &*entry.path_bytes() != INDEX.as_bytes() {
            continue;
        }
        let mut text = Vec::new();
        entry
            .take(LARGEST_INDEX)
            .read_to_end(&mut text)
            .map_err(|error| error.to_string())?;
        return Ok(text);
    }
    Err("it is missing".to_owned())
}
