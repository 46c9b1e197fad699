//! The jobs of PyPI packages: asking pip which files a list needs, and installing files.

use std::sync::Arc;

use buildkit_llb::Output;

use super::fetching::Job;
use super::recorded::check_address;
use super::session::rule_of;
use crate::inventory::Component;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::environment::Environment;
use condafront_graph::pip::{Local, PipInstalled, PipNetwork, PipPackages, PipResolved, Wheel};
use condafront_graph::step::Step;
use condafront_input::requirements::{BuildOptions, List};
use condafront_model::lint::Warning;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::facts::Notice;
use condafront_step_spec::failure_report::Culprit;

/// The files to install for a list, and where they are asked for.
pub(super) struct Files {
    pub(super) packages: Vec<PipPackage>,
    /// Wheels that are already built: the name of each in messages, and where it is asked for.
    pub(super) wheels: Vec<(String, Output, Location)>,
    /// Packages of the build context, and where they are asked for.
    pub(super) local: Vec<(Local, Location)>,
    /// Options for pip when it builds them.
    pub(super) build_options: BuildOptions,
    /// The output of the step that found them.
    pub(super) facts: Vec<Output>,
}

impl Files {
    /// Packages that are downloaded, and nothing else.
    pub(super) fn fetched(packages: Vec<PipPackage>) -> Self {
        Self {
            packages,
            wheels: Vec::new(),
            local: Vec::new(),
            build_options: BuildOptions::default(),
            facts: Vec::new(),
        }
    }

    /// Refuses addresses that would put a secret where BuildKit records its sources. `file` is the environment's own.
    ///
    /// # Errors
    /// A diagnostic at the line of the package.
    pub(super) fn check_addresses(
        &self,
        addresses: &Addresses,
        file: &Arc<SourceFile>,
    ) -> Result<(), Diagnostic> {
        let places = self.packages.iter();
        let mut places = places.map(|package| package.location(file));
        for address in addresses.iter() {
            let place = places.next();
            if !address.is_given() {
                check_address(address.url(), place)?;
            }
        }
        Ok(())
    }
}

impl Files {
    /// What the `layer` with them contains.
    pub(super) fn components(&self, layer: &str) -> Vec<Component> {
        let fetched = self.packages.iter().map(Component::pypi);
        let built = self.wheels.iter().map(|(label, _, _)| label);
        let built = built.chain(self.local.iter().map(|(local, _)| &local.label));
        let all = fetched.chain(built.map(|label| Component::built(label)));
        all.map(|one| one.in_layer(layer)).collect()
    }
}

/// The job that asks pip for the files of a list.
pub(super) struct Finding<'a> {
    pub(super) environment: &'a Environment<'a>,
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) root: &'a Output,
    pub(super) list: &'a List,
    pub(super) wheels: &'a [Wheel],
    pub(super) network: &'a PipNetwork,
    /// Whether `root` has only what pip itself needs.
    pub(super) is_partial: bool,
}

impl Job for Finding<'_> {
    type Graph = PipResolved;

    fn graph(&self, _: &Addresses) -> Result<PipResolved, ArgsError> {
        self.environment.pip_resolve(
            self.root,
            self.list,
            self.wheels,
            self.network,
            self.is_partial,
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

    fn artifacts(&self) -> Vec<Artifact> {
        Vec::new()
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
    pub(super) network: &'a PipNetwork,
}

impl Installing<'_> {
    /// Where the step's package at `index` is asked for.
    fn place(&self, index: usize) -> Option<Location> {
        let files = self.files;
        let packages = files.packages.iter();
        let packages = packages.map(|package| package.location(self.file));
        let wheels = files.wheels.iter().map(|(_, _, place)| place.clone());
        let local = files.local.iter().map(|(_, place)| place.clone());
        packages.chain(wheels).chain(local).nth(index)
    }

    /// The notices of the step, as warnings at the packages' places.
    pub(super) fn warnings(&self, notices: &[Notice]) -> Vec<Warning> {
        let warning = |notice: &Notice| {
            let mut diagnostic = Diagnostic::new(&notice.message);
            if let Some(place) = notice.package.and_then(|index| self.place(index)) {
                diagnostic = diagnostic.at(&place.file, place.lines);
            }
            let rule = rule_of(notice.subject);
            Warning { rule, diagnostic }
        };
        notices.iter().map(warning).collect()
    }
}

impl Job for Installing<'_> {
    type Graph = PipInstalled;

    fn graph(&self, addresses: &Addresses) -> Result<PipInstalled, ArgsError> {
        self.environment
            .pip_install(self.root, &self.wanted, addresses, self.network)
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
            Culprit::Package(index) => self.place(step.package(*index)?),
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
