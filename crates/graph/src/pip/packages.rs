//! The PyPI packages of an environment, and what they are installed with.

use buildkit_llb::Output;

use super::sources::Local;
use crate::downloads::Addresses;
use crate::environment::Environment;
use crate::plan::mirrors::Mirrors;
use crate::plan::pip::{can_report, resolving_pip, supplied_pip};
use crate::plan::python::Python;
use condafront_input::requirements::BuildOptions;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::Diagnostic;
use condafront_step_spec::install::PythonSpec;
use condafront_step_spec::wheel::DirectUrl;

/// A wheel that is not downloaded: the build has made it, or it is one of the user's files.
#[derive(Clone, Debug)]
pub struct OwnWheel {
    /// Its package's name in messages.
    pub label: String,
    /// The name of its file.
    pub file_name: String,
    /// A file system with the wheel and nothing else.
    pub output: Output,
    /// Whether the build makes it, rather than the user.
    pub is_built: bool,
    /// Where its package comes from, if it is asked for by a URL.
    pub direct_url: Option<DirectUrl>,
}

/// What an environment's PyPI packages are fetched and installed from.
pub struct PipPackages<'a> {
    pub(super) packages: &'a [PipPackage],
    /// The pip that condafront supplies, if the environment has none.
    pub(super) supplied: Option<PipPackage>,
    /// Wheels that need not be fetched.
    pub(super) wheels: Vec<OwnWheel>,
    /// Packages of the user's folders and of repositories.
    pub(super) local: Vec<Local>,
    /// Options for pip when it builds wheels.
    pub(super) build_options: BuildOptions,
    /// The environment's python.
    pub(super) python: PythonSpec,
    mirrors: &'a Mirrors,
}

impl PipPackages<'_> {
    /// Also installs these wheels.
    #[must_use]
    pub fn with_wheels(mut self, wheels: Vec<OwnWheel>) -> Self {
        self.wheels = wheels;
        self
    }

    /// Also builds these packages, unless they are wheels.
    #[must_use]
    pub fn with_local(mut self, local: Vec<Local>) -> Self {
        self.local = local;
        self
    }

    /// Builds wheels with these options.
    #[must_use]
    pub fn with_build_options(mut self, options: BuildOptions) -> Self {
        self.build_options = options;
        self
    }

    /// Everything to fetch; condafront's pip comes last.
    pub fn fetched(&self) -> impl Iterator<Item = &PipPackage> {
        self.packages.iter().chain(&self.supplied)
    }

    /// Whether the supplied pip does not report what it would install.
    pub(super) fn cannot_report(&self) -> bool {
        let version = self
            .supplied
            .as_ref()
            .and_then(|pip| pip.version.as_deref());
        version.is_some_and(|version| !can_report(version))
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
        let wanted = self.wheels(packages, mirrors)?;
        let python = self.pip_python()?;
        Ok(PipPackages {
            supplied: supplied_pip(&self.plan.packages, python)?,
            ..wanted
        })
    }

    /// The pip that finds what a list needs, if the environment has none that can.
    ///
    /// # Errors
    /// When there is none for its python.
    pub fn pip_resolving<'a>(
        &'a self,
        mirrors: &'a Mirrors,
    ) -> Result<PipPackages<'a>, Diagnostic> {
        let wanted = self.wheels(&[], mirrors)?;
        let python = self.pip_python()?;
        Ok(PipPackages {
            supplied: resolving_pip(&self.plan.packages, python)?,
            ..wanted
        })
    }

    /// What `packages` are fetched from, if they are linked and no pip is needed.
    ///
    /// # Errors
    /// When the environment has no python.
    pub fn wheels<'a>(
        &'a self,
        packages: &'a [PipPackage],
        mirrors: &'a Mirrors,
    ) -> Result<PipPackages<'a>, Diagnostic> {
        Ok(PipPackages {
            packages,
            supplied: None,
            wheels: Vec::new(),
            local: Vec::new(),
            build_options: BuildOptions::default(),
            python: self.pip_python()?.spec(false),
            mirrors,
        })
    }

    fn pip_python(&self) -> Result<&Python, Diagnostic> {
        self.plan.python.as_ref().ok_or_else(|| {
            Diagnostic::new("the environment has PyPI packages but no python to install them with")
        })
    }
}
