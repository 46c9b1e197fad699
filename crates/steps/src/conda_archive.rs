//! The compressed tar archives in conda packages. What is in them is not checked here, and only the headers of their entries
//! are limited.

use std::borrow::Cow;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

/// Why the tar archives in a `.conda` file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    #[error("there is no {0}….tar.zst")]
    Missing(&'static str),
    #[error(transparent)]
    Zstd(#[from] io::Error),
}

/// The beginning of the name of the archive that describes the package.
pub(crate) const INFO: &str = "info-";

/// The beginning of the name of the archive with the package's files.
pub(crate) const CONTENT: &str = "pkg-";

/// A `.conda` file: a zip archive with `info-….tar.zst` and `pkg-….tar.zst`.
pub(crate) struct CondaFile(zip::ZipArchive<BufReader<File>>);

impl CondaFile {
    pub(crate) fn open(file: File) -> Result<Self, OpenError> {
        Ok(Self(zip::ZipArchive::new(BufReader::new(file))?))
    }

    /// The tar archive whose name begins with [`INFO`] or [`CONTENT`]. At most `most` bytes of it are decompressed: it may be
    /// compressed twice, and zstd passes over some parts without a result.
    pub(crate) fn tar(&mut self, part: &'static str, most: u64) -> Result<impl Read, OpenError> {
        let name = self
            .0
            .file_names()
            .flatten()
            .find(|name| name.starts_with(part) && name.ends_with(".tar.zst"))
            .map(Cow::into_owned)
            .ok_or(OpenError::Missing(part))?;
        Ok(zstd::Decoder::new(self.0.by_name(&name)?.take(most))?)
    }
}

/// The tar archive in a `.tar.bz2` file.
pub(crate) fn tar_of_bz2(file: File) -> impl Read {
    bzip2::bufread::MultiBzDecoder::new(BufReader::new(file))
}

/// How many bytes the headers of one entry may have: its name, the target of a link, and pax headers. Linux has no paths of
/// more than 4 KiB.
pub(crate) const LONGEST_HEADER: u64 = 1 << 20;

/// Why an entry of a tar archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TarError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the headers of an entry, such as its name, have more than {} MiB", LONGEST_HEADER >> 20)]
    LongHeader,
}

/// A tar archive whose headers are limited: the `tar` crate keeps them in memory, whatever their length.
pub(crate) struct TarReader<R: Read> {
    archive: tar::Archive<Limited<R>>,
    left: Rc<Cell<u64>>,
}

/// An entry of such an archive.
pub(crate) type TarEntry<'a, R> = tar::Entry<'a, Limited<R>>;

impl<R: Read> TarReader<R> {
    pub(crate) fn new(reader: R) -> Self {
        let left = Rc::new(Cell::new(LONGEST_HEADER));
        let limited = Limited {
            reader,
            left: Rc::clone(&left),
        };
        Self {
            archive: tar::Archive::new(limited),
            left,
        }
    }

    /// Calls `visit` with one entry after the other until it breaks or fails. It need not read an entry's content.
    ///
    /// # Errors
    /// Those of `visit`, and a damaged archive or too long headers.
    pub(crate) fn each<E: From<TarError>>(
        &mut self,
        mut visit: impl FnMut(&mut TarEntry<'_, R>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let left = &self.left;
        let explained = |error: io::Error| match left.get() {
            0 => TarError::LongHeader,
            _ => TarError::Io(error),
        };
        for entry in self.archive.entries().map_err(TarError::Io)? {
            let mut entry = entry.map_err(explained)?;
            left.set(u64::MAX);
            if visit(&mut entry)?.is_break() {
                return Ok(());
            }
            io::copy(&mut entry, &mut io::sink()).map_err(TarError::Io)?;
            left.set(LONGEST_HEADER);
        }
        Ok(())
    }

    /// What follows the last entry that was read.
    pub(crate) fn into_rest(self) -> R {
        self.archive.into_inner().reader
    }
}

/// A reader that fails after `left` bytes.
pub(crate) struct Limited<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left.get()).unwrap_or(usize::MAX);
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other(TarError::LongHeader));
        }
        let most = buffer.len().min(left);
        let length = self.reader.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - length as u64);
        Ok(length)
    }
}
