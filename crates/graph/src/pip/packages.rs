//! The PyPI packages of an environment, and what they are installed with.

use buildkit_llb::Output;

use super::sources::Local;
use crate::downloads::Addresses;
use crate::environment::Environment;
use crate::plan::mirrors::Mirrors;
use crate::plan::pip::supplied_pip;
use condafront_input::requirements::BuildOptions;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::Diagnostic;

/// What an environment's PyPI packages are fetched and installed from.
pub struct PipPackages<'a> {
    pub(super) packages: &'a [PipPackage],
    /// The pip that condafront supplies, if the environment has none.
    pub(super) supplied: Option<PipPackage>,
    /// Wheels that need not be fetched, each with its name in messages.
    pub(super) wheels: Vec<(String, Output)>,
    /// Packages of the build context, which a lock names.
    pub(super) local: Vec<Local>,
    /// Options for pip when it builds source archives.
    pub(super) build_options: BuildOptions,
    /// Where the environment's python keeps its modules, relative to the prefix.
    pub(super) site_packages: &'a str,
    mirrors: &'a Mirrors,
}

impl PipPackages<'_> {
    /// Also installs these wheels, each given with its name in messages.
    #[must_use]
    pub fn with_wheels(mut self, wheels: Vec<(String, Output)>) -> Self {
        self.wheels = wheels;
        self
    }

    /// Also installs these packages, which are built first unless they are wheels.
    #[must_use]
    pub fn with_local(mut self, local: Vec<Local>) -> Self {
        self.local = local;
        self
    }

    /// Builds source archives with these options.
    #[must_use]
    pub fn with_build_options(mut self, options: BuildOptions) -> Self {
        self.build_options = options;
        self
    }

    /// Everything to fetch; condafront's pip comes last.
    pub fn fetched(&self) -> impl Iterator<Item = &PipPackage> {
        self.packages.iter().chain(&self.supplied)
    }

    /// The first address of everything to fetch, at its first attempt.
    pub fn addresses(&self) -> Addresses {
        let urls = self.fetched().map(|package| &package.url);
        self.mirrors.addresses(urls)
    }
}

impl Environment<'_> {
    /// What `packages` are fetched and installed from.
    ///
    /// # Errors
    /// When nothing in the environment can install them.
    pub fn pip_packages<'a>(
        &'a self,
        packages: &'a [PipPackage],
        mirrors: &'a Mirrors,
    ) -> Result<PipPackages<'a>, Diagnostic> {
        let Some(python) = &self.plan.python else {
            return Err(Diagnostic::new(
                "the environment has PyPI packages but no python to install them with",
            ));
        };
        Ok(PipPackages {
            packages,
            supplied: supplied_pip(&self.plan.packages, python)?,
            wheels: Vec::new(),
            local: Vec::new(),
            build_options: BuildOptions::default(),
            site_packages: &python.site_packages,
            mirrors,
        })
    }
}
