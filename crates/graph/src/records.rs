//! The files of an environment that come from no package.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{File, Input, OpOptions, Output};
use serde_json::json;

use super::cache_key::depend_on;
use super::own_files::{add_directory, add_file, directory, timed};
use super::tools::Tools;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::stamp;

/// An environment in an image: what its files that come from no package depend on.
#[derive(Clone, Copy, Debug)]
pub struct InImage<'a> {
    /// Where it is.
    pub prefix: &'a EnvironmentPrefix,
    /// The variables that its file sets.
    pub variables: &'a BTreeMap<String, String>,
}

impl Tools<'_> {
    /// A layer with these files. It depends on `facts`, as [`Tools::runtime`] does.
    pub fn records(
        &self,
        environments: &[InImage<'_>],
        user: stamp::Ownership,
        facts: &[Output],
        name: &str,
    ) -> Input {
        let options = self.joined(name);
        let mut file = File::on(Input::Scratch);
        file.options(&options);
        depend_on(&mut file, facts);
        add_records(&mut file, environments, user);
        timed(file.build(), &options)
    }
}

/// Writes these files: the prefixes' directories, with `conda-meta/history` and the environments' own variables.
pub(crate) fn add_records(file: &mut File, environments: &[InImage<'_>], user: stamp::Ownership) {
    file.then(directory("/opt", stamp::Owner::ROOT));
    let metas: Vec<String> = environments
        .iter()
        .map(|one| format!("{}/conda-meta", one.prefix.path()))
        .collect();
    let prefixes = environments.iter().flat_map(|one| one.prefix.folders());
    let folders: BTreeSet<&str> = prefixes.chain(metas.iter().map(String::as_str)).collect();
    for folder in folders {
        add_directory(file, folder, user);
    }
    // conda recognises a prefix as an environment only if it has the first of these; the second holds variables.
    for (one, meta) in environments.iter().zip(&metas) {
        let state = json!({"env_vars": one.variables}).to_string();
        let state = (!one.variables.is_empty()).then_some(("state", state));
        for (name, contents) in [("history", String::new())].into_iter().chain(state) {
            add_file(file, &format!("{meta}/{name}"), contents, user);
        }
    }
}
