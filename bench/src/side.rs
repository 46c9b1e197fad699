//! The sides of the comparison: their folders and commands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use condafront_testkit::engine::{Engine, registry};

use crate::Result;
use crate::conditions::Conditions;
use crate::dockerfile;
use crate::environment::{Archive, Change, Environment, Size};
use crate::scenario::Scenario;

/// A way to build the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The lock itself, built by condafront with its own installer.
    Condafront,
    /// The same with micromamba as the installer.
    CondafrontMicromamba,
    /// A Dockerfile with micromamba in one `RUN`.
    Micromamba,
    /// The same with a cache mount for the packages, in a stage of its own from which the environment is copied.
    MicromambaCached,
    /// A Dockerfile with condafront's own installer in one `RUN`.
    OneRun,
    /// Not the image, but a Dockerfile of two lines with a frontend from another image.
    OtherFrontend,
}

impl Side {
    /// The sides that can be measured: those with micromamba only where there is one. The second of them is what the
    /// first is compared with.
    pub(crate) fn all(has_micromamba: bool) -> Vec<Self> {
        if has_micromamba {
            vec![
                Self::Condafront,
                Self::Micromamba,
                Self::MicromambaCached,
                Self::CondafrontMicromamba,
                Self::OneRun,
            ]
        } else {
            vec![Self::Condafront, Self::OneRun]
        }
    }

    /// What is measured of it in an environment of this size, in this order.
    pub(crate) fn scenarios(self, size: Size) -> Vec<Scenario> {
        let mut all = Scenario::all(size);
        if self == Self::OtherFrontend {
            all.retain(|scenario| scenario.is_of_frontend());
        }
        all
    }

    /// The heading of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Condafront => "condafront",
            Self::CondafrontMicromamba => "condafront with micromamba",
            Self::Micromamba => "Dockerfile with micromamba",
            Self::MicromambaCached => "the same with a cache mount",
            Self::OneRun => "Dockerfile with condafront's installer",
            Self::OtherFrontend => "two lines with another frontend",
        }
    }

    fn is_condafront(self) -> bool {
        matches!(self, Self::Condafront | Self::CondafrontMicromamba)
    }
}

/// The micromamba that `MICROMAMBA` names, as `bin/micromamba` in a folder of its own.
pub(crate) fn micromamba() -> Result<Option<tempfile::TempDir>> {
    let named = std::env::var_os("MICROMAMBA").filter(|binary| !binary.is_empty());
    let Some(binary) = named else {
        return Ok(None);
    };
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("bin/micromamba");
    fs::create_dir(folder.path().join("bin"))?;
    fs::copy(PathBuf::from(&binary), &copy)
        .map_err(|error| format!("MICROMAMBA={}: {error}", binary.display()))?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    Ok(Some(folder))
}

/// Whether there is another frontend to compare with: `scripts/bench` pushes the one that `DOCKERFILE_FRONTEND` names.
pub(crate) fn has_other_frontend() -> bool {
    std::env::var_os("DOCKERFILE_FRONTEND").is_some_and(|binary| !binary.is_empty())
}

/// A user's folder for one side.
pub(crate) struct Project<'a> {
    side: Side,
    environment: &'a Environment,
    /// Where the channel's server is reached.
    channel: String,
    micromamba: Option<&'a Path>,
    folder: tempfile::TempDir,
}

impl<'a> Project<'a> {
    /// An empty folder.
    pub(crate) fn new(
        side: Side,
        environment: &'a Environment,
        channel: String,
        micromamba: Option<&'a Path>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("context"))?;
        fs::create_dir(folder.path().join("packages"))?;
        Ok(Self {
            side,
            environment,
            channel,
            micromamba,
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

    /// Makes a change, and undoes the one before.
    pub(crate) fn set(&self, change: Change) -> Result<()> {
        if self.side == Side::OtherFrontend {
            let text = dockerfile::of_two_lines(&base(change), &other_frontend());
            return self.write("Dockerfile", &text);
        }
        let has_list = self.environment.size().has_list();
        if self.side.is_condafront() && has_list {
            let text = self.environment.env_yml(change, &self.channel);
            return self.write("env.yml", &format!("# syntax={}\n{text}", frontend()));
        }
        let lock = self.environment.lock(change, &self.channel);
        if self.side.is_condafront() {
            return self.write("env.lock", &format!("# syntax={}\n{lock}", frontend()));
        }
        self.write("env.lock", &lock)?;
        self.write("entrypoint.sh", dockerfile::ENTRYPOINT_SCRIPT)?;
        let base = base(change);
        let mut text = match self.side {
            Side::Micromamba => dockerfile::with_micromamba(&base),
            Side::MicromambaCached => dockerfile::with_a_cache_mount(&base),
            _ => dockerfile::with_the_built_in_installer(&base, &frontend()),
        };
        if has_list {
            text = dockerfile::with_a_list(&text);
            let lines: Vec<&str> = Environment::listed(change).collect();
            self.write(dockerfile::REQUIREMENTS, &(lines.join("\n") + "\n"))?;
        }
        self.write("Dockerfile", &text)?;
        match self.side {
            Side::Micromamba | Side::MicromambaCached => Ok(()),
            _ => {
                let script = dockerfile::install_script(&lock)?;
                self.write(dockerfile::INSTALL_SCRIPT, &script)?;
                self.set_packages(change)
            }
        }
    }

    /// Provides the packages as files, for the built-in installer in a Dockerfile.
    fn set_packages(&self, change: Change) -> Result<()> {
        let packages = self.environment.packages(change);
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
            if file.exists() {
                continue;
            }
            match self.environment.archive(package) {
                Archive::Bytes(bytes) => fs::write(file, bytes)?,
                Archive::File(archive) => drop(fs::copy(archive, file)?),
            }
        }
        Ok(())
    }

    /// A command that checks an image of this side with a change, and what it prints.
    pub(crate) fn check(&self, change: Change) -> (Vec<&'static str>, String) {
        if self.side == Side::OtherFrontend {
            let command = vec!["ls", dockerfile::TOUCHED];
            return (command, format!("{}\n", dockerfile::TOUCHED));
        }
        self.environment.check(change)
    }

    /// The command that a user would type to build the folder with this change, with the options for what to do with it.
    pub(crate) fn command(
        &self,
        engine: &Engine,
        change: Change,
        conditions: Conditions,
        options: &[&str],
    ) -> Command {
        let mut command = engine.buildx();
        command.arg("build").args(options);
        if self.side == Side::OtherFrontend {
            command.arg(".").current_dir(self.context());
            return command;
        }
        let has_list = self.environment.size().has_list();
        if has_list {
            let index = Environment::index(&self.channel);
            command.args(["--build-arg", &format!("PIP_INDEX_URL={index}")]);
        }
        if self.side.is_condafront() {
            let file = if has_list { "env.yml" } else { "env.lock" };
            command.args(["--file", file]);
            if has_list {
                // pip asks an index on this machine.
                command.args(["--network", "host"]);
            }
            command.args(["--build-arg", &format!("BASE_IMAGE={}", base(change))]);
            if let Some(count) = conditions.layers {
                command.args(["--build-arg", &format!("CONDAFRONT_LAYERS={count}")]);
            }
        } else {
            // The installer downloads from this machine.
            command.args(["--network", "host"]);
        }
        let context = |name: &str, folder: &Path| format!("{name}={}", folder.display());
        match self.side {
            Side::Condafront => {
                command.args(["--build-arg", "CONDAFRONT_INSTALLER=native"]);
            }
            Side::OneRun => {
                command.args(["--build-context", &context("packages", &self.packages())]);
            }
            _ => {
                let folder = self.micromamba.unwrap_or(Path::new("."));
                command.args(["--build-context", &context("micromamba", folder)]);
            }
        }
        command.arg(".").current_dir(self.context());
        command
    }
}

/// The frontend image, in the registry of the images that all sides start with.
fn frontend() -> String {
    format!("{}/condafront:dev", registry())
}

/// The image with another frontend, in the same registry.
fn other_frontend() -> String {
    format!("{}/dockerfile-frontend", registry())
}

/// The base image, in the same registry: `scripts/bench` pushes them.
fn base(change: Change) -> String {
    let tag = if change == Change::Base {
        "13-slim-changed"
    } else {
        "13-slim"
    };
    format!("{}/debian:{tag}", registry())
}
