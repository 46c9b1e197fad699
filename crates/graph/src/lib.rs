//! The plan as a BuildKit graph. No I/O: whatever must be read from BuildKit is passed in as outputs and facts.

pub mod account;
pub mod channel;
pub mod compiler;
pub mod context;
pub mod copy;
pub mod downloads;
pub mod environment;
pub mod git;
pub mod image;
pub mod pip;
pub mod plan;
pub mod prefix;
pub mod question;
pub mod run;
pub mod solve;
pub mod step;
pub mod system;
pub mod virtual_packages;
pub mod wanted;

use buildkit_llb::{Copy, File, Input, OpOptions, Options, Output, SourceFile as LlbFile};

use condafront_model::platform::Platform;
use condafront_model::source::{Lines, SourceFile};
use step::Step;

/// The path of condafront's program in the frontend image.
pub const PROGRAM: &str = "/condafront";

/// The path in the frontend image of the program that becomes the entrypoint of images for `platform`, one of
/// [`Platform::IMAGES`].
pub fn entrypoint_program(platform: Platform) -> String {
    format!("/condafront-entrypoint-{}", platform.architecture())
}

/// Where condafront's program is mounted in steps that run in the image's root.
const TOOLS_DIR: &str = "/.condafront";

/// What the steps of a build have in common.
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    /// The [`programs`] of the frontend's own image, for the build platform.
    pub programs: &'a Output,
    /// Whether to ignore caches.
    pub no_cache: bool,
    /// Whether the engine can skip hashing content that the definition pins (BuildKit 0.13).
    pub content_cache: bool,
}

impl Tools<'_> {
    /// Options with an operation's name; they ignore the cache if the build does.
    pub fn options(&self, name: impl Into<String>) -> Options {
        let mut options = Options::new();
        options.name(name);
        if self.no_cache {
            options.ignore_cache();
        }
        options
    }

    /// A step whose root has only the programs.
    pub fn step(&self, args: Vec<String>, name: impl Into<String>) -> Step {
        Step::new(self.programs, args, &self.options(name))
    }

    /// A step in the image's own root, with condafront's program mounted.
    pub fn step_in(&self, root: &Output, args: Vec<String>, name: impl Into<String>) -> Step {
        let program = format!("{TOOLS_DIR}{PROGRAM}");
        let mut step = Step::in_root(root, &program, args, &self.options(name));
        step.input(TOOLS_DIR, self.programs, self.content_cache);
        step
    }
}

/// The programs of the frontend image, in which steps run.
///
/// They do not run in that image itself: BuildKit loads it before it looks into any cache that the user imports. A
/// builder that has never seen the image then knows no cache key for it, and would find none of our steps in the cache.
/// A copy's key depends on what is copied, so steps depend on the programs and on nothing else in the image.
pub fn programs(image: &Output) -> Output {
    let mut file = File::on(Input::Scratch);
    file.then(Copy::new(image, PROGRAM, PROGRAM));
    for platform in Platform::IMAGES {
        let program = entrypoint_program(platform);
        file.then(Copy::new(image, &program, &program));
    }
    file.name("[internal] load condafront's programs")
        .export_cache(false);
    file.build().output().unwrap_or(image).clone()
}

/// A user's file in LLB form, with the lines around `places`.
pub fn source_file(file: &SourceFile, places: impl Iterator<Item = Lines>) -> LlbFile {
    let mut in_llb = LlbFile::new(file.name(), file.excerpt_of(places));
    in_llb.language(file.language());
    in_llb
}

/// The platform in LLB form.
pub fn oci_platform(platform: Platform) -> buildkit_llb::Platform {
    buildkit_llb::Platform::new(platform.os(), platform.architecture())
}

#[cfg(test)]
mod tests;
