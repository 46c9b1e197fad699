//! The text of a repodata file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::error::RepodataFault;
use crate::install::error::Cause;
use crate::install::is_web_page;

/// The first bytes of zstd files.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The largest JSON that is read, in bytes. conda-forge's largest subdir has 0.4 GB.
pub(super) const LARGEST: u64 = 1 << 30;

/// The largest window of a compressed file, as a power of two: the largest that there is.
const WINDOW: u32 = 31;

pub(super) fn not_repodata(error: impl Into<Cause>) -> RepodataFault {
    RepodataFault::NotRepodata(error.into())
}

/// The same text as a stream, at most one byte more than may be read.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref()
        .take(ZSTD_MAGIC.len() as u64)
        .read_to_end(&mut start)?;
    let file = File::open(path)?;
    if start != ZSTD_MAGIC {
        return Ok(Box::new(file.take(LARGEST + 1)));
    }
    let mut decoder = zstd::Decoder::new(file)?;
    decoder.window_log_max(WINDOW)?;
    Ok(Box::new(decoder.take(LARGEST + 1)))
}

/// Whether a text of this length is too large.
pub(super) fn is_too_large(length: u64) -> bool {
    length > LARGEST
}

/// The JSON text of a repodata file, decompressed if necessary.
pub(super) fn read_json(path: &Path) -> Result<Vec<u8>, RepodataFault> {
    let mut file = File::open(path).map_err(not_repodata)?;
    let mut start = Vec::new();
    file.by_ref()
        .take(512)
        .read_to_end(&mut start)
        .map_err(not_repodata)?;
    if start.starts_with(&ZSTD_MAGIC) {
        let size = zstd::zstd_safe::get_frame_content_size(&start)
            .ok()
            .flatten();
        return decompress(path, size.unwrap_or(0));
    }
    if is_web_page(&start) {
        return Err(RepodataFault::WebPage);
    }
    match start.trim_ascii_start().first() {
        None => Err(RepodataFault::NotRepodata("it is empty".into())),
        Some(b'{') => {
            if is_too_large(file.metadata().map_err(not_repodata)?.len()) {
                return Err(RepodataFault::TooLarge(LARGEST));
            }
            fs::read(path).map_err(not_repodata)
        }
        Some(_) => Err(RepodataFault::NotRepodata(
            "it is neither JSON nor compressed with zstd".into(),
        )),
    }
}

fn decompress(path: &Path, announced: u64) -> Result<Vec<u8>, RepodataFault> {
    let damaged = RepodataFault::Compression;
    let mut decoder = zstd::Decoder::new(File::open(path).map_err(damaged)?).map_err(damaged)?;
    decoder.window_log_max(WINDOW).map_err(damaged)?;
    // Memory that is not written to is not used, so a false size costs nothing.
    let capacity = usize::try_from(announced.min(LARGEST)).unwrap_or(0);
    let mut json = Vec::with_capacity(capacity + 1);
    decoder
        .take(LARGEST + 1)
        .read_to_end(&mut json)
        .map_err(damaged)?;
    if is_too_large(json.len() as u64) {
        return Err(RepodataFault::TooLarge(LARGEST));
    }
    Ok(json)
}
