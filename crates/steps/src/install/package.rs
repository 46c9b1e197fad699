//! A package as an install step sees it: verified and unpacked, with its metadata read and its files'
//! places in the prefix known.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rattler_conda_types::package::{EntryPoint, PathType, PathsEntry};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::archive::{Limits, unpack};
use super::downloaded::{is_web_page_at, web_page};
use super::entry::{Entries, Entry, EntryKind, relative_path, shown};
use super::error::{Error, ErrorKind, Result};
use super::hashing::{Digests, Mismatch, digests};
use super::metadata::{self, bad_metadata};
use super::places::{Kind, is_installers};
use condafront_model::stamp::LATEST;
use condafront_model::visible::unfit;
use condafront_step_spec::install::{PackageSpec, PythonSpec};

/// How often a file's placeholder for the prefix fits into it, at most. Files have up to a few GB, and placeholders of such
/// files 255 bytes.
const MOST_PLACEHOLDERS: u64 = 16 << 20;

/// The part of `info/index.json` that linking needs.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) build: String,
    #[serde(default)]
    pub(crate) build_number: u64,
    #[serde(default)]
    noarch: Option<Value>,
    #[serde(default)]
    pub(crate) license: Option<String>,
    #[serde(default)]
    timestamp: Option<f64>,
    #[serde(default)]
    depends: Vec<String>,
}

impl Index {
    /// The versions of glibc that the package runs with, `>=2.17,<3.0.a0`; empty if any will do.
    pub(crate) fn glibc(&self) -> Option<&str> {
        self.depends.iter().find_map(|spec| {
            let rest = spec.trim().strip_prefix("__glibc")?;
            let is_name = rest.is_empty() || rest.starts_with([' ', '=', '<', '>', '!', '~']);
            is_name.then(|| rest.split_whitespace().next().unwrap_or_default())
        })
    }

    /// The names of the packages that it depends on, without virtual ones.
    pub(crate) fn depends(&self) -> impl Iterator<Item = &str> {
        let names = self.depends.iter().map(|spec| {
            let spec = spec.trim();
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            spec.split(|c| !is_name(c)).next().unwrap_or(spec)
        });
        names.filter(|name| !name.is_empty() && !name.starts_with("__"))
    }

    /// `python` or `generic`; old packages say `true` for generic.
    pub(crate) fn noarch(&self) -> Option<&str> {
        match &self.noarch {
            Some(Value::String(kind)) => Some(kind),
            Some(Value::Bool(true)) => Some("generic"),
            _ => None,
        }
    }

    /// When the package was built, in seconds since 1970. Packages give milliseconds, old ones
    /// seconds; conda distinguishes them by the year 9999.
    pub(crate) fn timestamp(&self) -> Option<i64> {
        const YEAR_9999: f64 = 253_402_300_799.0;
        let time = self.timestamp.filter(|t| t.is_finite() && *t > 0.0)?;
        let seconds = if time > YEAR_9999 {
            time / 1000.0
        } else {
            time
        };
        Some((seconds as i64).min(LATEST))
    }

    /// `<name>-<version>-<build>`, the name of archives, cache directories and records.
    pub(crate) fn dist_name(&self) -> String {
        format!("{}-{}-{}", self.name, self.version, self.build)
    }

    /// The file name of the package's record in `conda-meta`.
    pub(crate) fn record_name(&self) -> String {
        format!("{}.json", self.dist_name())
    }
}

/// One entry of a package and where it goes.
#[derive(Debug, Clone)]
pub(crate) struct PackagePath {
    /// What `paths.json` says about it.
    pub(crate) entry: PathsEntry,
    /// Its path relative to the prefix; differs from the path in the package for `noarch: python`.
    pub(crate) target: String,
}

/// An unpacked package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) spec: PackageSpec,
    pub(crate) digests: Digests,
    /// Where it is unpacked.
    pub(crate) dir: PathBuf,
    pub(crate) entries: Entries,
    pub(crate) index: Index,
    /// The whole of `info/index.json`, for the record.
    pub(crate) raw_index: Map<String, Value>,
    pub(crate) paths: Vec<PackagePath>,
    pub(crate) entry_points: Vec<EntryPoint>,
    /// Its paths that only installers may write. They are not linked.
    pub(crate) left_out: Vec<String>,
}

impl Package {
    /// Verifies the archive in the mount directory `mount` and unpacks it below `dir`.
    ///
    /// # Errors
    /// Anything that can be wrong with an archive; the message names the package.
    pub(crate) fn load(
        spec: &PackageSpec,
        mount: &Path,
        dir: PathBuf,
        python: Option<&PythonSpec>,
    ) -> Result<Self> {
        let archive = mount.join(&spec.archive);
        load(spec, archive, dir, python)
            .map_err(|e| e.in_context(format!("{} ({})", spec.label, spec.archive)))
    }

    /// Whether it is `noarch: python`.
    pub(crate) fn is_noarch_python(&self) -> bool {
        self.index.noarch() == Some("python")
    }

    /// What it has at one of its paths.
    pub(crate) fn kind(&self, path: &PackagePath) -> Kind<'_> {
        match self.entry(path).map(|entry| &entry.kind) {
            None => Kind::Directory,
            Some(EntryKind::File { .. }) => Kind::File,
            Some(EntryKind::Symlink { target }) => Kind::Link(target),
        }
    }

    /// What the archive has at `path`; `None` for a directory.
    pub(crate) fn entry(&self, path: &PackagePath) -> Option<&Entry> {
        self.entries.get(path.entry.relative_path.to_str()?)
    }
}

fn load(
    spec: &PackageSpec,
    archive: PathBuf,
    dir: PathBuf,
    python: Option<&PythonSpec>,
) -> Result<Package> {
    let digests = digests(&archive)?;
    if let Some(mismatch) = digests.mismatch(spec.sha256.as_deref(), spec.md5.as_deref()) {
        return Err(other_content(&mismatch, &archive, digests.size));
    }

    fs::create_dir_all(&dir).map_err(|e| Error::io("create", &dir, e))?;
    let entries = unpack(&archive, &dir, &Limits::default())?;

    let raw_index: Map<String, Value> = metadata::index(&dir)?;
    let index: Index = serde_json::from_value(Value::Object(raw_index.clone()))
        .map_err(|e| bad_metadata("info/index.json", e))?;
    for part in [&index.name, &index.version, &index.build] {
        let is_plain = !part.contains('/') && unfit(part).is_none();
        if part.is_empty() || part.starts_with('.') || !is_plain {
            return Err(bad_metadata(
                "info/index.json",
                format!(
                    "`{}` is not a valid name, version or build",
                    part.escape_debug()
                ),
            ));
        }
    }
    let stem = index.dist_name();
    if spec
        .archive
        .strip_prefix(&stem)
        .is_none_or(|rest| !matches!(rest, ".conda" | ".tar.bz2"))
    {
        return Err(bad_metadata(
            "info/index.json",
            format!("it describes {stem}, which does not match the file name"),
        ));
    }
    let paths = metadata::paths(&dir)?;
    let noarch_python = index.noarch() == Some("python");
    let python = match (noarch_python, python) {
        (false, _) => None,
        (true, Some(python)) => Some(python),
        (true, None) => {
            return Err(Error::new(
                ErrorKind::MissingPython,
                "it is a `noarch: python` package, but the lock file has no python package",
            ));
        }
    };
    check_placeholders(&paths, &entries, &dir)?;
    let (left_out, paths): (Vec<_>, Vec<_>) = place(paths, &entries, python)?
        .into_iter()
        .partition(|path| {
            is_installers(&path.target) && path.entry.path_type != PathType::Directory
        });
    let entry_points = if noarch_python {
        metadata::entry_points(&dir)?
    } else {
        Vec::new()
    };
    Ok(Package {
        spec: spec.clone(),
        digests,
        dir,
        entries,
        index,
        raw_index,
        paths,
        entry_points,
        left_out: left_out.into_iter().map(|path| path.target).collect(),
    })
}

/// Where each path goes. `paths.json` is as untrusted as the archive's entries.
fn place(
    paths: Vec<PathsEntry>,
    entries: &Entries,
    python: Option<&PythonSpec>,
) -> Result<Vec<PackagePath>> {
    let mut seen = BTreeSet::new();
    let mut placed = Vec::with_capacity(paths.len());
    for mut entry in paths {
        let raw = entry.relative_path.to_string_lossy().into_owned();
        let name = relative_path(raw.as_bytes()).map_err(|why| {
            Error::new(
                ErrorKind::UnsafeArchive,
                format!("its info/paths.json lists {why}: `{}`", shown(&raw)),
            )
        })?;
        // The archive itself says whether it is a link, so a wrong claim cannot make us follow one.
        match entries.get(&name).map(|entry| &entry.kind) {
            Some(EntryKind::Symlink { .. }) => {
                entry.path_type = PathType::SoftLink;
                entry.prefix_placeholder = None;
            }
            Some(EntryKind::File { .. }) => entry.path_type = PathType::HardLink,
            None if entry.path_type == PathType::Directory => entry.prefix_placeholder = None,
            None => {
                return Err(bad_metadata(
                    "info/paths.json",
                    format!(
                        "it lists `{}`, which is not in the archive",
                        name.escape_debug()
                    ),
                ));
            }
        }
        let target = match python {
            Some(python) => noarch_target(&name, python),
            None => name.clone(),
        };
        entry.relative_path = PathBuf::from(name);
        if seen.insert(target.clone()) {
            placed.push(PackagePath { entry, target });
        }
    }
    placed.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(placed)
}

/// Refuses files in which the placeholder for the prefix could be too often. Each place where it is takes memory, and may take
/// more space than before.
fn check_placeholders(paths: &[PathsEntry], entries: &Entries, dir: &Path) -> Result<()> {
    for entry in paths {
        let path = entry.relative_path.to_string_lossy();
        let name = relative_path(path.as_bytes()).unwrap_or_default();
        let found = entries.get(&name).map(|found| &found.kind);
        let (Some(placeholder), Some(EntryKind::File { .. })) = (&entry.prefix_placeholder, found)
        else {
            continue;
        };
        let length = placeholder.placeholder.len() as u64;
        let file = dir.join(&name);
        let metadata = fs::metadata(&file).map_err(|e| Error::io("read", &file, e))?;
        let size = metadata.len();
        let most = size.checked_div(length);
        if most.is_some_and(|most| most > MOST_PLACEHOLDERS) {
            let message = format!(
                "`{}` has {size} bytes, and a placeholder for the prefix of only {length}; no real package does",
                shown(&name)
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
    }
    Ok(())
}

/// Where a `noarch: python` package's path goes: the two folders that depend on python's version
/// are renamed (CEP 17 and conda's documentation of noarch packages).
fn noarch_target(path: &str, python: &PythonSpec) -> String {
    if let Some(rest) = path.strip_prefix("site-packages/") {
        format!("{}/{rest}", python.site_packages.trim_end_matches('/'))
    } else if let Some(rest) = path.strip_prefix("python-scripts/") {
        format!("bin/{rest}")
    } else {
        path.to_owned()
    }
}

/// The error for an archive that does not match the lock file.
fn other_content(mismatch: &Mismatch, archive: &Path, size: u64) -> Error {
    if is_web_page_at(archive).unwrap_or(false) {
        return web_page();
    }
    Error::new(
        ErrorKind::HashMismatch,
        format!("it does not match its hash ({size} bytes)\n{mismatch}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noarch_paths_go_where_python_is() {
        let python = PythonSpec {
            version: "3.13".into(),
            site_packages: "lib/python3.13t/site-packages".into(),
            runtime: false,
        };
        for (path, target) in [
            (
                "site-packages/a/b.py",
                "lib/python3.13t/site-packages/a/b.py",
            ),
            ("python-scripts/run", "bin/run"),
            ("share/site-packages/x", "share/site-packages/x"),
            ("site-packages2/x", "site-packages2/x"),
        ] {
            assert_eq!(noarch_target(path, &python), target);
        }
    }

    #[test]
    fn timestamps_are_seconds_or_milliseconds() {
        for (json, seconds) in [
            (r#""timestamp": 1700000000123"#, Some(1_700_000_000)),
            (r#""timestamp": 1700000000"#, Some(1_700_000_000)),
            (r#""timestamp": -1"#, None),
            (r#""x": 1"#, None),
        ] {
            let json = format!(r#"{{"name": "a", "version": "1", "build": "0", {json}}}"#);
            let index: Index = serde_json::from_str(&json).unwrap();
            assert_eq!(index.timestamp(), seconds, "{json}");
        }
    }

    #[test]
    fn old_and_new_noarch_are_understood() {
        for (json, noarch) in [
            ("true", Some("generic")),
            ("false", None),
            ("null", None),
            (r#""python""#, Some("python")),
            (r#""generic""#, Some("generic")),
        ] {
            let json =
                format!(r#"{{"name": "a", "version": "1", "build": "0", "noarch": {json}}}"#);
            let index: Index = serde_json::from_str(&json).unwrap();
            assert_eq!(index.noarch(), noarch, "{json}");
        }
    }
}
