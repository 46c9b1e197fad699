//! Reading untrusted wheels, which are zip archives
//! (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use nix::libc::{S_IFLNK, S_IFMT, S_IFREG};
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::super::archive::{Limits, Unpacker, damaged, refused};
use super::super::entry::{Entries, relative_path, shown};
use super::super::error::{Error, ErrorKind, Result};

/// What was in a wheel.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// Its files.
    pub(crate) entries: Entries,
    /// Their paths, in the order in which the wheel lists them.
    pub(crate) order: Vec<String>,
    /// The first parts of all paths, those of folders included.
    pub(crate) tops: BTreeSet<String>,
}

/// Reads the whole wheel at `path`, checks every entry, and writes it to `dest`, an existing empty directory. Modes are
/// those that pip gives to files.
///
/// # Errors
/// A file that is not a zip archive, a damaged one, an unsafe entry, or one beyond `limits`.
pub(crate) fn unpack_wheel(path: &Path, dest: &Path, limits: &Limits) -> Result<Unpacked> {
    let opening = |e| Error::io("open", path, e);
    let file = File::open(path).map_err(opening)?;
    let raw = file.try_clone().map_err(opening)?;
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
    let (mut order, mut tops) = (Vec::with_capacity(archive.len()), BTreeSet::new());
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(damaged)?;
        if !matches!(
            member.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            let message = "one of its files is compressed with another method than deflate, which is not supported";
            return Err(Error::new(ErrorKind::BadArchive, message));
        }
        let name = member.name().map_err(damaged)?.into_owned();
        tops.extend(name.split('/').next().map(str::to_owned));
        order.extend(read_member(&mut unpacker, &name, member, &raw)?);
    }
    Ok(Unpacked {
        entries: unpacker.finish()?,
        order,
        tops,
    })
}

/// Reads the member `raw` of the wheel `file`, and returns its path if it is a file.
fn read_member<R: Read>(
    unpacker: &mut Unpacker<'_>,
    raw: &str,
    member: ZipFile<'_, R>,
    file: &File,
) -> Result<Option<String>> {
    unpacker.count_entry()?;
    let name = relative_path(raw.as_bytes()).map_err(|why| refused(raw, why))?;
    // Directories are created with their files, as pip does.
    if raw.ends_with('/') {
        return Ok(None);
    }
    check_name(raw, &member, file)?;
    let mode = member.external_attributes() >> 16;
    match mode & S_IFMT {
        _ if name.is_empty() => return Err(refused(raw, "a file without a name")),
        // Wheels cannot have links. As with pip, one becomes a file that contains its target.
        0 | S_IFREG | S_IFLNK => {}
        _ => return Err(refused(raw, "a device, pipe or other special file")),
    }
    let is_executable = mode & S_IFMT == S_IFREG && mode & 0o111 != 0;
    let mode = if is_executable { 0o755 } else { 0o644 };
    unpacker.add_file(name.clone(), mode, member)?;
    Ok(Some(name))
}

/// Checks that the member `raw` of the wheel `file` has one name: an archive repeats it in front of the content, and can have
/// another one in Unicode, and programs differ in which one they read.
fn check_name<R: Read>(raw: &str, member: &ZipFile<'_, R>, file: &File) -> Result<()> {
    let name = |header: u64, length_at: u64, name_at: u64| {
        let mut length = [0; 2];
        file.read_exact_at(&mut length, header + length_at)?;
        let mut name = vec![0; u16::from_le_bytes(length).into()];
        file.read_exact_at(&mut name, header + name_at)?;
        io::Result::Ok(name)
    };
    let of_list = name(member.central_header_start(), 28, 46).map_err(damaged)?;
    let of_content = name(member.header_start(), 26, 30).map_err(damaged)?;
    // A field for names in Unicode can have a third one, which is the one that was read.
    let Some(other) = [of_list, of_content]
        .into_iter()
        .find(|name| *name != member.name_raw())
    else {
        return Ok(());
    };
    let other = String::from_utf8_lossy(&other);
    Err(damaged(format!(
        "`{}` is also called `{}` in it",
        shown(raw),
        shown(&other)
    )))
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
        assert_eq!(unpack(1, 1 << 12, &limits).unwrap().order.len(), 4);
        let likely = Limits {
            ratio: 1_000_000,
            ..limits
        };
        assert_eq!(unpack(1, 1 << 19, &likely).unwrap().order.len(), 4);
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
