//! Reading untrusted packages: `.conda`, `.tar.bz2` and wheels.
//!
//! Every entry is checked before it is written: names and links must stay inside the package,
//! nothing is written through a symlink, devices are refused, and an archive must not unpack to more
//! than real packages do.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tar::EntryType;

use super::downloaded::not_a_package;
use super::entry::{Entries, Entry, EntryKind, MOST_FILES, check_symlink, relative_path, shown};
use super::error::{Cause, Error, ErrorKind, Result};
use crate::conda_archive::{CONTENT, CondaFile, INFO, TarEntry, TarError, TarReader, tar_of_bz2};
use condafront_model::stamp::LATEST;

/// How much an archive may unpack to; see `docs/limits.md`. The largest packages in public channels have a few GB and about
/// 100,000 files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Total bytes of all files.
    pub(crate) bytes: u64,
    /// Number of entries.
    pub(crate) entries: u64,
    /// Bytes that any archive may unpack to, however small it is.
    pub(crate) free_bytes: u64,
    /// Above `free_bytes`: unpacked bytes per byte of the archive.
    pub(crate) ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 64 << 30,
            entries: MOST_FILES,
            free_bytes: 1 << 30,
            ratio: 500,
        }
    }
}

/// Reads the whole archive at `path`, checks every entry, and writes it to `dest`, an existing empty
/// directory.
///
/// # Errors
/// A file that is not a conda package, a damaged one, an unsafe entry, or one beyond `limits`.
pub(crate) fn unpack(path: &Path, dest: &Path, limits: &Limits) -> Result<Entries> {
    let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let size = file
        .metadata()
        .map_err(|e| Error::io("read", path, e))?
        .len();
    let mut start = Vec::new();
    (&file)
        .take(512)
        .read_to_end(&mut start)
        .and_then(|_| file.seek(SeekFrom::Start(0)))
        .map_err(|e| Error::io("read", path, e))?;

    let mut unpacker = Unpacker::new(dest, limits, size);
    let name = path.to_string_lossy();
    if start.starts_with(b"PK\x03\x04") && name.ends_with(".conda") {
        unpacker.read_conda(file)?;
    } else if start.starts_with(b"BZh") && name.ends_with(".tar.bz2") {
        unpacker.read_tar(tar_of_bz2(file))?;
    } else {
        return Err(not_a_package(&start, size));
    }
    unpacker.finish()
}

/// The error for an archive that cannot be read.
pub(crate) fn damaged(why: impl Into<Cause>) -> Error {
    let why = why.into();
    Error::new(
        ErrorKind::BadArchive,
        format!("the archive is damaged or cut short: {why}"),
    )
    .caused_by(why)
}

impl From<TarError> for Error {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Io(error) => damaged(error),
            TarError::LongHeader => {
                let message = format!("{error}; no real package does");
                Error::new(ErrorKind::TooLarge, message).caused_by(error)
            }
        }
    }
}

/// The error for an entry that no archive should contain.
pub(crate) fn refused(name: &str, why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::UnsafeArchive,
        format!("the archive contains {why}: `{}`", shown(name)),
    )
}

/// Writes the entries of an archive, within its limits.
pub(crate) struct Unpacker<'a> {
    dest: &'a Path,
    limits: &'a Limits,
    archive_size: u64,
    entries: Entries,
    count: u64,
    bytes: u64,
}

impl<'a> Unpacker<'a> {
    /// Writes to `dest`, an existing empty directory, from an archive of `archive_size` bytes.
    pub(crate) fn new(dest: &'a Path, limits: &'a Limits, archive_size: u64) -> Self {
        Self {
            dest,
            limits,
            archive_size,
            entries: Entries::new(),
            count: 0,
            bytes: 0,
        }
    }

    fn read_conda(&mut self, file: File) -> Result<()> {
        let mut archive = CondaFile::open(file).map_err(damaged)?;
        for part in [INFO, CONTENT] {
            let tar = archive.tar(part, self.allowed_bytes()).map_err(damaged)?;
            self.read_tar(tar)?;
        }
        Ok(())
    }

    pub(super) fn read_tar(&mut self, reader: impl Read) -> Result<()> {
        // The decoder is bounded too: long headers and padding count, not only file contents.
        let allowed = self.allowed_bytes();
        let mut archive = TarReader::new(reader.take(allowed.saturating_add(1)));
        let mut result = archive.each(|entry| {
            self.read_entry(entry)?;
            Ok(ControlFlow::Continue(()))
        });
        let mut rest = archive.into_rest();
        if result.is_ok() {
            // Read to the end of the compressed stream, where its checksums are.
            result = io::copy(&mut rest, &mut io::sink())
                .map(drop)
                .map_err(damaged);
        }
        if rest.limit() == 0 {
            return Err(self.too_large());
        }
        result
    }

    fn read_entry<R: Read>(&mut self, entry: &mut TarEntry<'_, R>) -> Result<()> {
        self.count_entry()?;
        self.bytes = self.bytes.saturating_add(entry.size());
        if self.bytes > self.allowed_bytes() {
            return Err(self.too_large());
        }

        let raw = entry.path_bytes().into_owned();
        let raw_name = String::from_utf8_lossy(&raw).into_owned();
        let name = relative_path(&raw).map_err(|why| refused(&raw_name, why))?;
        let mtime = entry.header().mtime().map_err(damaged)?;
        let mtime = i64::try_from(mtime).unwrap_or(LATEST).min(LATEST);
        let kind = entry.header().entry_type();
        match kind {
            // Directories are created with their files; empty ones that matter are in paths.json.
            EntryType::Directory | EntryType::XGlobalHeader => return Ok(()),
            _ if name.is_empty() => return Err(refused(&raw_name, "a file without a name")),
            _ => self.check_parents(&name)?,
        }
        let kind = match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mode = entry.header().mode().map_err(damaged)?;
                let sha256 = self.write_file(&name, entry)?;
                EntryKind::File { mode, sha256 }
            }
            EntryType::Symlink => {
                let target = link_name(entry, &raw_name)?;
                let path = self.make_room(&name)?;
                symlink(&target, &path).map_err(|e| Error::io("write", &path, e))?;
                EntryKind::Symlink { target }
            }
            EntryType::Link => {
                let target = link_name(entry, &raw_name)?;
                self.hard_link(&name, &target, &raw_name)?
            }
            _ => {
                return Err(refused(&raw_name, "a device, pipe or other special file"));
            }
        };
        self.entries.insert(name, Entry { kind, mtime });
        Ok(())
    }

    /// Counts an entry.
    ///
    /// # Errors
    /// More entries than any package has.
    pub(crate) fn count_entry(&mut self) -> Result<()> {
        self.count += 1;
        if self.count > self.limits.entries {
            return Err(self.too_large());
        }
        Ok(())
    }

    /// Refuses an entry below something that is not a directory.
    fn check_parents(&self, name: &str) -> Result<()> {
        for (end, _) in name.match_indices('/') {
            match self.entries.get(&name[..end]).map(|entry| &entry.kind) {
                None => {}
                Some(EntryKind::Symlink { .. }) => {
                    return Err(refused(
                        name,
                        "a file that would be written through a symlink",
                    ));
                }
                Some(EntryKind::File { .. }) => {
                    return Err(damaged(format!(
                        "`{}` is below a file",
                        name.escape_debug()
                    )));
                }
            }
        }
        Ok(())
    }

    /// Creates the parents of the entry `name`, removes an earlier entry of the same name, as tar
    /// does, and returns the path to write to.
    fn make_room(&self, name: &str) -> Result<PathBuf> {
        let path = self.dest.join(name);
        if self.entries.contains_key(name) {
            fs::remove_file(&path).map_err(|e| Error::io("replace", &path, e))?;
        } else if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e))?;
        }
        Ok(path)
    }

    /// Adds the regular file `name` with this mode. What the archive says about its size need not be true.
    ///
    /// # Errors
    /// A file that cannot be written, or more bytes than any package has.
    pub(crate) fn add_file(&mut self, name: String, mode: u32, content: impl Read) -> Result<()> {
        if self.entries.contains_key(&name) {
            return Err(damaged(format!("`{}` is in it twice", name.escape_debug())));
        }
        self.check_parents(&name)?;
        let left = self.allowed_bytes().saturating_sub(self.bytes);
        let most = left.saturating_add(1);
        let mut content = content.take(most);
        let sha256 = self.write_file(&name, &mut content)?;
        if content.limit() == 0 {
            return Err(self.too_large());
        }
        self.bytes += most - content.limit();
        let kind = EntryKind::File { mode, sha256 };
        self.entries.insert(name, Entry { kind, mtime: 0 });
        Ok(())
    }

    /// Writes the file and returns the hash of its content.
    fn write_file(&self, name: &str, content: &mut impl Read) -> Result<[u8; 32]> {
        let path = self.make_room(name)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|e| Error::io("write", &path, e))?;
        copy(content, &mut file, &path)
    }

    /// Adds a second name for an earlier file of the archive.
    fn hard_link(&self, name: &str, target: &str, raw_name: &str) -> Result<EntryKind> {
        let target = relative_path(target.as_bytes()).map_err(|_| {
            let link = format!("{raw_name} -> {target}");
            refused(&link, "a hard link that leaves the package")
        })?;
        let Some(Entry {
            kind: kind @ EntryKind::File { .. },
            ..
        }) = self.entries.get(&target)
        else {
            return Err(damaged(format!(
                "`{}` is a hard link to `{}`, which is not an earlier file",
                raw_name.escape_debug(),
                target.escape_debug()
            )));
        };
        if target != name {
            let to = self.make_room(name)?;
            fs::hard_link(self.dest.join(&target), &to).map_err(|e| Error::io("write", &to, e))?;
        }
        Ok(kind.clone())
    }

    fn allowed_bytes(&self) -> u64 {
        let by_size = self.archive_size.saturating_mul(self.limits.ratio);
        self.limits.bytes.min(by_size.max(self.limits.free_bytes))
    }

    fn too_large(&self) -> Error {
        Error::new(
            ErrorKind::TooLarge,
            format!(
                "the archive of {} bytes unpacks to more than {} bytes or {} files; no real \
                 package does",
                self.archive_size,
                self.allowed_bytes(),
                self.limits.entries
            ),
        )
    }

    /// Symlinks are checked last, because where one leads depends on the others.
    ///
    /// # Errors
    /// A link that leaves the package.
    pub(crate) fn finish(self) -> Result<Entries> {
        let links: BTreeMap<String, String> = self
            .entries
            .iter()
            .filter_map(|(path, entry)| match &entry.kind {
                EntryKind::Symlink { target } => Some((path.clone(), target.clone())),
                EntryKind::File { .. } => None,
            })
            .collect();
        for (path, target) in &links {
            check_symlink(path, &links)
                .map_err(|why| refused(&format!("{path} -> {target}"), why))?;
        }
        Ok(self.entries)
    }
}

fn link_name<R: Read>(entry: &TarEntry<'_, R>, raw_name: &str) -> Result<String> {
    entry
        .link_name_bytes()
        .and_then(|name| String::from_utf8(name.into_owned()).ok())
        .filter(|name| !name.is_empty() && !name.contains(|c: char| c.is_control()))
        .ok_or_else(|| {
            damaged(format!(
                "`{}` has no valid link target",
                raw_name.escape_debug()
            ))
        })
}

/// Copies an entry's content and returns its hash. A read error means that the archive is damaged,
/// a write error that the disk is full, for example.
fn copy(content: &mut impl Read, file: &mut File, path: &Path) -> Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let length = match content.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(length) => length,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(damaged(e)),
        };
        hash.update(&buffer[..length]);
        file.write_all(&buffer[..length])
            .map_err(|e| Error::io("write", path, e))?;
    }
}

#[cfg(test)]
mod tests;
