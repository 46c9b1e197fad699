//! The root in which pip finds packages for a list.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{File, Input, Mkfile, OpOptions, Output, Rm};

use crate::environment::Environment;
use crate::image::{Stack, Stacking};
use crate::install::InstallGraph;
use crate::own_files::{FILE_TIME, directory, folders};
use crate::plan::groups;
use crate::plan::resolving::needed;
use condafront_model::stamp::Owner;
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::facts::{Clash, EnvironmentFacts};

/// The names in the progress, of the root, of one part of it, and of what is left out.
const ROOT: &str = "[pip] put python and pip together";
const METADATA: &str = "[pip] metadata of the other packages";
const HIDDEN: &str = "[pip] hide packages for builds from pip";

impl Environment<'_> {
    /// A root with the base image, python and pip, and the metadata of all other packages: it changes only if these do.
    /// `graph` and `facts` are about the conda packages. `None` if pip needs more.
    ///
    /// # Errors
    /// When a path does not fit into a program's arguments.
    pub fn pip_root(
        &self,
        graph: &InstallGraph,
        facts: &EnvironmentFacts,
    ) -> Result<Option<Output>, ArgsError> {
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
        let mut metadata: BTreeMap<&str, &str> = BTreeMap::new();
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
            let files = packages.flat_map(|package| &package.metadata);
            metadata.extend(files.map(|(path, text)| (path.as_str(), text.as_str())));
        }
        let clashes = facts.clashes.iter();
        let clashes: Vec<Clash> = clashes
            .filter(|clash| has_needed(&clash.winner))
            .cloned()
            .collect();
        self.stack_clashes(&mut stack, &graph.installed, &clashes)?;
        if let Input::Output(metadata) = self.metadata(&metadata) {
            stack.push(&metadata, METADATA);
        }
        Ok(stack
            .on(&base.into(), Stacking::Merge, ROOT)
            .output()
            .cloned())
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

    /// These files, by their paths relative to the prefix.
    fn metadata(&self, files: &BTreeMap<&str, &str>) -> Input {
        if files.is_empty() {
            return Input::Scratch;
        }
        let path = |path: &str| format!("{}/{path}", self.prefix.path());
        let paths: Vec<String> = files.keys().map(|file| path(file)).collect();
        let mut file = File::on(Input::Scratch);
        let options = self.tools.options(METADATA);
        file.options(&options);
        for folder in folders(paths.iter().map(String::as_str)) {
            file.then(directory(folder, Owner::ROOT));
        }
        for (name, text) in files {
            let mut made = Mkfile::new(path(name), text.as_bytes().to_vec());
            made.mode(0o644).time(FILE_TIME);
            file.then(made);
        }
        file.build()
    }
}
