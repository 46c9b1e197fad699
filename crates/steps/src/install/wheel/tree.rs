//! One wheel as pip would install it into an empty environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::archive::Limits;
use super::super::compiler::Runtime;
use super::super::entry::{Entries, EntryKind, relative_path, shown};
use super::super::error::{Error, ErrorKind, Result};
use super::super::placed::{Looks, replace};
use super::super::places::is_installers;
use super::archive::unpack_wheel;
use super::entry_points::{self, EntryPoint, EntryPoints};
use super::metadata::{self, LARGEST, LARGEST_LIST, Metadata, bad};
use super::places::{Kind, Place, Scheme};
use super::record::{self, Row};
use condafront_model::stamp::EPOCH;
use condafront_model::visible::unfit;
use condafront_step_spec::wheel::{WheelSpec, WheelsSpec};

/// What a program's first line starts with if it is to be that of the environment's python.
const ANY_PYTHON: &[u8] = b"#!python";

/// A wheel's files in a directory of their own.
#[derive(Debug)]
pub(super) struct WheelTree {
    pub(super) metadata: Metadata,
    /// Where they are.
    pub(super) dir: PathBuf,
    /// By their paths relative to the prefix.
    pub(super) files: BTreeMap<String, Looks>,
    /// The wheel's own size in bytes.
    pub(super) size: u64,
    /// Why there is no bytecode, if python failed.
    pub(super) notice: Option<String>,
}

/// A tree that is being made.
struct Maker<'a> {
    spec: &'a WheelsSpec,
    scheme: Scheme,
    dir: PathBuf,
    files: BTreeMap<String, Looks>,
    rows: BTreeMap<String, Row>,
}

/// Makes the tree of the wheel at `archive` below `work`, an existing empty directory.
///
/// # Errors
/// Anything that can be wrong with a wheel.
pub(super) fn make(
    spec: &WheelsSpec,
    wheel: &WheelSpec,
    archive: &Path,
    work: &Path,
    runtime: Option<&Runtime>,
) -> Result<WheelTree> {
    let (unpacked, dir) = (work.join("unpacked"), work.join("tree"));
    for dir in [&unpacked, &dir] {
        fs::create_dir_all(dir).map_err(|e| Error::io("create", dir, e))?;
    }
    let content = unpack_wheel(archive, &unpacked, &Limits::default())?;
    let metadata = Metadata::read(&wheel.file, &content, &unpacked)?;
    let entries = &content.entries;
    let list = format!("{}/RECORD", metadata.folder);
    let text = metadata::text(&unpacked, entries, &list, LARGEST_LIST)?;
    let rows = record::read(&text.ok_or_else(|| bad("it has no RECORD"))?)?;
    record::check(&rows, entries, &unpacked, &list)?;
    let points = format!("{}/entry_points.txt", metadata.folder);
    let points = metadata::text(&unpacked, entries, &points, LARGEST)?.unwrap_or_default();
    let points = entry_points::read(&points, &spec.python.version)?;
    let mut maker = Maker {
        scheme: Scheme::new(&spec.python, &metadata.name),
        spec,
        dir,
        files: BTreeMap::new(),
        rows: BTreeMap::new(),
    };
    let placed = maker.places(&content.order, &list, &points)?;
    let programs: Vec<String> = points.programs.iter().map(program_path).collect();
    let of_wheel = placed.iter().map(|(place, _)| place.path.as_str());
    check_folders(
        &of_wheel
            .chain(programs.iter().map(String::as_str))
            .collect(),
    )?;
    let rows: BTreeMap<String, Row> = rows
        .into_iter()
        .map(|row| (row.path.clone(), row))
        .collect();
    for (place, from) in placed {
        maker.put(&place, &unpacked.join(from), entries, from, rows.get(from))?;
    }
    let notice = match runtime {
        Some(runtime) => maker.compile(runtime, &work.join("bytecode"))?,
        None => None,
    };
    for point in &points.programs {
        let script = point.script(&maker.python(), &spec.python.version);
        maker.write(program_path(point), 0o755, script.as_bytes())?;
    }
    maker.write_metadata(&metadata.folder, wheel)?;
    maker.write_record(&metadata.folder)?;
    let size = fs::metadata(archive)
        .map_err(|e| Error::io("read", archive, e))?
        .len();
    Ok(WheelTree {
        metadata,
        dir: maker.dir,
        files: maker.files,
        size,
        notice,
    })
}

impl Maker<'_> {
    /// Where the wheel's files `order` go, except for its `list` of files, in the order in which they are installed. As with
    /// pip, files of one kind keep the order of the archive.
    fn places<'e>(
        &self,
        order: &'e [String],
        list: &str,
        points: &EntryPoints,
    ) -> Result<Vec<(Place, &'e str)>> {
        let mut placed = Vec::with_capacity(order.len());
        for path in order
            .iter()
            .map(String::as_str)
            .filter(|path| *path != list)
        {
            let place = self.scheme.place(path).map_err(bad)?;
            let name = place.path.rsplit('/').next().unwrap_or_default();
            if place.kind == Kind::Script && points.are_run_by(name) {
                continue;
            }
            check_path(&place.path)?;
            placed.push((place, path));
        }
        placed.sort_by_key(|(place, _): &(Place, &str)| place.kind);
        Ok(placed)
    }

    /// The environment's python, as programs name it.
    fn python(&self) -> String {
        format!("{}/bin/python", self.spec.prefix)
    }

    fn row_path(&self, path: &str) -> String {
        record::relative(path, self.scheme.site_packages())
    }

    /// Moves the file `from` to its place; `entry` is its name in the wheel, and `listed` is its row in the wheel's list.
    fn put(
        &mut self,
        place: &Place,
        from: &Path,
        entries: &Entries,
        entry: &str,
        listed: Option<&Row>,
    ) -> Result<()> {
        let Some(EntryKind::File { mode, sha256 }) = entries.get(entry).map(|entry| &entry.kind)
        else {
            return Ok(());
        };
        if place.kind == Kind::Script
            && let Some(content) = self.with_python(from)?
        {
            return self.write(place.path.clone(), *mode, &content);
        }
        let to = self.dir.join(&place.path);
        move_file(from, &to)?;
        let looks = Looks::of_file(*mode, EPOCH, hex::encode(sha256));
        self.files.insert(place.path.clone(), looks);
        let row = Row {
            path: self.row_path(&place.path),
            ..listed.cloned().unwrap_or_else(|| Row::bare(String::new()))
        };
        self.rows.insert(place.path.clone(), row);
        Ok(())
    }

    /// The program at `path` with the environment's python in its first line, if it asks for that.
    fn with_python(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let mut start = Vec::new();
        File::open(path)
            .and_then(|file| file.take(ANY_PYTHON.len() as u64).read_to_end(&mut start))
            .map_err(|e| Error::io("read", path, e))?;
        if start != ANY_PYTHON {
            return Ok(None);
        }
        let content = metadata::read(path, LARGEST_LIST)?;
        let end = content.iter().position(|byte| *byte == b'\n');
        let rest = end.map_or(&[][..], |end| &content[end + 1..]);
        let first = format!("#!{}\n", self.python());
        Ok(Some([first.as_bytes(), rest].concat()))
    }

    /// Writes a file that the wheel does not have, or not like this.
    fn write(&mut self, path: String, mode: u32, content: &[u8]) -> Result<()> {
        check_path(&path)?;
        replace(&self.dir.join(&path), content)?;
        let sha256 = Sha256::digest(content);
        let looks = Looks::of_file(mode, EPOCH, hex::encode(sha256));
        let row = Row::hashed(self.row_path(&path), &sha256, content.len() as u64);
        self.rows.insert(path.clone(), row);
        self.files.insert(path, looks);
        Ok(())
    }

    /// Compiles the modules; `out` is a directory for python to write to.
    fn compile(&mut self, runtime: &Runtime, out: &Path) -> Result<Option<String>> {
        let site_packages = format!("{}/", self.scheme.site_packages());
        let files = self.files.keys().map(String::as_str);
        let sources: Vec<&str> = files
            .filter(|path| path.starts_with(&site_packages) && path.ends_with(".py"))
            .collect();
        if sources.is_empty() {
            return Ok(None);
        }
        let compiled = match runtime.compile(&sources, &self.dir, &self.spec.prefix, out) {
            Ok(compiled) => compiled,
            Err(why) => {
                return Ok(Some(format!(
                    "no bytecode was compiled because python failed ({why})"
                )));
            }
        };
        // As with pip, bytecode of the wheel itself is replaced. Most of it depends on times.
        for path in compiled {
            let from = out.join(&path);
            let content = fs::read(&from).map_err(|e| Error::io("read", &from, e))?;
            move_file(&from, &self.dir.join(&path))?;
            let looks = Looks::of_file(0o644, EPOCH, hex::encode(Sha256::digest(&content)));
            self.rows
                .insert(path.clone(), Row::bare(self.row_path(&path)));
            self.files.insert(path, looks);
        }
        Ok(None)
    }

    /// Writes what pip adds to the metadata in `folder`.
    fn write_metadata(&mut self, folder: &str, wheel: &WheelSpec) -> Result<()> {
        let in_folder = |name: &str| format!("{}/{folder}/{name}", self.scheme.site_packages());
        let (installer, requested, origin) = (
            in_folder("INSTALLER"),
            in_folder("REQUESTED"),
            in_folder("direct_url.json"),
        );
        // Other installers know by this that pip can uninstall the package.
        self.write(installer, 0o644, b"pip\n")?;
        if wheel.requested {
            self.write(requested, 0o644, b"")?;
        }
        if let Some(direct_url) = &wheel.direct_url {
            self.write(origin, 0o644, direct_url.to_json().as_bytes())?;
        }
        Ok(())
    }

    /// Writes the list of all files.
    fn write_record(&mut self, folder: &str) -> Result<()> {
        let path = format!("{}/{folder}/RECORD", self.scheme.site_packages());
        let own = Row::bare(self.row_path(&path));
        let text = record::write(self.rows.values().cloned().chain([own]));
        self.write(path, 0o644, text.as_bytes())
    }
}

/// Where the program of an entry point goes.
fn program_path(point: &EntryPoint) -> String {
    format!("bin/{}", point.name)
}

/// A file cannot be where another one needs a folder.
fn check_folders(paths: &BTreeSet<&str>) -> Result<()> {
    for path in paths {
        let mut above = path.match_indices('/').map(|(end, _)| &path[..end]);
        if let Some(file) = above.find(|folder| paths.contains(folder)) {
            return Err(bad(format!(
                "its files `{}` and `{}` cannot both be installed",
                shown(file),
                shown(path)
            )));
        }
    }
    Ok(())
}

/// Refuses places that are only for installers, and names that hide something.
fn check_path(path: &str) -> Result<()> {
    let refused = |why: &str| {
        let message = format!("it has {why}: `{}`", shown(path));
        Err(Error::new(ErrorKind::UnsafeArchive, message))
    };
    if let Err(why) = relative_path(path.as_bytes()) {
        return refused(&why.to_string());
    }
    if let Some(what) = unfit(path) {
        return refused(&format!("a path with {what}"));
    }
    if is_installers(path) {
        return refused("a path that only installers of conda packages may write");
    }
    Ok(())
}

/// Moves a file to a path whose folders may be missing.
///
/// # Errors
/// An I/O error.
pub(super) fn move_file(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|e| {
            let message = format!("cannot create the directory {}: {e}", parent.display());
            Error::new(ErrorKind::Link, message).caused_by(e)
        })?;
    }
    fs::rename(from, to).map_err(|e| Error::io("write", to, e))
}
