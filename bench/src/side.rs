//! The two sides of the comparison: their folders and commands.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use condafront_testkit::engine::{Engine, registry};

use crate::Result;
use crate::dockerfile;
use crate::workload::{State, Workload};

/// One of the two ways to build the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The lock itself, built by condafront.
    Condafront,
    /// A Dockerfile next to the lock.
    Dockerfile,
}

impl Side {
    /// Both sides, in the order of the table's columns.
    pub(crate) const BOTH: [Self; 2] = [Self::Condafront, Self::Dockerfile];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condafront => "condafront",
            Self::Dockerfile => "Dockerfile",
        })
    }
}

/// The installer, which is the same on both sides.
pub(crate) enum Installer {
    /// condafront's own.
    BuiltIn,
    /// The micromamba in `bin` in this folder.
    Micromamba(tempfile::TempDir),
}

impl Installer {
    /// The micromamba that `MICROMAMBA` names; defaults to the built-in installer.
    pub(crate) fn from_env() -> Result<Self> {
        let Some(binary) = std::env::var_os("MICROMAMBA").filter(|binary| !binary.is_empty())
        else {
            return Ok(Self::BuiltIn);
        };
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join("bin/micromamba");
        fs::create_dir(folder.path().join("bin"))?;
        fs::copy(PathBuf::from(&binary), &copy)
            .map_err(|error| format!("MICROMAMBA={}: {error}", binary.display()))?;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
        Ok(Self::Micromamba(folder))
    }
}

/// A user's folder for one side.
pub(crate) struct Project<'a> {
    side: Side,
    workload: &'a Workload,
    installer: &'a Installer,
    folder: tempfile::TempDir,
}

impl<'a> Project<'a> {
    /// An empty folder.
    pub(crate) fn new(
        side: Side,
        workload: &'a Workload,
        installer: &'a Installer,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("context"))?;
        fs::create_dir(folder.path().join("packages"))?;
        Ok(Self {
            side,
            workload,
            installer,
            folder,
        })
    }

    fn context(&self) -> PathBuf {
        self.folder.path().join("context")
    }

    fn packages(&self) -> PathBuf {
        self.folder.path().join("packages")
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.context().join(name);
        // An unchanged file keeps its time, as it would for a user.
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        Ok(fs::write(path, text)?)
    }

    /// Puts the folder into a state.
    pub(crate) fn set(&self, state: State) -> Result<()> {
        let lock = self.workload.lock(state);
        if self.side == Side::Condafront {
            return self.write("env.lock", &format!("# syntax={}\n{lock}", frontend()));
        }
        self.write("env.lock", &lock)?;
        self.write("entrypoint.sh", dockerfile::ENTRYPOINT_SCRIPT)?;
        if let Installer::Micromamba(_) = self.installer {
            return self.write("Dockerfile", &dockerfile::with_micromamba(&base()));
        }
        let text = dockerfile::with_the_built_in_installer(&base(), &frontend());
        self.write("Dockerfile", &text)?;
        let script = dockerfile::install_script(&lock)?;
        self.write(dockerfile::INSTALL_SCRIPT, &script)?;
        self.set_packages(state)
    }

    /// Provides the packages as files, for the built-in installer in a Dockerfile.
    fn set_packages(&self, state: State) -> Result<()> {
        let packages = self.workload.packages(state);
        for entry in fs::read_dir(self.packages())? {
            let entry = entry?;
            if !packages
                .iter()
                .any(|package| entry.file_name() == package.file_name.as_str())
            {
                fs::remove_file(entry.path())?;
            }
        }
        for package in packages {
            let file = self.packages().join(&package.file_name);
            if !file.exists() {
                fs::copy(self.workload.archive(package), file)?;
            }
        }
        Ok(())
    }

    /// The command that a user would type to build and push.
    pub(crate) fn command(&self, engine: &Engine, image: &str) -> std::process::Command {
        let mut command = engine.docker(["buildx", "build", "--progress", "rawjson", "--push"]);
        command.args(["--tag", image]);
        match self.side {
            Side::Condafront => {
                command.args(["--file", "env.lock"]);
                command.args(["--build-arg", &format!("BASE_IMAGE={}", base())]);
            }
            // The installer downloads from this machine.
            Side::Dockerfile => {
                command.args(["--network", "host"]);
            }
        }
        let context = |name: &str, folder: &Path| format!("{name}={}", folder.display());
        match (self.installer, self.side) {
            (Installer::Micromamba(folder), _) => {
                command.args(["--build-context", &context("micromamba", folder.path())]);
            }
            (Installer::BuiltIn, Side::Condafront) => {
                command.args(["--build-arg", "CONDAFRONT_INSTALLER=native"]);
            }
            (Installer::BuiltIn, Side::Dockerfile) => {
                command.args(["--build-context", &context("packages", &self.packages())]);
            }
        }
        command.arg(".").current_dir(self.context());
        command
    }
}

/// The frontend image, in the registry of the images that both sides start with.
fn frontend() -> String {
    format!("{}/condafront:dev", registry())
}

/// The base image, in the same registry.
fn base() -> String {
    format!("{}/debian:13-slim", registry())
}
