//! Linking with a micromamba binary.
//!
//! Facts of its command line: `micromamba install --help`; what it does with an explicit lock:
//! `create_explicit_transaction_from_urls` and `LinkPackage` in libmamba (packages in the file's
//! order, a later package's file replaces an earlier one's).

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::error::{Error, ErrorKind, Result};
use super::link::{Claims, Installer, Target};
use super::package::{Extent, Package};
use super::spec::PythonSpec;

/// How much of micromamba's output an error quotes, in lines.
const QUOTED_LINES: usize = 30;

/// Links with the micromamba binary at a path.
pub(crate) struct Micromamba {
    binary: PathBuf,
}

impl Micromamba {
    /// The binary in the mounted directory `dir`: `bin/micromamba`, as the conda package and
    /// images have it, or `micromamba`.
    pub(crate) fn find(dir: &Path) -> Result<Self> {
        ["bin/micromamba", "micromamba"]
            .iter()
            .map(|name| dir.join(name))
            .find(|path| path.is_file())
            .map(|binary| Micromamba { binary })
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Micromamba,
                    format!(
                        "there is no micromamba in {} (looked for bin/micromamba and micromamba)",
                        dir.display()
                    ),
                )
            })
    }

    fn run(&self, lock: &Path, target: &Target) -> Result<()> {
        let root = target.work.join("root");
        let output = Command::new(&self.binary)
            .args(["install", "--yes", "--quiet", "--no-rc", "--no-deps"])
            .args(["--offline", "--no-pyc", "--no-shortcuts"])
            .arg("--root-prefix")
            .arg(&root)
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
            // As a variable, not a flag: releases that do not know it ignore it.
            .env("MAMBA_SKIP_RUN_LINK_SCRIPTS", "true")
            .env("MAMBA_ALLOW_SOFTLINKS", "false")
            .output()
            .map_err(|e| {
                Error::new(
                    ErrorKind::Micromamba,
                    format!("cannot run {}: {e}", self.binary.display()),
                )
            })?;
        if output.status.success() {
            return Ok(());
        }
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n");
        Err(Error::new(
            ErrorKind::Micromamba,
            format!("micromamba failed ({}):\n{last}", output.status),
        ))
    }
}

impl Installer for Micromamba {
    fn extent(&self) -> Extent {
        Extent::Info
    }

    fn link(
        &self,
        packages: &[Package],
        _claims: &Claims,
        python: Option<&PythonSpec>,
        target: &Target,
    ) -> Result<()> {
        // micromamba takes a package's platform from its URL, so give it a channel's layout. Its
        // package cache lies in the work directory too: on the same file system it can hard link.
        let channel = target.work.join("channel");
        let mut lock = String::from("@EXPLICIT\n");
        for package in packages {
            let spec = &package.spec;
            let path = channel.join(&spec.subdir).join(&spec.archive);
            make_parent(&path)?;
            symlink(&package.archive, &path).map_err(|e| Error::io("create", &path, e))?;
            // Writing to a string cannot fail.
            let _ = writeln!(lock, "file://{}#{}", path.display(), package.digests.md5);
        }
        let lock_path = target.work.join("explicit.txt");
        write(&lock_path, &lock)?;

        // `install` wants an environment, which it knows by this file.
        let meta = target.dir.join("conda-meta");
        write(&meta.join("history"), "")?;
        let has_python = packages.iter().any(|p| p.index.name == "python");
        if let (Some(python), false) = (python, has_python) {
            write(
                &meta.join(format!("python-{}-0.json", python.version)),
                &python_record(python),
            )?;
        }
        let result = self.run(&lock_path, target);
        // Its records name the cache and file URLs; the step writes them anew.
        fs::remove_dir_all(&meta).map_err(|e| Error::io("remove", &meta, e))?;
        result
    }
}

/// A record that tells micromamba which python `noarch` packages are for.
fn python_record(python: &PythonSpec) -> String {
    json!({
        "name": "python",
        "version": python.version,
        "build": "0",
        "build_number": 0,
        "build_string": "0",
        "channel": "https://conda.anaconda.org/conda-forge",
        "subdir": "linux-64",
        "fn": format!("python-{}-0.conda", python.version),
        "url": format!(
            "https://conda.anaconda.org/conda-forge/linux-64/python-{}-0.conda",
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
    .to_string()
}

fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e)),
        None => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    make_parent(path)?;
    fs::write(path, text).map_err(|e| Error::io("write", path, e))
}
