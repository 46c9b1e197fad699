//! The jobs of PyPI packages that need pip: asking it which files a list needs, and having it install files.

use std::sync::Arc;

use buildkit_llb::Output;

use super::fetching::Job;
use super::notices;
use super::pip_metadata::Shown;
use super::recorded::check_address;
use crate::inventory::Component;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::environment::Environment;
use condafront_graph::pip::{OwnWheel, PipInstalled, PipNetwork, PipPackages, PipResolved};
use condafront_graph::step::Step;
use condafront_input::requirements::List;
use condafront_model::lint::Warning;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::facts::Notice;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::Resolved;

/// The files to install, and where they are asked for.
#[derive(Clone, Default)]
pub(super) struct Files {
    /// Those to download.
    pub(super) packages: Vec<PipPackage>,
    /// Those that the build has.
    pub(super) wheels: Vec<Made>,
    /// The outputs of the steps that found or made them.
    pub(super) facts: Vec<Output>,
}

/// A wheel that the build has.
#[derive(Clone)]
pub(super) struct Made {
    /// The wheel.
    pub(super) wheel: OwnWheel,
    /// Where it is asked for.
    pub(super) place: Location,
    /// What the image's inventory says of it.
    pub(super) component: Component,
    /// What pip says about it, if pip has resolved a list with it.
    pub(super) resolved: Option<Resolved>,
}

impl Files {
    /// Packages that are downloaded, and nothing else.
    pub(super) fn fetched(packages: Vec<PipPackage>) -> Self {
        Self {
            packages,
            ..Self::default()
        }
    }

    /// These, followed by the wheels of `other`.
    #[must_use]
    pub(super) fn and_wheels(mut self, other: &Self) -> Self {
        self.wheels.extend(other.wheels.iter().cloned());
        self
    }

    /// Whether there is nothing to install.
    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.wheels.is_empty()
    }

    /// The wheels that the build has.
    pub(super) fn own_wheels(&self) -> Vec<OwnWheel> {
        self.wheels.iter().map(|made| made.wheel.clone()).collect()
    }

    /// Where a file is asked for that pip must install: one that is not linked in any case, or else the first.
    pub(super) fn for_pip(&self, file: &Arc<SourceFile>) -> Option<Location> {
        let mut packages = self.packages.iter();
        let unlinked = packages.position(|package| !package.is_pinned_wheel());
        self.place(unlinked.unwrap_or(0), file)
    }

    /// Where the file at `index` is asked for: downloads come first. `file` is the environment's own.
    pub(super) fn place(&self, index: usize, file: &Arc<SourceFile>) -> Option<Location> {
        match index.checked_sub(self.packages.len()) {
            None => Some(self.packages.get(index)?.location(file)),
            Some(index) => Some(self.wheels.get(index)?.place.clone()),
        }
    }

    /// What the inventory says of them.
    pub(super) fn components(&self) -> impl Iterator<Item = Component> {
        let built = self.wheels.iter().map(|made| made.component.clone());
        self.packages.iter().map(Component::pypi).chain(built)
    }
}

/// Refuses addresses of `packages` that would put a secret where BuildKit records its sources. `file` is the environment's
/// own.
///
/// # Errors
/// A diagnostic at the line of the package.
pub(super) fn check_addresses(
    packages: &[PipPackage],
    addresses: &Addresses,
    file: &Arc<SourceFile>,
) -> Result<(), Diagnostic> {
    let mut places = packages.iter().map(|package| package.location(file));
    for address in addresses.iter() {
        let place = places.next();
        if !address.is_given() {
            check_address(address.url(), place)?;
        }
    }
    Ok(())
}

/// The job that asks pip for the files of a list.
pub(super) struct Finding<'a> {
    pub(super) environment: &'a Environment<'a>,
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) root: &'a Output,
    pub(super) list: &'a List,
    pub(super) wheels: &'a [Output],
    pub(super) network: &'a PipNetwork,
    /// How pip sees the packages that `root` does not have.
    pub(super) shown: Shown,
    /// The pip to ask, if it is not the environment's own.
    pub(super) wanted: PipPackages<'a>,
}

impl Job for Finding<'_> {
    type Graph = PipResolved;

    fn graph(&self, addresses: &Addresses) -> Result<PipResolved, ArgsError> {
        self.environment.pip_resolve(
            self.root,
            self.list,
            self.wheels,
            self.network,
            &self.shown.beside(),
            (&self.wanted, addresses),
        )
    }

    fn outputs<'g>(&self, graph: &'g PipResolved) -> Vec<&'g Output> {
        vec![&graph.facts]
    }

    fn failing<'g>(&self, graph: &'g PipResolved, failed: &[String]) -> Option<&'g Step> {
        graph.failing(failed)
    }

    fn location(&self, step: &Step, culprit: &Culprit) -> Option<Location> {
        let Culprit::Package(index) = culprit else {
            return None;
        };
        let entry = self.list.entries().get(step.package(*index)?)?;
        Some(entry.location())
    }

    fn takes_another_way(&self, report: &FailureReport) -> bool {
        self.shown.is_not_enough(report.consulted.as_deref())
    }

    fn artifacts(&self) -> Vec<Artifact> {
        self.environment.pip_artifacts(&self.wanted)
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }
}

/// The job that has pip install files.
pub(super) struct Installing<'a> {
    pub(super) environment: &'a Environment<'a>,
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) root: &'a Output,
    pub(super) wanted: PipPackages<'a>,
    pub(super) files: &'a Files,
}

impl Installing<'_> {
    /// The notices of the step, as warnings at the packages' places.
    pub(super) fn warnings(&self, notices: &[Notice]) -> Vec<Warning> {
        let place = |index| self.files.place(index, self.file);
        let warning = |notice| notices::warning(notice, place);
        notices.iter().map(warning).collect()
    }
}

impl Job for Installing<'_> {
    type Graph = PipInstalled;

    fn graph(&self, addresses: &Addresses) -> Result<PipInstalled, ArgsError> {
        self.environment
            .pip_install(self.root, &self.wanted, addresses)
    }

    /// All files first: see [`PipFetchedSpec`](condafront_step_spec::pip::PipFetchedSpec).
    fn outputs<'g>(&self, graph: &'g PipInstalled) -> Vec<&'g Output> {
        graph.fetched.iter().chain([&graph.facts]).collect()
    }

    fn failing<'g>(&self, graph: &'g PipInstalled, failed: &[String]) -> Option<&'g Step> {
        graph.failing(failed)
    }

    fn location(&self, step: &Step, culprit: &Culprit) -> Option<Location> {
        match culprit {
            Culprit::Package(index) => self.files.place(step.package(*index)?, self.file),
            _ => None,
        }
    }

    fn artifacts(&self) -> Vec<Artifact> {
        self.environment.pip_artifacts(&self.wanted)
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }
}
