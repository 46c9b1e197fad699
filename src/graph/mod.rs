//! The plan as a BuildKit graph. Pure: what must be read from BuildKit comes in as outputs and facts.

pub mod account;
pub mod downloads;
pub mod environment;
pub mod image;
pub mod pip;
pub mod solve;
pub mod step;

use buildkit_llb::{Copy, File, Input, OpOptions, Output, pb};

use crate::platform::Platform;

/// Where the frontend image has its own program.
pub const PROGRAM: &str = "/condafront";
/// Where the frontend image has the program that becomes every image's entrypoint.
const ENTRYPOINT_PROGRAM: &str = "/condafront-entrypoint";

/// The programs of the frontend image, in which steps run.
///
/// They do not run in that image itself: BuildKit has loaded it before it looked into any cache that the user imports.
/// A builder that had never seen the image knows no cache key for it then, and would find none of our steps there. A
/// copy's key is made of what is copied, so that steps depend on the programs and on nothing else of the image.
pub fn programs(image: &Output) -> Output {
    let mut file = File::on(Input::Scratch);
    for program in [PROGRAM, ENTRYPOINT_PROGRAM] {
        file.then(Copy::new(image, program, program));
    }
    file.name("[internal] load condafront's programs")
        .export_cache(false);
    file.build().output().unwrap_or(image).clone()
}

/// The platform as graphs write it.
pub fn oci_platform(platform: Platform) -> pb::Platform {
    pb::Platform {
        os: platform.os().to_owned(),
        architecture: platform.architecture().to_owned(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests;
