//! Packages that are installed so that changes of their sources are seen, in the target `dev`.

use buildkit_llb::{Copy, File, OpOptions, Output, Owner};

use super::network::PipNetwork;
use crate::environment::Environment;
use crate::step::{self, Step};
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::FACTS_DIR;
use condafront_step_spec::pip::{IMAGE_PREFIX_DIR, PipEditSpec, PipEdited};

/// The names, in the progress and the image's history, of what makes a package editable.
const SOURCES: &str = "[dev] sources";
const EDIT: &str = "[dev] install editable packages";

/// A package whose sources are in the image.
#[derive(Clone, Debug)]
pub struct Editable<'a> {
    /// Its name in messages.
    pub label: &'a str,
    /// The folder with its sources.
    pub sources: &'a Output,
    /// Where they are in the image.
    pub path: String,
    /// Options for pip when it builds it.
    pub build_options: &'a [String],
}

/// An image with editable packages.
pub struct PipEditable {
    /// The image.
    pub root: Output,
    /// The names of its new layers.
    pub layers: Vec<String>,
    /// The output that the frontend reads.
    pub facts: Output,
    /// The step, in case it fails.
    step: Step,
}

impl PipEditable {
    /// The step, if its digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        step::failing([(&self.facts, &self.step)], failed)
    }
}

impl Environment<'_> {
    /// The image `root` with the sources of `packages`.
    pub fn with_sources(&self, root: &Output, packages: &[Editable<'_>]) -> Output {
        let mut with_sources = File::on(root);
        with_sources.options(&self.tools.options(SOURCES));
        for package in packages {
            let mut copy = Copy::new(package.sources, "/", &package.path);
            copy.contents()
                .create_dest_path()
                .owner(Owner::ids(self.user.owner.uid, self.user.owner.gid));
            with_sources.then(copy);
        }
        with_sources.build().output().unwrap_or(root).clone()
    }

    /// Installs `packages` as editable into the image `root`, which has their sources, the packages themselves and all that
    /// they need. `build_root` is the same with packages that only builds see, if there are any; nothing of them is in the
    /// result. `options` say where to find what they are built with.
    ///
    /// # Errors
    /// When a path does not fit into a program's arguments.
    pub fn pip_edit(
        &self,
        root: &Output,
        build_root: Option<&Output>,
        packages: &[Editable<'_>],
        options: Vec<String>,
        network: &PipNetwork,
    ) -> Result<PipEditable, ArgsError> {
        let prefix = self.prefix.path();
        let spec = PipEditSpec {
            prefix: prefix.to_owned(),
            options,
            uid: self.user.owner.uid,
            gid: self.user.owner.gid,
            group_writable: self.user.group_writable,
            has_build_packages: build_root.is_some(),
        };
        let items = packages.iter().map(|package| PipEdited {
            label: package.label.to_owned(),
            path: package.path.clone(),
            options: package.build_options.to_vec(),
        });
        let items: Vec<PipEdited> = items.collect();
        let args = spec.to_args(&items)?;
        let mut step = self.tools.step_in(build_root.unwrap_or(root), args, EDIT);
        step.concerns(&(0..items.len()).collect::<Vec<_>>());
        network.open(&mut step);
        let changed = match build_root {
            None => step.changes_below(root, prefix),
            Some(_) => step.exec().output_below(IMAGE_PREFIX_DIR, root, prefix),
        };
        // Builds write next to the sources.
        step.discard_changes();
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        let names = [SOURCES, EDIT].map(|name| self.tools.title(name));
        Ok(PipEditable {
            root: built[changed].clone(),
            layers: names.to_vec(),
            facts: built[facts].clone(),
            step,
        })
    }
}
