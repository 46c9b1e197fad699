//! The programs of the frontend image, in which steps run.

use buildkit_llb::{Copy, File, Input, OpOptions, Output};

use condafront_model::platform::Platform;
use condafront_step_spec::failure_report::SHOW_REPORT;

/// The path of condafront's program in the frontend image.
pub(crate) const PROGRAM: &str = "/condafront";

/// The path in the frontend image of the program that becomes the entrypoint of images for `platform`, one of
/// [`Platform::IMAGES`].
pub(crate) fn entrypoint_program(platform: Platform) -> String {
    format!("/condafront-entrypoint-{}", platform.architecture())
}

/// The command that writes its environment to its standard output, among the [`programs`].
pub fn write_environment() -> Vec<String> {
    [PROGRAM, "dump-env", "/dev/stdout"]
        .map(str::to_owned)
        .into()
}

/// The command that writes a failed step's report to its standard output, among the [`programs`].
pub fn show_report() -> Vec<String> {
    [PROGRAM, SHOW_REPORT].map(str::to_owned).into()
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
