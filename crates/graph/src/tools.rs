//! What the steps of a build have in common.

use buildkit_llb::{OpOptions, Options, Output, ProgressGroup};

use crate::programs::PROGRAM;
use crate::step::Step;
use condafront_model::platform::Platform;
use condafront_step_spec::timeout::{TIMEOUT, Timeout};

/// Where condafront's program is mounted in steps that run in the image's root.
pub(crate) const TOOLS_DIR: &str = "/.condafront";

/// What the steps of a build have in common.
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    /// The [`programs`](crate::programs()) of the frontend's own image, for the build platform.
    pub programs: &'a Output,
    /// Whether to ignore caches.
    pub no_cache: bool,
    /// Whether the engine can skip hashing content that the definition pins (BuildKit 0.13).
    pub content_cache: bool,
    /// How long programs in the image's own root may print nothing.
    pub timeout: Timeout,
    /// The platform that the image is for, if the build makes images for several: the names of steps say which.
    pub platform: Option<Platform>,
    /// The environment that steps are about, if the build has several: their names say which.
    pub environment: Option<&'a str>,
}

impl<'a> Tools<'a> {
    /// Those of an up-to-date engine, for a build with one environment and the default settings.
    pub fn new(programs: &'a Output) -> Self {
        Self {
            programs,
            no_cache: false,
            content_cache: true,
            timeout: Timeout::default(),
            platform: None,
            environment: None,
        }
    }
}

impl Tools<'_> {
    /// The same for steps that are about the whole image.
    #[must_use]
    pub fn of_image(self) -> Self {
        Self {
            environment: None,
            ..self
        }
    }

    /// A name with the platform and the environment, where the build has several: `[install 1/9] numpy` is
    /// `[install linux/arm64 gpu 1/9] numpy`.
    pub fn title(&self, name: impl Into<String>) -> String {
        let name = name.into();
        let platform = self.platform.map(|platform| platform.to_string());
        let environment = self.environment.map(str::to_owned);
        let labels = [platform, environment].into_iter().flatten();
        let labels: String = labels.map(|label| format!(" {label}")).collect();
        match name.find([' ', ']']).filter(|_| name.starts_with('[')) {
            Some(end) => {
                let (kind, rest) = name.split_at(end);
                format!("{kind}{labels}{rest}")
            }
            None => name,
        }
    }

    /// Shows the downloads of `tool` for an environment as one line in clients that can do so.
    pub(crate) fn downloads(&self, tool: &str, count: usize) -> ProgressGroup {
        let packages = if count == 1 { "package" } else { "packages" };
        ProgressGroup {
            id: self.title(format!("[{tool}] downloads")),
            name: self.title(format!("[{tool}] download {count} {packages}")),
            weak: false,
        }
    }

    /// Options with an operation's name; they ignore the cache if the build does.
    pub(crate) fn options(&self, name: impl Into<String>) -> Options {
        let mut options = Options::new();
        options.name(self.title(name));
        if self.no_cache {
            options.ignore_cache();
        }
        options
    }

    /// The same for operations that are one step to the user, and have one line in the progress.
    pub(crate) fn joined(&self, name: &str) -> Options {
        let mut options = self.options(name);
        let name = self.title(name);
        options.group(&ProgressGroup {
            id: format!("condafront {name}"),
            name,
            weak: false,
        });
        options
    }

    /// A step whose root has only the programs.
    pub(crate) fn step(&self, args: Vec<String>, name: impl Into<String>) -> Step {
        self.step_with(args, &self.options(name))
    }

    /// The same with other options.
    pub(crate) fn step_with(&self, args: Vec<String>, options: &Options) -> Step {
        Step::new(self.programs, PROGRAM, args, options)
    }

    /// A step in the image's own root, with condafront's program mounted.
    pub(crate) fn step_in(
        &self,
        root: &Output,
        args: Vec<String>,
        name: impl Into<String>,
    ) -> Step {
        let program = format!("{TOOLS_DIR}{PROGRAM}");
        let mut step = Step::new(root, &program, args, &self.options(name));
        step.input(TOOLS_DIR, self.programs, self.content_cache);
        if let Some(seconds) = self.timeout.variable() {
            step.exec().env(TIMEOUT, seconds);
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::Image;

    use super::*;

    #[test]
    fn names_say_which_of_several_environments_and_platforms_they_are_about() {
        let programs = Image::new("condafront").build();
        let alone = Tools::new(&programs);
        let several = Tools {
            environment: Some("gpu"),
            ..alone
        };
        for (name, expected) in [
            ("[install 1/9] numpy", "[install gpu 1/9] numpy"),
            ("[pip] install 1 package", "[pip gpu] install 1 package"),
            ("numpy", "numpy"),
        ] {
            assert_eq!(several.title(name), expected);
            assert_eq!(several.of_image().title(name), name);
        }
        let of_platform = Tools {
            platform: Some(Platform::LinuxArm64),
            ..several
        };
        for (name, expected) in [
            ("[install 1/9] numpy", "[install linux/arm64 gpu 1/9] numpy"),
            ("[pip] install", "[pip linux/arm64 gpu] install"),
            ("numpy", "numpy"),
        ] {
            assert_eq!(of_platform.title(name), expected);
        }
        assert_eq!(
            alone.downloads("conda", 1).name,
            "[conda] download 1 package"
        );
        let both = [alone, several].map(|tools| tools.downloads("pip", 2));
        assert_eq!(both[1].name, "[pip gpu] download 2 packages");
        assert_ne!(both[0].id, both[1].id);
    }
}
