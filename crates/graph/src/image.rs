//! From layers to the image's file system.

use std::collections::BTreeSet;
use std::path::Path;

use buildkit_llb::{Copy, File, Input, Merge, Mkfile, OpOptions, Output, Owner};

use super::cache_key::depend_on;
use super::environment::Environment;
use super::install::Installed;
use super::own_files::{FILE_TIME, directory, folders, timed};
use super::programs::entrypoint_program;
use super::records::{InImage, add_records};
use super::relocate::relocate;
use super::step::Step;
use super::tools::Tools;
use condafront_model::environment_prefix::{EnvironmentPrefix, ROOT_PREFIX};
use condafront_model::platform::Platform;
use condafront_model::stamp;
use condafront_step_spec::account::LinkedDirectory;
use condafront_step_spec::activation::{ENTRYPOINT, RecordSpec, RuntimeFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::Clash;
use condafront_step_spec::install::{
    PickSpec, PickedFile, PostLinkPackage, PostLinkSpec, ShareSpec,
};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR, OUTPUT_DIR};

/// The name, in the progress and the image's history, of the step that settles clashes.
const CLASHES: &str = "[install] files that several packages claim";
/// The same for the step that runs post-link scripts.
const POST_LINK: &str = "[install] run the packages' post-link scripts";
/// The same for the steps that move layers to where the base image's links point.
const MOVED: &str = "[install] move layers to where the base image's links point";
/// The same for the operation that stacks the layers of packages.
pub const PACKAGES: &str = "[install] put the layers together";
/// The same for the operation that adds the packages that only builds see.
pub const BUILD_ROOT: &str = "[pip] put the packages for builds on top";
/// The same for the operation that adds the last layers of condafront's own.
pub const FINISHED: &str = "[image] put the layers together";
/// The same for the layer of [`Tools::runtime`].
pub const RUNTIME: &str = "[activate] entrypoint and shell hooks";

/// How layers are stacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stacking {
    /// By a merge operation: nothing is copied, and a changed layer leaves the others as they are.
    Merge,
    /// By copying one layer after another, for engines without merge operations.
    Copy,
}

impl Stacking {
    /// `layers` on top of `base`, later ones over earlier ones.
    fn stack(self, base: impl Into<Input>, layers: &[(Output, String)], name: &str) -> Input {
        let base = base.into();
        match self {
            Self::Merge => {
                let inputs =
                    std::iter::once(base).chain(layers.iter().map(|(layer, _)| layer.into()));
                Merge::new(inputs).name(name).build()
            }
            Self::Copy => layers.iter().fold(base, |below, (layer, name)| {
                File::on(below)
                    .then(Copy::new(layer, "/", "/").contents())
                    .name(format!("{name}, copied onto the image"))
                    .build()
            }),
        }
    }
}

/// Layers to put on the base, each with its name.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    layers: Vec<(Output, String)>,
}

impl Stack {
    /// Adds a layer on top.
    pub fn push(&mut self, layer: &Output, name: &str) {
        self.layers.push((layer.clone(), name.to_owned()));
    }

    /// Adds the layers of another stack on top.
    pub fn append(&mut self, mut other: Self) {
        self.layers.append(&mut other.layers);
    }

    /// Whether it has no layers.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The layers' names, lowest first.
    pub fn names(&self) -> Vec<String> {
        self.layers.iter().map(|(_, name)| name.clone()).collect()
    }

    /// [`Stack::through`] for layers that have the root prefix and nothing else.
    #[must_use]
    pub fn prefix_through(self, links: &[LinkedDirectory], tools: &Tools<'_>) -> Self {
        let prefix = Path::new(ROOT_PREFIX);
        let concerns = |link: &Path| link.starts_with(prefix) || prefix.starts_with(link);
        let links = links.iter().filter(|link| concerns(Path::new(&link.path)));
        let links: Vec<_> = links.cloned().collect();
        self.through(&links, tools)
    }

    /// The layers with what is below one of the base image's `links` moved to where the link leads. The parents of a link
    /// must be directories of every layer.
    #[must_use]
    pub fn through(self, links: &[LinkedDirectory], tools: &Tools<'_>) -> Self {
        if links.is_empty() {
            return self;
        }
        let options = tools.joined(MOVED);
        let layers = self.layers.into_iter().map(|(layer, name)| {
            let moved = relocate(&layer, links, &options);
            (moved.output().cloned().unwrap_or(layer), name)
        });
        Self {
            layers: layers.collect(),
        }
    }

    /// The layers on top of `base`. `name` is shown in the progress.
    pub fn on(&self, base: &Input, stacking: Stacking, name: &str) -> Input {
        stacking.stack(base.clone(), &self.layers, name)
    }
}

/// An image in which post-link scripts have run.
#[derive(Clone, Debug)]
pub struct PostLinked {
    /// The image: nothing outside of the prefix is different.
    pub root: Output,
    /// What the step found.
    pub facts: Output,
    /// The step, in case it fails.
    pub step: Step,
}

impl Environment<'_> {
    /// If groups of `installed` have `clashes`, adds a layer to `stack` that has each such path as a single install
    /// would leave it.
    ///
    /// # Errors
    /// When a path does not fit into a program's arguments.
    pub(crate) fn stack_clashes(
        &self,
        stack: &mut Stack,
        installed: &[Installed],
        clashes: &[Clash],
    ) -> Result<(), ArgsError> {
        if !clashes.is_empty() {
            let (layer, name) = self.pick(installed, clashes)?;
            stack.push(&layer, &name);
        }
        Ok(())
    }

    fn pick(
        &self,
        installed: &[Installed],
        clashes: &[Clash],
    ) -> Result<(Output, String), ArgsError> {
        let winners: BTreeSet<usize> = clashes.iter().map(|clash| clash.winner).collect();
        let winners: Vec<usize> = winners.into_iter().collect();
        let files: Vec<PickedFile> = clashes
            .iter()
            .map(|clash| PickedFile {
                layer: winners.partition_point(|winner| *winner < clash.winner),
                path: clash.path.clone(),
                from: clash.from.clone(),
                is_empty: clash.is_empty,
            })
            .collect();
        let spec = PickSpec {
            prefix: self.prefix.path().to_owned(),
        };
        let mut step = self.tools.step(spec.to_args(&files)?, CLASHES);
        for (position, winner) in winners.iter().enumerate() {
            if let Some(whole) = installed[*winner].whole().output() {
                let path = format!("{INPUT_DIR}/{position}");
                step.input(&path, whole, self.tools.content_cache);
            }
        }
        let layer = step.output(OUTPUT_DIR);
        let name = step.name().to_owned();
        Ok((step.exec().build()[layer].clone(), name))
    }

    /// Runs the packages' post-link scripts in the image built so far, as the user whose home is `home`; `indices` are
    /// the packages' in the plan.
    ///
    /// # Errors
    /// When the list of packages does not fit into a program's arguments.
    pub fn post_link(
        &self,
        root: &Output,
        home: &str,
        packages: Vec<PostLinkPackage>,
        indices: &[usize],
    ) -> Result<PostLinked, ArgsError> {
        let spec = PostLinkSpec {
            prefix: self.prefix.path().to_owned(),
            root_prefix: ROOT_PREFIX.to_owned(),
            uid: self.user.owner.uid,
            gid: self.user.owner.gid,
            group_writable: self.user.group_writable,
            home: home.to_owned(),
            packages,
        };
        let mut step = self.tools.step_in(root, spec.to_args(&[])?, POST_LINK);
        step.concerns(indices);
        let linked = step.changes_below(root, self.prefix.path());
        step.discard_changes();
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        Ok(PostLinked {
            root: built[linked].clone(),
            facts: built[facts].clone(),
            step,
        })
    }

    /// Runs the packages' activation scripts to record what they set.
    ///
    /// # Errors
    /// When the variables do not fit into a program's arguments.
    pub fn record_activation(
        &self,
        root: &Output,
        spec: &RecordSpec,
    ) -> Result<(Output, Step), ArgsError> {
        let args = spec.to_args(&spec.env)?;
        let mut step = self.tools.step_in(
            root,
            args,
            "[activate] run the packages' activation scripts",
        );
        let facts = step.output(FACTS_DIR);
        Ok((step.exec().build()[facts].clone(), step))
    }
}

/// The name of a layer that environments with these prefixes share; `title` names its packages.
pub(crate) fn shared_name<'a>(
    title: &str,
    prefixes: impl Iterator<Item = &'a EnvironmentPrefix>,
) -> String {
    let names: Vec<&str> = prefixes.map(EnvironmentPrefix::name).collect();
    format!("[install] {title}, shared by {}", names.join(", "))
}

impl Tools<'_> {
    /// One layer for packages that several environments share, made from the layer at each prefix. `title` names the
    /// packages.
    ///
    /// # Errors
    /// When the prefixes do not fit into a program's arguments.
    pub fn share(
        &self,
        layers: &[(&EnvironmentPrefix, &Output)],
        title: &str,
    ) -> Result<(Output, String), ArgsError> {
        let name = shared_name(title, layers.iter().map(|(prefix, _)| *prefix));
        let prefixes = layers.iter().map(|(prefix, _)| prefix.path().to_owned());
        let spec = ShareSpec {
            prefixes: prefixes.collect(),
        };
        let mut step = self.step(spec.to_args(&[])?, &name);
        for (index, (_, layer)) in layers.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), layer, self.content_cache);
        }
        let layer = step.output(OUTPUT_DIR);
        Ok((step.exec().build()[layer].clone(), name))
    }

    /// A layer with the entrypoint for `platform`, the files that activate shells, and the environments' own variables.
    /// The prefixes belong to `user`.
    ///
    /// It depends on `facts`, which steps left for the frontend to read, but contains none of them.
    pub fn runtime(
        &self,
        platform: Platform,
        files: &[RuntimeFile],
        environments: &[InImage<'_>],
        user: stamp::Ownership,
        facts: &[Output],
    ) -> Input {
        let owner = || Owner::ids(0, 0);
        let options = self.joined(RUNTIME);
        let mut file = File::on(Input::Scratch);
        file.options(&options);
        depend_on(&mut file, facts);
        for folder in folders(
            files
                .iter()
                .map(|file| file.path.as_str())
                .chain([ENTRYPOINT]),
        ) {
            file.then(directory(folder, stamp::Owner::ROOT));
        }
        file.then(
            Copy::new(self.programs, entrypoint_program(platform), ENTRYPOINT)
                .owner(owner())
                .mode(0o755)
                .time(FILE_TIME),
        );
        for RuntimeFile {
            path,
            mode,
            contents,
        } in files
        {
            file.then(
                Mkfile::new(path, contents.clone())
                    .mode(*mode)
                    .owner(owner())
                    .time(FILE_TIME),
            );
        }
        add_records(&mut file, environments, user);
        timed(file.build(), &options)
    }
}
