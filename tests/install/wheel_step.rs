//! Runs the step that links wheels.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{FACTS_FILE, GroupFacts};
use condafront_step_spec::install::PythonSpec;
use condafront_step_spec::wheel::{WheelSpec, WheelsSpec};
use condafront_steps::install::error::Error;
use condafront_steps::install::{Mounts, install_wheels};
use condafront_testkit::channel::WheelFile;
use tempfile::TempDir;

use super::bytecode::runtime;
use super::step::python_folder;

/// Where python's modules are in the prefix.
pub(super) const SITE: &str = "lib/python3.13/site-packages";

/// One run of the step in its own folders.
pub(super) struct WheelStep {
    pub(super) dir: TempDir,
    pub(super) spec: WheelsSpec,
    pub(super) wheels: Vec<WheelSpec>,
    python: Option<Arc<TempDir>>,
}

impl WheelStep {
    /// A step for the user who runs the test, which compiles nothing.
    pub(super) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        for name in ["in", "out", "facts"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let owner = fs::metadata(dir.path()).unwrap();
        Self {
            spec: WheelsSpec {
                prefix: "/opt/conda".into(),
                uid: owner.uid(),
                gid: owner.gid(),
                group_writable: false,
                python: PythonSpec {
                    version: "3.13".into(),
                    site_packages: SITE.into(),
                    runtime: false,
                },
                further_parts: 0,
            },
            wheels: Vec::new(),
            python: None,
            dir,
        }
    }

    /// The same, with a python that compiles.
    pub(super) fn compiled() -> Self {
        let mut step = Self::new();
        step.spec.python.runtime = true;
        step.python = Some(runtime());
        step
    }

    pub(super) fn with(mut self, file: &str, content: &[u8]) -> Self {
        let index = self.wheels.len();
        let dir = self.dir.path().join("in").join(index.to_string());
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(file), content).unwrap();
        let name = file.split('-').next().unwrap_or_default();
        self.wheels.push(WheelSpec {
            label: format!("{name} 1.0"),
            file: file.to_owned(),
            requested: true,
            direct_url: None,
        });
        self
    }

    pub(super) fn with_made(self, wheel: &WheelFile) -> Self {
        self.with(&wheel.file_name(), &wheel.build())
    }

    pub(super) fn run(&self) -> Result<(), Error> {
        let at = |name: &str| self.dir.path().join(name);
        let mounts = Mounts {
            input: at("in"),
            output: at("out"),
            facts: at("facts"),
            python: python_folder(&self.dir, self.python.as_deref()),
            parts: at("parts"),
            ..Mounts::default()
        };
        let args = self.spec.to_args(&self.wheels).unwrap();
        install_wheels(&args[1..], &mounts)
    }

    pub(super) fn prefix(&self) -> PathBuf {
        let prefix = self.spec.prefix.trim_start_matches('/');
        self.dir.path().join("out").join(prefix)
    }

    pub(super) fn read(&self, path: &str) -> String {
        let path = self.prefix().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(super) fn facts(&self) -> GroupFacts {
        let text = fs::read(self.dir.path().join("facts").join(FACTS_FILE)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// The mode and content of each file below `dir`.
pub(super) fn files(dir: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let status = fs::symlink_metadata(&path).unwrap();
            if status.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).unwrap().to_string_lossy();
            let content = if status.is_symlink() {
                b"link".to_vec()
            } else {
                fs::read(&path).unwrap()
            };
            let mode = status.permissions().mode() & 0o7777;
            found.insert(name.into_owned(), (mode, content));
        }
    }
    found
}
