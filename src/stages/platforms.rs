//! The platforms to build for, and what the builder can do for platforms other than its own.

use super::session::{Session, native};

use std::sync::Arc;

use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::image::config::ImageConfig;
use crate::options::choices::Choice;
use condafront_input::options::Options;
use condafront_input::pypi::PypiPackages;
use condafront_input::section::ImageSection;
use condafront_model::lint::{Rule, Warning};
use condafront_model::platform::Platform;
use condafront_model::prose;
use condafront_model::pypi_package::FileKind;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, Location, SourceFile};

/// The platforms to build for: at least one, without duplicates.
///
/// # Errors
/// When the options name a platform that condafront cannot make images for.
pub(crate) fn platforms(bridge: &Bridge, options: &Options) -> Result<Vec<Platform>, BuildError> {
    let mut platforms = options.platforms()?;
    if platforms.is_empty() {
        platforms.push(native(bridge));
    }
    match platforms.iter().find(|one| !Platform::IMAGES.contains(one)) {
        None => Ok(platforms),
        Some(other) => Err(no_images_for(*other).into()),
    }
}

fn no_images_for(platform: Platform) -> Diagnostic {
    Diagnostic::new(format!(
        "condafront {} makes images for {}, not for {platform}",
        env!("CARGO_PKG_VERSION"),
        prose::and(Platform::IMAGES)
    ))
    .help(format!(
        "Use --target lock to lock packages for {platform}."
    ))
}

/// An image platform that is not the builder's.
#[derive(Clone, Copy)]
struct Foreign {
    /// The platform to build for.
    image: Platform,
    /// The builder's own platform.
    builder: Platform,
}

impl Foreign {
    /// How to run programs of the image's platform.
    fn emulation(self) -> String {
        format!(
            "Set up emulation (docker run --privileged --rm tonistiigi/binfmt --install {}, then restart the builder), or use a builder for {}.",
            self.image.architecture(),
            self.image
        )
    }

    /// The error that the builder cannot run `what`, a subject in the singular.
    fn must_run(self, what: &str) -> Diagnostic {
        Diagnostic::new(format!(
            "{what} runs {} programs, but this builder only runs {} programs",
            self.image, self.builder
        ))
        .help(self.emulation())
    }

    /// The warning that modules are not compiled.
    fn no_bytecode(self, why: &str) -> Diagnostic {
        Diagnostic::new(format!(
            "python modules are not compiled: this builder cannot run python for {}, and there is no python for {} ({why})",
            self.image, self.builder
        ))
        .help(format!(
            "They work, but python starts more slowly. A lock for both {} and {} has a python that can compile them. {}",
            self.image.subdir(),
            self.builder.subdir(),
            self.emulation()
        ))
    }

    /// The warning that the activation scripts of `package` take effect later than usual.
    fn activation_at_start(self, package: &str) -> Diagnostic {
        Diagnostic::new(format!(
            "{package} has an activation script, but this builder cannot run {} programs to see what it sets",
            self.image
        ))
        .help(format!(
            "Containers and shells of the image run it when they start. With docker exec, another entrypoint or RUN in a Dockerfile, its variables are missing. {}",
            self.emulation()
        ))
    }
}

/// The error that a base image is for `found`, not for the platform to build for.
fn base_for_another(base: &str, found: &str, wanted: Platform) -> Diagnostic {
    let build = match Platform::parse(found) {
        Ok(found) if Platform::IMAGES.contains(&found) => {
            format!(", or build with --platform {found}")
        }
        _ => String::new(),
    };
    Diagnostic::new(format!(
        "the base image `{}` is for {found}, but the image is built for {wanted}",
        quoted(base)
    ))
    .help(format!(
        "Choose a base image for {wanted} with `base` or the build-arg BASE_IMAGE{build}."
    ))
}

impl Session<'_> {
    /// Refuses a base image for another platform than the session's. If an image is for one platform only, the engine
    /// gives that, whatever platform it is asked for.
    ///
    /// # Errors
    /// A diagnostic at the line that names the base image.
    pub(super) fn check_base(
        &self,
        choice: &Choice<String>,
        base: &ImageConfig,
    ) -> Result<(), Diagnostic> {
        let found = base.platform();
        if found == self.platform.to_string() {
            return Ok(());
        }
        let error = base_for_another(&choice.value, &found, self.platform);
        Err(match choice.lines {
            Some(lines) => error.at(self.file, lines),
            None => error,
        })
    }

    fn foreign(&self) -> Foreign {
        Foreign {
            image: self.platform,
            builder: native(self.bridge),
        }
    }

    /// Whether steps can run programs of the session's platform, by emulation if need be.
    pub(super) fn can_run(&self) -> bool {
        let Foreign { image, builder } = self.foreign();
        image == builder || self.bridge.abilities().runnable.contains(&image)
    }

    /// Refuses `what`, a subject in the singular, if the builder cannot run programs of the session's platform.
    ///
    /// # Errors
    /// A diagnostic at `lines` of the session's file that says what to do.
    pub(super) fn must_run(&self, what: &str, lines: &[Lines]) -> Result<(), Diagnostic> {
        if self.can_run() {
            return Ok(());
        }
        let at = |diagnostic: Diagnostic, lines: &Lines| diagnostic.at(self.file, *lines);
        Err(lines.iter().fold(self.foreign().must_run(what), at))
    }

    /// The same at one place, which any file may have.
    ///
    /// # Errors
    /// As [`Session::must_run`].
    pub(super) fn must_run_at(&self, what: &str, place: &Location) -> Result<(), Diagnostic> {
        self.about(&place.file).must_run(what, &[place.lines])
    }

    /// [`Session::must_run`] for PyPI packages that the environment's own pip builds, installs or finds in any case. Whether
    /// it must install wheels shows later.
    ///
    /// # Errors
    /// As [`Session::must_run`].
    pub(super) fn check_pip(&self, asked: &PypiPackages) -> Result<(), Diagnostic> {
        match needs_pip(asked, self.file) {
            Some((what, place)) => self.must_run_at(&what, &place),
            None => Ok(()),
        }
    }

    /// [`Session::must_run`] for commands of the section.
    ///
    /// # Errors
    /// As [`Session::must_run`].
    pub(super) fn check_commands(&self, section: &ImageSection) -> Result<(), Diagnostic> {
        match section.run.first() {
            Some(first) => self.must_run("this command", &[first.lines]),
            None => Ok(()),
        }
    }

    /// Warns that modules are not compiled, at the line of the image's `python`.
    pub(super) fn no_bytecode(&self, why: &str, python: Lines) -> Warning {
        Warning {
            rule: Rule::NoBytecode,
            diagnostic: self.foreign().no_bytecode(why).at(self.file, python),
        }
    }

    /// Warns that activation scripts of a package take effect later than usual.
    pub(super) fn activation_at_start(&self, package: &str, lines: Option<Lines>) -> Warning {
        let diagnostic = self.foreign().activation_at_start(package);
        Warning {
            rule: Rule::PackageContents,
            diagnostic: match lines {
                Some(lines) => diagnostic.at(self.file, lines),
                None => diagnostic,
            },
        }
    }
}

/// pip, as the subject of what a builder cannot do.
pub(super) const PIP_INSTALLS: &str = "pip, which installs PyPI packages,";

/// The same for a package that it builds.
pub(super) fn pip_builds(label: &str) -> String {
    format!("pip, which builds `{}`,", quoted(label))
}

/// What pip must do in any case for the packages of an environment's `file`, and where that is asked for.
fn needs_pip(asked: &PypiPackages, file: &Arc<SourceFile>) -> Option<(String, Location)> {
    let pinned = asked.list.pinned();
    let mut locked = asked.locked.iter().chain(pinned.iter().flatten());
    if let Some(package) = locked.find(|package| !package.is_pinned_wheel()) {
        let what = match package.kind() {
            Some(FileKind::Source) => pip_builds(&package.label()),
            _ => PIP_INSTALLS.to_owned(),
        };
        return Some((what, package.location(file)));
    }
    let mut local = asked.local.iter();
    if let Some(package) = local.find(|package| !package.path.ends_with(".whl")) {
        return Some((pip_builds(&package.name), package.location(file)));
    }
    if let Some(package) = asked.repositories.first() {
        return Some((pip_builds(&package.name), package.location(file)));
    }
    if pinned.is_some() {
        return None;
    }
    let mut entries = asked.list.entries().iter();
    let first = entries.find(|entry| entry.requirement().is_some())?;
    Some((PIP_INSTALLS.to_owned(), first.location()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_input::LocalPip;
    use condafront_input::requirements::List;
    use condafront_model::package::Hashes;
    use condafront_model::pypi_package::PipPackage;
    use std::slice::from_ref;

    #[test]
    fn only_what_pip_must_do_needs_its_platform() {
        let file = SourceFile::new("env.lock", "1\n2\n3\n4\n");
        let package = |name: &str, line| PipPackage {
            version: Some("1.0".to_owned()),
            hashes: Hashes {
                sha256: Some("1".repeat(64)),
                md5: None,
            },
            lines: Lines::one(line),
            ..PipPackage::example(&format!("https://f.example/{name}"))
        };
        let local = |path: &str, line| LocalPip {
            name: "app".to_owned(),
            path: path.to_owned(),
            file_name: None,
            hashes: Hashes::default(),
            lines: Lines::one(line),
        };
        let found = |locked: &[PipPackage], local: &[LocalPip]| {
            let asked = PypiPackages {
                locked: locked.to_vec(),
                local: local.to_vec(),
                repositories: Vec::new(),
                pylocks: Vec::new(),
                list: List::default(),
            };
            needs_pip(&asked, &file).map(|(what, place)| (what, place.lines.first))
        };
        let wheel = package("demo-1.0-py3-none-any.whl", 1);
        let unpinned = PipPackage {
            hashes: Hashes::default(),
            ..package("demo-1.0-py3-none-any.whl", 2)
        };
        let archive = package("demo-1.0.tar.gz", 3);
        let own_wheel = local("wheels/app-1.0-py3-none-any.whl", 3);
        assert_eq!(found(from_ref(&wheel), from_ref(&own_wheel)), None);
        let builds = |what: &str, line| Some((format!("pip, which builds `{what}`,"), line));
        assert_eq!(found(&[wheel.clone(), archive], &[]), builds("demo 1.0", 3));
        let folder = local("app", 4);
        assert_eq!(
            found(from_ref(&wheel), &[own_wheel, folder]),
            builds("app", 4)
        );
        let installs = Some((PIP_INSTALLS.to_owned(), 2));
        assert_eq!(found(&[wheel, unpinned], &[]), installs);
    }

    #[test]
    fn what_a_builder_cannot_do_is_told_with_what_to_do() {
        let foreign = Foreign {
            image: Platform::LinuxArm64,
            builder: Platform::LinuxAmd64,
        };
        let told = [
            no_images_for(Platform::LinuxS390x),
            base_for_another("our/base:1", "linux/amd64", Platform::LinuxArm64),
            base_for_another("our/base:1", "linux/arm/v7", Platform::LinuxArm64),
            base_for_another("our/base:1", "windows/amd64", Platform::LinuxAmd64),
            foreign.must_run("the post-link script of arm-post 1.0"),
            foreign.must_run(PIP_INSTALLS),
            foreign.must_run(&pip_builds("demo 1.0")),
            foreign.no_bytecode("env.lock lists no python 3.13 for it"),
            foreign.activation_at_start("arm-active 1.0"),
        ];
        let text = told.map(|diagnostic| {
            let help = diagnostic.help.unwrap_or_default();
            format!("{}\n  {help}\n", diagnostic.message)
        });
        insta::assert_snapshot!(text.join("\n"));
    }
}
