//! The root in which pip finds packages for a list.

use std::collections::BTreeSet;

use buildkit_llb::{File, OpOptions, Output, Rm};

use super::metadata::metadata_of;
use crate::environment::Environment;
use crate::image::{Stack, Stacking};
use crate::install::InstallGraph;
use crate::plan::groups;
use crate::plan::resolving::needed;
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::facts::{Clash, EnvironmentFacts};
use condafront_step_spec::pip_metadata::PackageMetadata;

/// The names in the progress, of the root, and of what is left out.
const ROOT: &str = "[pip] put python and pip together";
const HIDDEN: &str = "[pip] hide packages for builds from pip";

/// A root that has only what pip itself needs.
pub struct PipRoot {
    /// The base image, python and pip: it changes only if these do.
    pub root: Output,
    /// The metadata of all other packages, in an order that does not depend on further ones.
    pub metadata: Vec<PackageMetadata>,
}

impl Environment<'_> {
    /// A root for pip. `graph` and `facts` are about the conda packages. `None` if pip needs more.
    ///
    /// # Errors
    /// When a path does not fit into a program's arguments.
    pub fn pip_root(
        &self,
        graph: &InstallGraph,
        facts: &EnvironmentFacts,
    ) -> Result<Option<PipRoot>, ArgsError> {
        let (Some(base), Some(needed)) = (self.base, needed(&facts.packages)) else {
            return Ok(None);
        };
        let plan = &self.plan.groups;
        let has_needed = |group: &usize| {
            let packages = plan.get(*group).map(|group| group.packages.iter());
            packages.is_some_and(|mut packages| packages.any(|index| needed.contains(index)))
        };
        let mut stack = Stack::default();
        let size = |index: usize| facts.packages.get(index).map_or(0, |package| package.size);
        let mut metadata = Vec::new();
        for index in groups::stacking_order(plan, size) {
            let (Some(group), Some(installed)) = (plan.get(index), graph.installed.get(index))
            else {
                continue;
            };
            if has_needed(&index) {
                for (layer, name) in installed.named() {
                    stack.push(layer, &name);
                }
                continue;
            }
            let packages = group.packages.iter();
            let packages = packages.filter_map(|index| facts.packages.get(*index));
            metadata.extend(packages.filter_map(metadata_of));
        }
        metadata.sort_unstable();
        let clashes = facts.clashes.iter();
        let clashes: Vec<Clash> = clashes
            .filter(|clash| has_needed(&clash.winner))
            .cloned()
            .collect();
        self.stack_clashes(&mut stack, &graph.installed, &clashes)?;
        let root = stack.on(&base.into(), Stacking::Merge, &self.tools.title(ROOT));
        Ok(root
            .output()
            .cloned()
            .map(|root| PipRoot { root, metadata }))
    }

    /// `root` without these packages' `metadata`, whose paths are relative to the prefix, so that pip does not find them.
    pub fn hide_metadata<'m>(
        &self,
        root: &Output,
        metadata: impl Iterator<Item = &'m String>,
    ) -> Output {
        let folders = metadata.filter_map(|path| Some(path.rsplit_once('/')?.0));
        let folders: BTreeSet<String> = folders
            .map(|folder| format!("{}/{folder}", self.prefix.path()))
            .collect();
        if folders.is_empty() {
            return root.clone();
        }
        let mut file = File::on(root);
        file.options(&self.tools.options(HIDDEN));
        for folder in folders {
            let mut rm = Rm::new(folder);
            rm.allow_not_found();
            file.then(rm);
        }
        file.build().output().unwrap_or(root).clone()
    }
}
