//! Running the install step on packages and inspecting its results.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{FACTS_FILE, GroupFacts, PATHS_FILE};
use condafront_step_spec::install::{InstallSpec, Installer, PackageSpec, PythonSpec};
use condafront_steps::install::error::Error;
use condafront_steps::install::{Mounts, install};
use condafront_testkit::channel::{Channel, Package};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::package::Package as Made;

/// One run of the step in its own folders.
pub(crate) struct Step {
    dir: TempDir,
    pub(crate) spec: InstallSpec,
    pub(crate) packages: Vec<PackageSpec>,
    /// The python runtime, if there is one.
    pub(crate) python: Option<Arc<TempDir>>,
    /// The folder with micromamba, if there is one.
    pub(crate) micromamba: PathBuf,
}

/// Adds packages of a channel to the step, after its own.
pub(crate) fn mount_channel(step: &mut Step, channel: &Channel, packages: &[&Package]) {
    for package in packages {
        let dir = step.mounts().input.join(step.packages.len().to_string());
        fs::create_dir(&dir).unwrap();
        let archive = channel.archive(package);
        fs::copy(archive, dir.join(&package.file_name)).unwrap();
        let url = "https://example.org/channel";
        step.packages.push(PackageSpec {
            label: format!("{} {}", package.name, package.version),
            archive: package.file_name.clone(),
            url: format!("{url}/{}", package.path()),
            channel: url.into(),
            subdir: package.subdir.clone(),
            sha256: Some(package.sha256.clone()),
            md5: Some(package.md5.clone()),
        });
    }
}

/// Where a step in `dir` finds its python runtime; without one, a folder that is not there.
pub(crate) fn python_folder(dir: &TempDir, runtime: Option<&TempDir>) -> PathBuf {
    runtime.map_or_else(|| dir.path().join("python"), |it| it.path().to_owned())
}

impl Step {
    /// A step that links `packages` natively, for the user who runs the test.
    pub(crate) fn new(packages: &[Made]) -> Self {
        let dir = TempDir::new().unwrap();
        for name in ["in", "out", "facts"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let owner = fs::metadata(dir.path()).unwrap();
        let specs = packages
            .iter()
            .enumerate()
            .map(|(index, package)| package.mount(&dir.path().join("in"), index))
            .collect();
        Step {
            spec: InstallSpec {
                prefix: "/opt/conda".into(),
                uid: owner.uid(),
                gid: owner.gid(),
                group_writable: false,
                installer: Installer::Native,
                python: Some(PythonSpec {
                    version: "3.13".into(),
                    site_packages: "lib/python3.13/site-packages".into(),
                    runtime: false,
                }),
                trim: BTreeSet::new(),
                further_parts: 0,
            },
            packages: specs,
            python: None,
            micromamba: dir.path().join("micromamba"),
            dir,
        }
    }

    pub(crate) fn mounts(&self) -> Mounts {
        let at = |name: &str| self.dir.path().join(name);
        Mounts {
            input: at("in"),
            output: at("out"),
            parts: at("parts"),
            facts: at("facts"),
            python: python_folder(&self.dir, self.python.as_deref()),
            micromamba: self.micromamba.clone(),
        }
    }

    pub(crate) fn run(&self) -> Result<(), Error> {
        let args = self.spec.to_args(&self.packages).unwrap();
        install(&args[1..], &self.mounts())
    }

    /// Runs a step that must fail, and returns its error.
    pub(crate) fn fail(&self) -> Error {
        self.run().expect_err("the step should fail")
    }

    /// Moves the output to a folder that outlives the step.
    pub(crate) fn keep_output(self) -> TempDir {
        let kept = TempDir::new().unwrap();
        for entry in fs::read_dir(self.mounts().output).unwrap() {
            let path = entry.unwrap().path();
            fs::rename(&path, kept.path().join(path.file_name().unwrap())).unwrap();
        }
        kept
    }

    pub(crate) fn prefix(&self) -> PathBuf {
        self.mounts().output.join("opt/conda")
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let bytes = fs::read(self.prefix().join(path)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn record(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(&format!("conda-meta/{name}-1.0-0.json"))).unwrap()
    }

    pub(crate) fn facts(&self) -> GroupFacts {
        let text = fs::read(self.mounts().facts.join(FACTS_FILE)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// Everything in the output that a layer keeps (kind, mode, owner, time, content), and all facts.
    pub(crate) fn listing(&self) -> String {
        let mut lines = BTreeMap::new();
        list(&self.mounts().output, "", &mut lines);
        let mut text: String = lines
            .into_iter()
            .map(|(path, what)| format!("{path} {what}\n"))
            .collect();
        for file in [FACTS_FILE, PATHS_FILE] {
            text += &fs::read_to_string(self.mounts().facts.join(file)).unwrap();
        }
        text
    }
}

/// Everything in a layer, by its path; those of directories end with a slash.
pub(crate) fn paths_of(layer: &Path) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    list(layer, "", &mut lines);
    // It is the mount, which belongs to no layer.
    lines.remove("/");
    // The numbers of links count a directory's folders, and files of other layers.
    let without_links = |what: String| {
        let mut words: Vec<&str> = what.splitn(5, ' ').collect();
        words.remove(2);
        words.join(" ")
    };
    let lines = lines.into_iter();
    lines
        .map(|(path, what)| (path, without_links(what)))
        .collect()
}

fn list(dir: &Path, relative: &str, lines: &mut BTreeMap<String, String>) {
    lines.insert(format!("{relative}/"), describe(dir));
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{relative}/{}", path.file_name().unwrap().display());
        if path.is_dir() && !path.is_symlink() {
            list(&path, &name, lines);
        } else {
            lines.insert(name, describe(&path));
        }
    }
}

/// Larger files are listed by their hash.
const SHOWN_BYTES: usize = 64 * 1024;

fn describe(path: &Path) -> String {
    let metadata = fs::symlink_metadata(path).unwrap();
    let content = if metadata.is_symlink() {
        fs::read_link(path).unwrap().display().to_string()
    } else if metadata.is_file() {
        let content = fs::read(path).unwrap();
        if content.len() < SHOWN_BYTES {
            content.escape_ascii().to_string()
        } else {
            hex::encode(Sha256::digest(content))
        }
    } else {
        String::new()
    };
    let mode = if metadata.is_symlink() {
        0
    } else {
        metadata.permissions().mode()
    };
    format!(
        "{mode:o} {}:{} {} {} {content}",
        metadata.uid(),
        metadata.gid(),
        metadata.nlink(),
        metadata.mtime(),
    )
}
