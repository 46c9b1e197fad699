//! The compressed tar archives in conda packages. What is in them is not checked or limited here.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read};

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

    /// The tar archive whose name begins with [`INFO`] or [`CONTENT`].
    pub(crate) fn tar(&mut self, part: &'static str) -> Result<impl Read, OpenError> {
        let name = self
            .0
            .file_names()
            .flatten()
            .find(|name| name.starts_with(part) && name.ends_with(".tar.zst"))
            .map(Cow::into_owned)
            .ok_or(OpenError::Missing(part))?;
        Ok(zstd::Decoder::new(self.0.by_name(&name)?)?)
    }
}

/// The tar archive in a `.tar.bz2` file.
pub(crate) fn tar_of_bz2(file: File) -> impl Read {
    bzip2::bufread::MultiBzDecoder::new(BufReader::new(file))
}
