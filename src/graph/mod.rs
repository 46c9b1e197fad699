//! The plan as a BuildKit graph. Pure: what must be read from BuildKit comes in as outputs and facts.

pub mod account;
pub mod downloads;
pub mod environment;
pub mod image;
pub mod step;

use buildkit_llb::pb;

use crate::platform::Platform;

/// Where the frontend image has its own program.
pub const PROGRAM: &str = "/condafront";

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
