//! What an archive says about its package: `info/index.json`.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Map, Value};

use crate::conda_archive::{CondaFile, INFO, TarReader, tar_of_bz2};
use crate::install::error::{Cause, Error, ErrorKind, Result};

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
        find(tar_of_bz2(file))
    };
    text.and_then(|text| Ok(serde_json::from_slice(&text)?))
        .map_err(|why| {
            let message = format!("its {INDEX} cannot be read: {why}");
            Error::new(ErrorKind::BadMetadata, message).caused_by(why)
        })
}

fn index_of_conda(file: File) -> std::result::Result<Vec<u8>, Cause> {
    let mut archive = CondaFile::open(file)?;
    find(archive.tar(INFO, LARGEST)?)
}

fn find(archive: impl Read) -> std::result::Result<Vec<u8>, Cause> {
    let mut text = None;
    TarReader::new(archive.take(LARGEST)).each(|entry| {
        if &*entry.path_bytes() != INDEX.as_bytes() {
            return Ok(ControlFlow::Continue(()));
        }
        let mut found = Vec::new();
        entry.take(LARGEST_INDEX).read_to_end(&mut found)?;
        text = Some(found);
        Ok::<_, Cause>(ControlFlow::Break(()))
    })?;
    text.ok_or_else(|| "it is missing".into())
}
