//! What the steps of a build have in common.

use buildkit_llb::{OpOptions, Options, Output};

use crate::programs::PROGRAM;
use crate::step::Step;
use condafront_step_spec::timeout::{TIMEOUT, Timeout};

/// Where condafront's program is mounted in steps that run in the image's root.
const TOOLS_DIR: &str = "/.condafront";

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
}

impl Tools<'_> {
    /// Options with an operation's name; they ignore the cache if the build does.
    pub(crate) fn options(&self, name: impl Into<String>) -> Options {
        let mut options = Options::new();
        options.name(name);
        if self.no_cache {
            options.ignore_cache();
        }
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
