//! Things that some tests need and not every machine has.
//!
//! Such a test is ignored (`#[ignore = "needs …"]`) and its name starts with `needs_<what>_`: `scripts/test` runs it
//! where that is available and counts it as skipped elsewhere. So no test passes by returning early.

use std::env;
use std::path::PathBuf;

/// The path of a real micromamba, for the tests `needs_micromamba_…`.
///
/// # Panics
/// If `MICROMAMBA` is not set.
pub fn micromamba() -> PathBuf {
    program("MICROMAMBA")
}

/// The path of a static apk, version 3, for the test `needs_apk_…`.
///
/// # Panics
/// If `APK` is not set.
pub fn apk() -> PathBuf {
    program("APK")
}

/// The path of the chromedriver beside a Chromium, for the tests `needs_chromium_…`.
///
/// # Panics
/// If `CHROMEDRIVER` is not set.
pub fn chromedriver() -> PathBuf {
    program("CHROMEDRIVER")
}

/// The path of a Docker Compose, version 2, for the tests `needs_compose_…`.
///
/// # Panics
/// If `COMPOSE` is not set.
pub fn compose() -> PathBuf {
    program("COMPOSE")
}

/// The path of an Apptainer that runs as the user whose number is in `AS_USER`, for the tests `needs_apptainer_…`.
///
/// # Panics
/// If `APPTAINER` is not set.
pub fn apptainer() -> PathBuf {
    program("APPTAINER")
}

/// The path of the Dev Containers CLI, for the tests `needs_devcontainers_…`.
///
/// # Panics
/// If `DEVCONTAINER` is not set.
pub fn devcontainer() -> PathBuf {
    program("DEVCONTAINER")
}

/// The path of an interpreter of python 3.6, for the test `needs_python36_…`.
///
/// # Panics
/// If `PYTHON36` is not set.
pub fn python36() -> PathBuf {
    program("PYTHON36")
}

fn program(variable: &str) -> PathBuf {
    let path = env::var_os(variable).filter(|path| !path.is_empty());
    path.unwrap_or_else(|| panic!("{variable} must be set to the path of a program"))
        .into()
}

/// The folder of a frontend image for arm64 (an OCI layout), for the test `needs_crosscompiled_…`.
///
/// # Panics
/// If `ARM64_IMAGE` is not set.
pub fn arm64_image() -> PathBuf {
    env::var_os("ARM64_IMAGE")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .expect("ARM64_IMAGE must be set to the folder of an image, as scripts/arm64 does")
}
