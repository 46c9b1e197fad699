//! What an environment gets from a `pylock.toml`.

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
        let environment = MarkerEnvironment::of_cpython(&python.version, version, platform);
        lock.choose(environment, version, categories, |name| target.rank(name))
    }
}
