//! PyPI packages: fetched, and installed on top of the conda packages.

use super::Session;
use super::as_diagnostic;
use super::assembly::Image;

use buildkit_llb::Output;

use crate::failure_report::Culprit;
use crate::gateway::error::BuildError;
use crate::gateway::fetch::fetch_all;
use crate::graph::downloads::Addresses;
use crate::graph::pip::{Network, PipInstalled};
use crate::graph::step::Step;
use crate::input::{Pip, PipPackage, Rule, Warning};
use crate::install::facts::{Notice, Subject};
use crate::pip::spec::{PIP_FACTS_FILE, PipFacts};
use crate::source::{Diagnostic, Lines};

impl Image<'_> {
    /// Installs the PyPI packages into the image `root`, if there are any.
    pub(super) async fn pip(&self, root: &Output) -> Result<Option<PipInstalled>, BuildError> {
        let network = self.session.network();
        match self.pip {
            Pip::Locked(packages) if packages.is_empty() => Ok(None),
            Pip::Locked(packages) => Ok(Some(self.pip_install(root, packages, &network).await?)),
            Pip::Unsolved(_) => {
                Err(Diagnostic::new("lists of PyPI packages cannot be resolved yet").into())
            }
        }
    }

    async fn pip_install(
        &self,
        root: &Output,
        packages: &[PipPackage],
        network: &Network,
    ) -> Result<PipInstalled, BuildError> {
        let environment = self.environment;
        let site_packages = match &environment.plan.python {
            Some(python) => python.site_packages.as_str(),
            None => return Err(Diagnostic::new("the environment has no python").into()),
        };
        let mirrors = &self.session.settings.mirrors;
        let candidates = packages
            .iter()
            .map(|package| mirrors.candidates(&package.url));
        let mut addresses = Addresses::new(candidates);
        let lines = packages.iter().map(|package| Some(package.lines));
        self.session.check_provenance(&addresses, lines)?;
        let mut mended = false;
        loop {
            let installed = environment
                .pip_install(root, site_packages, packages, &addresses, network)
                .map_err(as_diagnostic)?;
            let error = match self.session.evaluate(&installed.facts).await {
                Ok(reference) => {
                    let facts: PipFacts =
                        self.session.read_json(&reference, PIP_FACTS_FILE).await?;
                    let warnings = self.pip_warnings(packages, &facts.notices);
                    self.session.warn(&warnings).await?;
                    return Ok(installed);
                }
                Err(BuildError::Gateway(error)) => error,
                Err(error) => return Err(error),
            };
            if let Some(step) = installed.failing(&error.vertices()) {
                let explained = self
                    .session
                    .explain(step, |culprit| lines_of(packages, step, culprit));
                return Err(explained.await.unwrap_or(error.into()));
            }
            if mended || error.is_cancelled() {
                return Err(error.into());
            }
            let file = &self.session.build_file.file;
            let artifacts = environment.pip_artifacts(packages);
            fetch_all(self.session.bridge, &artifacts, &mut addresses, file).await?;
            mended = true;
        }
    }

    fn pip_warnings(&self, packages: &[PipPackage], notices: &[Notice]) -> Vec<Warning> {
        let warning = |notice: &Notice| {
            let mut diagnostic = Diagnostic::new(&notice.message);
            if let Some(package) = notice.package.and_then(|index| packages.get(index)) {
                diagnostic = diagnostic.at(&self.session.build_file.file, package.lines);
            }
            let rule = match notice.subject {
                Subject::Bytecode => Rule::NoBytecode,
                Subject::Contents => Rule::PackageContents,
            };
            Warning { rule, diagnostic }
        };
        notices.iter().map(warning).collect()
    }
}

/// Where the user's file has the PyPI package that made `step` fail.
fn lines_of(packages: &[PipPackage], step: &Step, culprit: &Culprit) -> Option<Lines> {
    match culprit {
        Culprit::Package(index) => Some(packages.get(step.package(*index)?)?.lines),
        Culprit::File(_) | Culprit::Spec(_) | Culprit::Channel(_) => None,
    }
}

impl Session<'_> {
    /// How steps reach the network that have to.
    fn network(&self) -> Network {
        Network::from_options(self.options)
    }
}
