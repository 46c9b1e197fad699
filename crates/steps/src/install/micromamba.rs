//! Linking with a micromamba binary.
//!
//! micromamba finds the packages in its cache, verified and unpacked by the step, so it neither reads
//! archives nor needs a network. The cache has conda's layout: a directory per package, whose
//! `info/repodata_record.json` has the URL and the hash from the lock.
//!
//! With an explicit lock, micromamba links what `info/paths.json` lists, package by package in lock
//! order, and runs a package's post-link script as soon as it sees one in the prefix
//! (`PackageCacheData::has_valid_extracted_dir` and `LinkPackage::execute` in libmamba).

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rattler_conda_types::package::{PathType, PathsEntry};
use serde_json::{Value, json};

use super::error::{Error, ErrorKind, Result};
use super::link::{Claims, LinkPackages, Target, Won};
use super::native::{Linker, Native};
use super::package::{Package, PackagePath};
use super::placed::replace;
use crate::child::{self, ChildError};
use crate::root::Root;
use condafront_step_spec::install::PythonSpec;

/// Where the binary can be: in conda's package and in mambaorg's images, in a folder, in other images.
const PLACES: [&str; 4] = [
    "bin/micromamba",
    "micromamba",
    "usr/bin/micromamba",
    "usr/local/bin/micromamba",
];

/// How many lines of micromamba's output an error quotes.
const QUOTED_LINES: usize = 30;

/// How many bytes of its output are searched for them.
const KEPT_BYTES: usize = 64 << 10;

/// Links with the micromamba binary at a path.
pub(crate) struct Micromamba {
    binary: PathBuf,
}

impl Micromamba {
    /// Finds the binary in the mounted directory `dir`: a folder, conda's package, or a whole image.
    ///
    /// # Errors
    /// There is no binary.
    pub(crate) fn find(dir: &Path) -> Result<Self> {
        let root = Root::new(dir);
        PLACES
            .iter()
            .filter_map(|place| root.find(place))
            .find(|path| path.is_file())
            .map(|binary| Micromamba { binary })
            .ok_or_else(|| {
                error(format!(
                    "there is no micromamba in the given package, folder or image (looked for {})",
                    PLACES.join(", ")
                ))
            })
    }

    fn run(&self, lock: &Path, target: &Target) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command
            .args(["install", "--yes", "--quiet", "--no-rc", "--no-deps"])
            .args(["--offline", "--no-pyc"])
            .arg("--root-prefix")
            .arg(root_prefix(target))
            .arg("--prefix")
            .arg(&target.dir)
            .arg("--relocate-prefix")
            .arg(&target.prefix)
            .arg("--file")
            .arg(lock)
            .env_clear()
            .env("HOME", &target.work)
            .env("TMPDIR", &target.work)
            .env("MAMBA_NO_BANNER", "1")
            .stdin(Stdio::null());
        let ended = child::run("micromamba", command, &mut io::stderr(), KEPT_BYTES).map_err(|e| {
            let hint = match &e {
                ChildError::Start(e) => match e.kind() {
                    // The file itself exists, so its ELF interpreter is missing.
                    io::ErrorKind::NotFound => {
                        "; it must be the static binary from conda-forge's package or mambaorg's images"
                    }
                    io::ErrorKind::PermissionDenied => "; is the file executable?",
                    _ => "",
                },
                _ => "",
            };
            error(format!("micromamba {e}{hint}")).caused_by(e)
        })?;
        if ended.status.success() {
            return Ok(());
        }
        let lines: Vec<&str> = ended.output.lines().collect();
        let last = lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n");
        Err(error(format!(
            "micromamba failed ({}):\n{last}",
            ended.status
        )))
    }
}

impl LinkPackages for Micromamba {
    fn link(
        &self,
        packages: &[Package],
        claims: &Claims,
        python: Option<&PythonSpec>,
        target: &Target,
    ) -> Result<()> {
        if claims.have_links() {
            // micromamba would follow another package's link, or replace a directory with it, depending on the order.
            return Native.link(packages, claims, python, target);
        }
        let linker = Linker::new(target)?;
        let mut lock = String::from("@EXPLICIT\n");
        let mut kept_back = Vec::new();
        for (index, package) in packages.iter().enumerate() {
            let (own, given): (Vec<_>, Vec<_>) = claims
                .won(index, package)
                .into_iter()
                .partition(|won| is_kept_back(won.path));
            kept_back.push(own);
            // micromamba takes a package's platform from its URL. The file does not exist, so a
            // package that is missing from the cache is an error.
            let spec = &package.spec;
            let url = format!("file:///channel/{}/{}", spec.subdir, spec.archive);
            cache(package, &given, &url, target)?;
            // Writing to a string cannot fail.
            let _ = writeln!(lock, "{url}#{}", package.digests.md5);
        }
        let lock_path = target.work.join("explicit.txt");
        replace(&lock_path, lock.as_bytes())?;

        let has_python = packages.iter().any(|p| p.index.name == "python");
        if let (Some(python), false) = (python, has_python) {
            let path = format!("conda-meta/python-{}-0.json", python.version);
            write_json(&target.dir.join(path), &python_record(python))?;
        }
        self.run(&lock_path, target)?;
        for (index, (package, paths)) in packages.iter().zip(&kept_back).enumerate() {
            linker
                .link(package, paths)
                .map_err(|e| e.of_package(index))?;
        }
        Ok(())
    }
}

/// Whether a path is hidden from micromamba: directories, which it cannot link; its own bookkeeping;
/// and post-link scripts, which must run in the finished image and not here, where there is no shell.
fn is_kept_back(path: &PackagePath) -> bool {
    path.entry.path_type == PathType::Directory
        || path.target.starts_with("conda-meta/")
        || (path.target.starts_with("bin/.") && path.target.ends_with("-post-link.sh"))
}

fn root_prefix(target: &Target) -> PathBuf {
    target.work.join("root")
}

/// Puts the unpacked package into micromamba's cache, with only the paths `paths`.
fn cache(package: &Package, paths: &[Won<'_>], url: &str, target: &Target) -> Result<()> {
    let paths: Vec<PathsEntry> = paths
        .iter()
        .map(|Won { path, .. }| PathsEntry {
            // micromamba requires a size, but only records it.
            size_in_bytes: path.entry.size_in_bytes.or(Some(0)),
            ..path.entry.clone()
        })
        .collect();
    let info = package.dir.join("info");
    write_json(
        &info.join("paths.json"),
        &json!({"paths": paths, "paths_version": 1}),
    )?;
    let mut record = package.raw_index.clone();
    record.insert("url".to_owned(), json!(url));
    record.insert("md5".to_owned(), json!(package.digests.md5));
    write_json(&info.join("repodata_record.json"), &record.into())?;

    let cache = root_prefix(target).join("pkgs");
    fs::create_dir_all(&cache).map_err(|e| Error::io("create", &cache, e))?;
    let entry = cache.join(package.index.dist_name());
    symlink(&package.dir, &entry).map_err(|e| Error::io("create", &entry, e))
}

/// A record from which micromamba learns which python `noarch` packages are for. Its platform does not matter.
fn python_record(python: &PythonSpec) -> Value {
    json!({
        "name": "python",
        "version": python.version,
        "build": "0",
        "build_number": 0,
        "build_string": "0",
        "channel": "https://conda.anaconda.org/conda-forge",
        "subdir": "noarch",
        "fn": format!("python-{}-0.conda", python.version),
        "url": format!(
            "https://conda.anaconda.org/conda-forge/noarch/python-{}-0.conda",
            python.version
        ),
        "depends": [],
        "constrains": [],
        "size": 0,
        "timestamp": 0,
        "files": [],
        "paths_data": {"paths": [], "paths_version": 1},
        "python_site_packages_path": python.site_packages,
    })
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    replace(path, value.to_string().as_bytes())
}

fn error(message: String) -> Error {
    Error::new(ErrorKind::Micromamba, message)
}
