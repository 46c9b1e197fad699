//! What an environment gets from a `pylock.toml`.

use std::collections::BTreeMap;

use crate::environment::Environment;
use crate::plan::WheelTarget;
use condafront_input::pylock::{Chosen, MarkerEnvironment, Pylock};
use condafront_model::platform::Platform;
use condafront_model::source::Diagnostic;
use condafront_step_spec::solve::Glibc;

impl Environment<'_> {
    /// The packages of `lock` for the environment in an image for `platform` with this C library, with the extras and groups
    /// `categories`.
    ///
    /// # Errors
    /// A diagnostic at what the environment cannot have.
    pub fn chosen(
        &self,
        lock: &Pylock,
        platform: Platform,
        glibc: &Glibc,
        categories: &[String],
    ) -> Result<Vec<Chosen>, Diagnostic> {
        let Some(python) = &self.plan.python else {
            return Ok(Vec::new());
        };
        let package = self.plan.packages.get(python.package);
        let version = package.map_or(python.version.as_str(), |package| &package.id.version);
        let target = WheelTarget {
            python,
            platform,
            glibc: Some(glibc),
        };
        let environment = marker_environment(&python.version, version, platform);
        lock.choose(environment, version, categories, |name| target.rank(name))
    }
}

/// What markers see of CPython `version`, `minor` for short, on Linux.
fn marker_environment(minor: &str, version: &str, platform: Platform) -> MarkerEnvironment {
    let triplet = platform.triplet();
    let values = [
        ("implementation_name", "cpython"),
        ("implementation_version", version),
        ("os_name", "posix"),
        (
            "platform_machine",
            triplet.split('-').next().unwrap_or(triplet),
        ),
        ("platform_python_implementation", "CPython"),
        ("platform_system", "Linux"),
        ("python_full_version", version),
        ("python_version", minor),
        ("sys_platform", "linux"),
    ];
    let values = values.map(|(name, value)| (name, value.to_owned()));
    MarkerEnvironment {
        values: BTreeMap::from(values),
        ..MarkerEnvironment::default()
    }
}
