//! PyPI packages: fetched, and installed on top of the conda packages.

use super::as_diagnostic;
use super::assembly::Image;

use std::borrow::Cow;

use buildkit_llb::Output;

use crate::failure_report::Culprit;
use crate::gateway::error::BuildError;
use crate::gateway::fetch::fetch_all;
use crate::graph::pip::{Network, PipInstalled};
use crate::graph::step::Step;
use crate::input::{Pip, PipPackage, PipRequirement, Rule, Warning};
use crate::install::facts::{Notice, Subject};
use crate::package::PackageUrl;
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
        if self.pip.is_empty() {
            return Ok(None);
        }
        let (packages, mut facts) = self.pip_files(root).await?;
        if packages.is_empty() {
            return Ok(Some(Pipped {
                root: root.clone(),
                layer: None,
                facts,
            }));
        }
        let network = Network::from_options(self.session.options);
        let installed = self.pip_install(root, &packages, &network).await?;
        facts.push(installed.facts);
        Ok(Some(Pipped {
            root: installed.root,
            layer: Some(installed.name),
            facts,
        }))
    }

    /// The PyPI packages' files: those of the lock, or those that pip finds in the image `root`; then the output of the
    /// step that found them, too.
    pub(super) async fn pip_files(
        &self,
        root: &Output,
    ) -> Result<(Cow<'_, [PipPackage]>, Vec<Output>), BuildError> {
        match self.pip {
            Pip::Locked(packages) => Ok((packages.into(), Vec::new())),
            Pip::Unsolved(list) => {
                let network = Network::from_options(self.session.options);
                let (found, output) = self.pip_resolve(root, list, &network).await?;
                Ok((found.into(), vec![output]))
            }
        }
    }

    /// Has pip find out which files the entries of `list` mean; gives the step's output too.
    async fn pip_resolve(
        &self,
        root: &Output,
        list: &[PipRequirement],
        network: &Network,
    ) -> Result<(Vec<PipPackage>, Output), BuildError> {
        let file = &self.session.build_file.file;
        self.session.warn(&warning_of_secrets(network)).await?;
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
        let wanted = environment.pip_packages(packages, &self.session.settings.mirrors)?;
        let mut addresses = wanted.addresses();
        let lines = packages.iter().map(|package| Some(package.lines));
        self.session.check_provenance(&addresses, lines)?;
        let mut mended = false;
        loop {
            let installed = environment
                .pip_install(root, &wanted, &addresses, network)
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
            let artifacts = environment.pip_artifacts(&wanted);
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

/// Says if a build-arg holds a password, which provenance would show.
fn warning_of_secrets(network: &Network) -> Vec<Warning> {
    let indexes = network.indexes().into_iter().map(PackageUrl::new);
    let secret = indexes.filter(PackageUrl::has_credentials).take(1);
    let warning = |index: PackageUrl| {
        Warning {
        rule: Rule::CredentialsInUrl,
        diagnostic: Diagnostic::new(format!(
            "a build-arg holds credentials for {}: whoever can read the image's provenance may read them",
            index.host()
        ))
        .help(format!(
            "Give the index with --secret id=PIP_INDEX_URL,env=PIP_INDEX_URL and its files' credentials with --secret id=HTTP_AUTH_HEADER_{},env=…, or build with --provenance=false.",
            index.host()
        )),
    }
    };
    secret.map(warning).collect()
}

/// Where the user's file has the PyPI package that made `step` fail.
fn lines_of(packages: &[PipPackage], step: &Step, culprit: &Culprit) -> Option<Lines> {
    match culprit {
        Culprit::Package(index) => Some(packages.get(step.package(*index)?)?.lines),
        _ => None,
    }
}
