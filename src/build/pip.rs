//! PyPI packages: fetched, and installed on top of the conda packages.

use super::as_diagnostic;
use super::assembly::Image;

use buildkit_llb::Output;

use crate::failure_report::Culprit;
use crate::gateway::error::BuildError;
use crate::gateway::fetch::fetch_all;
use crate::graph::downloads::Addresses;
use crate::graph::pip::{Network, PipInstalled};
use crate::graph::step::Step;
use crate::input::{Pip, PipPackage, PipRequirement, Rule, Warning};
use crate::install::facts::{Notice, Subject};
use crate::pip;
use crate::pip::report::Resolved;
use crate::pip::spec::{PIP_FACTS_FILE, PIP_RESOLVED_FILE, PipFacts};
use crate::source::{Diagnostic, Lines};

/// The image with PyPI packages.
pub(super) struct Pipped {
    /// The image.
    pub(super) root: Output,
    /// The new layer's name, if there is one.
    pub(super) layer: Option<String>,
    /// What steps left for the frontend to read.
    pub(super) facts: Vec<Output>,
}

impl Image<'_> {
    /// Installs the PyPI packages into the image `root`, if there are any.
    pub(super) async fn pip(&self, root: &Output) -> Result<Option<Pipped>, BuildError> {
        let network = Network::from_options(self.session.options);
        if self.pip.is_empty() {
            return Ok(None);
        }
        let mut facts = Vec::new();
        let resolved;
        let packages = match self.pip {
            Pip::Locked(packages) => packages,
            Pip::Unsolved(list) => {
                let (found, output) = self.pip_resolve(root, list, &network).await?;
                facts.push(output);
                resolved = found;
                &resolved
            }
        };
        if packages.is_empty() {
            return Ok(Some(Pipped {
                root: root.clone(),
                layer: None,
                facts,
            }));
        }
        let installed = self.pip_install(root, packages, &network).await?;
        facts.push(installed.facts);
        Ok(Some(Pipped {
            root: installed.root,
            layer: Some(installed.name),
            facts,
        }))
    }

    /// Has pip find out which files the entries of `list` mean; gives the step's output too.
    async fn pip_resolve(
        &self,
        root: &Output,
        list: &[PipRequirement],
        network: &Network,
    ) -> Result<(Vec<PipPackage>, Output), BuildError> {
        let file = &self.session.build_file.file;
        let (facts, step) = self
            .environment
            .pip_resolve(root, list, network)
            .map_err(as_diagnostic)?;
        let lines = |culprit: &Culprit| match culprit {
            Culprit::Package(index) => Some(list.get(*index)?.lines),
            _ => None,
        };
        let reference = self.session.run(&facts, &step, lines).await?;
        let resolved: Vec<Resolved> = self
            .session
            .read_json(&reference, PIP_RESOLVED_FILE)
            .await?;
        let packages =
            pip::report::packages(&resolved, list, &network.indexes()).map_err(as_diagnostic)?;
        self.session.warn(&pip::warnings(&packages, file)).await?;
        Ok((packages, facts))
    }

    async fn pip_install(
        &self,
        root: &Output,
        packages: &[PipPackage],
        network: &Network,
    ) -> Result<PipInstalled, BuildError> {
        let environment = self.environment;
        let Some(python) = &environment.plan.python else {
            return Err(Diagnostic::new("the environment has no python").into());
        };
        let brought = match pip::has_pip(&environment.plan.packages) {
            true => None,
            false => Some(pip::wheel(&python.version)?),
        };
        let mirrors = &self.session.settings.mirrors;
        let candidates = packages
            .iter()
            .chain(&brought)
            .map(|package| mirrors.candidates(&package.url));
        let mut addresses = Addresses::new(candidates);
        let lines = packages.iter().map(|package| Some(package.lines));
        self.session.check_provenance(&addresses, lines)?;
        let mut mended = false;
        loop {
            let installed = environment
                .pip_install(
                    root,
                    &python.site_packages,
                    packages,
                    brought.as_ref(),
                    &addresses,
                    network,
                )
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
            let artifacts = environment.pip_artifacts(packages, brought.as_ref());
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
        _ => None,
    }
}
