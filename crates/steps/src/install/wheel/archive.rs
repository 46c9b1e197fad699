//! Reading untrusted wheels, which are zip archives
//! (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use nix::libc::{S_IFLNK, S_IFMT, S_IFREG};
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::super::archive::{Limits, Unpacker, damaged, refused};
use super::super::entry::{Entries, relative_path};
use super::super::error::{Error, ErrorKind, Result};

/// Reads the whole wheel at `path`, checks every entry, and writes it to `dest`, an existing empty directory. Modes are
/// those that pip gives to files.
///
/// # Errors
/// A file that is not a zip archive, a damaged one, an unsafe entry, or one beyond `limits`.
pub(crate) fn unpack_wheel(path: &Path, dest: &Path, limits: &Limits) -> Result<Entries> {
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let size = file
        .metadata()
        .map_err(|e| Error::io("read", path, e))?
        .len();
    let mut unpacker = Unpacker::new(dest, limits, size);
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|why| {
        let message = format!("the file is not a wheel, or it is damaged: {why}");
        Error::new(ErrorKind::BadArchive, message).caused_by(why)
    })?;
    if archive.has_duplicate_names() {
        return Err(damaged("two of its files have the same name"));
    }
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(damaged)?;
        if !matches!(
            member.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            let message = "one of its files is compressed with another method than deflate, which is not supported";
            return Err(Error::new(ErrorKind::BadArchive, message));
        }
        read_member(&mut unpacker, member)?;
    }
    unpacker.finish()
}

fn read_member<R: Read>(unpacker: &mut Unpacker<'_>, member: ZipFile<'_, R>) -> Result<()> {
    unpacker.count_entry()?;
    let raw = member.name().map_err(damaged)?.into_owned();
    let name = relative_path(raw.as_bytes()).map_err(|why| refused(&raw, why))?;
    // Directories are created with their files, as pip does.
    if raw.ends_with('/') {
        return Ok(());
    }
    let mode = member.external_attributes() >> 16;
    match mode & S_IFMT {
        _ if name.is_empty() => return Err(refused(&raw, "a file without a name")),
        // Wheels cannot have links. As with pip, one becomes a file that contains its target.
        0 | S_IFREG | S_IFLNK => {}
        _ => return Err(refused(&raw, "a device, pipe or other special file")),
    }
    let is_executable = mode & S_IFMT == S_IFREG && mode & 0o111 != 0;
    let mode = if is_executable { 0o755 } else { 0o644 };
    unpacker.add_file(name, mode, member)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use condafront_testkit::channel::WheelFile;

    #[test]
    fn a_wheel_that_is_a_bomb_is_stopped() {
        let limits = Limits {
            bytes: 1 << 20,
            entries: 4,
            free_bytes: 1 << 16,
            ratio: 10,
        };
        let unpack = |files: usize, size: usize, limits: &Limits| {
            let mut wheel = WheelFile::new("zeros", "1.0");
            for index in 0..files {
                wheel = wheel.file(&format!("{index}.py"), &"0".repeat(size));
            }
            let dir = tempfile::TempDir::new().unwrap();
            let archive = dir.path().join("zeros.whl");
            fs::write(&archive, wheel.build()).unwrap();
            unpack_wheel(&archive, dir.path(), limits)
        };
        // And three of metadata.
        assert_eq!(unpack(1, 1 << 12, &limits).unwrap().len(), 4);
        let likely = Limits {
            ratio: 1_000_000,
            ..limits
        };
        assert_eq!(unpack(1, 1 << 19, &likely).unwrap().len(), 4);
        for (what, files, size, limits) in [
            ("more files than allowed", 2, 1, limits),
            ("more bytes than its size suggests", 1, 1 << 17, limits),
            ("more bytes than any may have", 1, 1 << 20, likely),
        ] {
            let error = unpack(files, size, &limits).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge, "{what}: {error}");
        }
    }
}
