//! Finds, downloads and installs PyPI packages on top of the conda packages.

use super::build_root::BuildRoot;
use super::linked::Linked;
use super::pip_build::Unbuilt;
use super::pip_jobs::{Files, Finding, Installing, check_addresses};
use super::pip_list::PipInput;
use super::pip_metadata::Shown;
use super::platforms::PIP_INSTALLS;
use super::pylock::LockedPackages;
use super::wheels::WheelGround;

use buildkit_llb::{Diff, Input, OpOptions as _, Output};

use crate::gateway::error::BuildError;
use crate::inventory::Component;
use crate::pip_report::{self, Found};
use condafront_graph::image::{Stack, Stacking};
use condafront_graph::pip::{PipNetwork, PipRoot};
use condafront_input::{findings, pypi};

use condafront_model::pypi_package::PipPackage;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Location};
use condafront_step_spec::pip::{
    PIP_FACTS_FILE, PIP_RESOLVED_FILE, PipFacts, PipResolution, Resolved,
};

/// The name, in the progress, of the layer that pip made, if it is put on another image.
const INSTALLED: &str = "[pip] take the installed packages";

/// An image with PyPI packages.
pub(super) struct Pipped {
    /// The image.
    pub(super) root: Output,
    /// The new layers.
    pub(super) added: Stack,
    /// The outputs of steps that the frontend reads.
    pub(super) facts: Vec<Output>,
    /// What is new.
    pub(super) components: Vec<Component>,
}

impl Pipped {
    /// The image `root`, without any so far.
    pub(super) fn none(root: &Output) -> Self {
        Self {
            root: root.clone(),
            added: Stack::default(),
            facts: Vec::new(),
            components: Vec::new(),
        }
    }
}

impl Linked<'_> {
    /// Installs the PyPI packages into the image `root`, if there are any.
    pub(super) async fn pip(
        &self,
        root: &Output,
        ground: &WheelGround,
    ) -> Result<Option<Pipped>, BuildError> {
        let asked = &self.file.pip.asked;
        if asked.is_empty() {
            return Ok(None);
        }
        let conda = self.facts.packages.iter();
        let conda = conda.map(|package| (package.name.as_str(), &package.distributions));
        let duplicates = findings::duplicates(asked, &self.file.file, conda);
        self.session.warn(&duplicates).await?;
        let mut pipped = Pipped::none(root);
        self.pip_locked(&mut pipped, ground).await?;
        if !asked.list.is_empty() {
            let files = self.pip_find(root, &pipped, ground).await?;
            let options = asked.list.build_options();
            let files = self
                .with_archives_built(root, files, options, ground)
                .await?;
            self.pip_install(&mut pipped, files, ground).await?;
        }
        Ok(Some(pipped))
    }

    /// Installs what a lock names: files to download, and packages of the user's folders.
    pub(super) async fn pip_locked(
        &self,
        pipped: &mut Pipped,
        ground: &WheelGround,
    ) -> Result<(), BuildError> {
        let LockedPackages { files, local } = self.locked(&ground.glibc).await?;
        let (archives, packages) = files.into_iter().partition(PipPackage::is_archive);
        let unbuilt = Unbuilt {
            archives,
            local,
            ..Unbuilt::default()
        };
        let count = unbuilt.archives.len();
        let (mut made, facts) = self.pip_build(&pipped.root, unbuilt, ground).await?;
        pipped.facts.extend(facts);
        let local = Files {
            wheels: made.split_off(count),
            ..Files::default()
        };
        let locked = Files {
            packages,
            wheels: made,
            ..Files::default()
        };
        // If pip must install a package of the user's folders, the others still stay as they are.
        let all = locked.clone().and_wheels(&local);
        if !self.pip_link(pipped, &all, ground).await? {
            self.pip_install(pipped, locked, ground).await?;
            self.pip_install(pipped, local, ground).await?;
        }
        Ok(())
    }

    /// The files for the list: those that it pins, or those that pip finds for the image so far. `root` has only the conda
    /// packages.
    pub(super) async fn pip_find(
        &self,
        root: &Output,
        pipped: &Pipped,
        ground: &WheelGround,
    ) -> Result<Files, BuildError> {
        let PipInput { asked, local, .. } = &self.file.pip;
        let list = &asked.list;
        let session = &self.session;
        if let Some(packages) = list.pinned() {
            pypi::check_files(&packages, &self.file.file)?;
            return Ok(Files::fetched(packages));
        }
        let network = self.network().await?;
        let unbuilt = Unbuilt {
            local: local.clone(),
            options: list.build_options(),
            ..Unbuilt::default()
        };
        let (made, mut facts) = self.pip_build(root, unbuilt, ground).await?;
        let wheels: Vec<Output> = made.iter().map(|it| it.wheel.output.clone()).collect();
        let own_root = match ground.stacking {
            Stacking::Merge if pipped.added.is_empty() => {
                self.environment.pip_root(&self.graph, &self.facts)?
            }
            _ => None,
        };
        let mut resolved = None;
        if let Some(PipRoot { root, metadata }) = own_root {
            let shown = Shown::handed_over(metadata);
            let (found, outputs) = self.resolve(&root, &wheels, &network, shown).await?;
            facts.extend(outputs);
            resolved = found;
        }
        if resolved.is_none() {
            let BuildRoot {
                for_pip,
                facts: of_root,
                ..
            } = if pipped.added.is_empty() {
                self.build_root(root, ground).await?
            } else {
                self.build_root_on(&pipped.root, ground).await?
            };
            facts.extend(of_root);
            let shown = Shown::nothing();
            let (found, outputs) = self.resolve(&for_pip, &wheels, &network, shown).await?;
            facts.extend(outputs);
            resolved = found;
        }
        let resolved = resolved.unwrap_or_default();
        let Found {
            packages,
            wheels: found,
        } = pip_report::found(&resolved, list)?;
        session
            .warn(&pypi::warnings(&packages, &self.file.file))
            .await?;
        let wheel = |found: &pip_report::FoundWheel| {
            let mut made = made.get(found.index)?.clone();
            made.component = Component::built(&found.label);
            made.wheel.label.clone_from(&found.label);
            made.resolved = Some(found.resolved.clone());
            Some(made)
        };
        Ok(Files {
            wheels: found.iter().filter_map(wheel).collect(),
            packages,
            facts,
        })
    }

    /// What pip finds for the list in `root` if other packages are `shown` to it, and the outputs of the steps that ask it. It
    /// finds nothing if it must build something, and needs more for that.
    async fn resolve(
        &self,
        root: &Output,
        wheels: &[Output],
        network: &PipNetwork,
        shown: Shown,
    ) -> Result<(Option<Vec<Resolved>>, Vec<Output>), BuildError> {
        let session = &self.session;
        let wanted = self.environment.pip_resolving(&session.settings.mirrors)?;
        let addresses = session.pip_addresses(wanted.fetched()).await?;
        let finding = Finding {
            environment: &self.environment,
            file: &self.file.file,
            root,
            list: &self.file.pip.asked.list,
            wheels,
            network,
            shown,
            wanted,
        };
        // The step fails if a requirement cannot be found.
        session.settle(root).await?;
        let mut outputs = Vec::new();
        loop {
            let addresses = addresses.clone();
            let (graph, reference) = session.fetch_and_run(&finding, addresses).await?;
            outputs.push(graph.facts);
            let found: PipResolution = session.read_json(&reference, PIP_RESOLVED_FILE).await?;
            if !finding.shown.is_not_enough(found.consulted.as_ref()) {
                return Ok((found.resolved, outputs));
            }
        }
    }

    /// Installs files on top of the image so far: wheels in layers of their own if pip is not needed.
    async fn pip_install(
        &self,
        pipped: &mut Pipped,
        files: Files,
        ground: &WheelGround,
    ) -> Result<(), BuildError> {
        pipped.facts.extend(files.facts.iter().cloned());
        if self.pip_link(pipped, &files, ground).await? {
            return Ok(());
        }
        let session = &self.session;
        if let Some(place) = files.for_pip(&self.file.file) {
            session.must_run_at(PIP_INSTALLS, &place)?;
        }
        let wanted = self
            .environment
            .pip_packages(&files.packages, &session.settings.mirrors)?
            .with_wheels(files.own_wheels());
        let addresses = session.pip_addresses(wanted.fetched()).await?;
        check_addresses(&files.packages, &addresses, &self.file.file)?;
        let installing = Installing {
            environment: &self.environment,
            file: &self.file.file,
            root: &pipped.root,
            wanted,
            files: &files,
        };
        let (graph, reference) = session.fetch_and_run(&installing, addresses).await?;
        let facts: PipFacts = session.read_json(&reference, PIP_FACTS_FILE).await?;
        session.warn(&installing.warnings(&facts.notices)).await?;
        let components = files.components();
        pipped
            .components
            .extend(components.map(|it| it.in_layer(&graph.name)));
        let mut layer = Diff::new(&pipped.root, &graph.root);
        layer.name(self.environment.tools.title(INSTALLED));
        if let Input::Output(layer) = layer.build() {
            pipped.added.push(&layer, &graph.name);
        }
        pipped.root = graph.root;
        pipped.facts.extend(graph.fetched);
        pipped.facts.push(graph.facts);
        Ok(())
    }

    /// Links files on top of the image so far, each into a layer of its own. Whether that is possible; pip must install them
    /// otherwise.
    async fn pip_link(
        &self,
        pipped: &mut Pipped,
        files: &Files,
        ground: &WheelGround,
    ) -> Result<bool, BuildError> {
        if files.is_empty() {
            return Ok(true);
        }
        // A package may replace one that an earlier step installed, which only pip can remove.
        if !pipped.added.is_empty() {
            return Ok(false);
        }
        let Some(linked) = self.link_wheels(&pipped.root, files, ground).await? else {
            return Ok(false);
        };
        pipped.root = linked.root;
        pipped.added.append(linked.layers);
        pipped.facts.push(linked.facts);
        pipped.components.extend(linked.components);
        Ok(true)
    }

    /// The network for steps that run pip.
    ///
    /// # Errors
    /// When pip's settings have credentials.
    pub(super) async fn network(&self) -> Result<PipNetwork, BuildError> {
        let network = self.session.pip_network().await?;
        network.check()?;
        Ok(network.with_variables(self.file.pip.asked.list.variables()))
    }
}

/// The error for a package that is built from files of the user's, where only what can be downloaded can be.
pub(super) fn not_on_a_server(label: &str, place: &Location) -> Diagnostic {
    Diagnostic::new(format!(
        "`{}` is built from files that are not on a server: neither a lock nor a channel can contain it",
        quoted(label)
    ))
    .at(&place.file, place.lines)
}
