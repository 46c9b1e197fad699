//! Environments without an image.

use std::collections::BTreeSet;

use buildkit_llb::{Copy, File, Input, Mkdir, Mkfile, OpOptions, Options, Output, Owner};
use serde_json::json;

use super::Tools;
use super::image::{FILE_TIME, InImage, NO_FILE};
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::stamp;

impl Tools<'_> {
    /// The prefixes of the image `root`, at the same paths. The directories above them belong to `user`.
    pub fn take_prefixes<'a>(
        &self,
        root: &Output,
        prefixes: impl Iterator<Item = &'a EnvironmentPrefix> + Clone,
        user: stamp::Owner,
        name: &str,
    ) -> Input {
        let mut file = File::on(Input::Scratch);
        file.options(&self.options(name));
        let paths = prefixes.clone().map(EnvironmentPrefix::path);
        let is_inside = |path: &str| {
            let mut others = paths.clone();
            others.any(|other| {
                path.strip_prefix(other)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
        };
        file.then(
            Mkdir::new("/opt")
                .mode(0o755)
                .owner(Owner::ids(0, 0))
                .time(FILE_TIME),
        );
        for prefix in prefixes.filter(|prefix| !is_inside(prefix.path())) {
            for folder in prefix.folders() {
                file.then(
                    Mkdir::new(folder)
                        .mode(0o755)
                        .owner(Owner::ids(user.uid, user.gid))
                        .time(FILE_TIME),
                );
            }
            file.then(Copy::new(root, prefix.path(), prefix.path()).contents());
        }
        file.build()
    }

    /// A layer with the files that come from no package. It depends on `facts`, as [`Tools::runtime`] does.
    pub fn records(
        &self,
        environments: &[InImage<'_>],
        user: stamp::Owner,
        facts: &[Output],
        name: &str,
    ) -> Input {
        let options = self.options(name);
        let mut file = File::on(Input::Scratch);
        file.options(&options);
        for facts in facts {
            file.then(Copy::new(facts, NO_FILE, "/").optional_wildcard());
        }
        add_records(&mut file, environments, user);
        timed(file.build(), &options)
    }
}

/// Writes the files that come from no package: the prefixes' directories, with `conda-meta/history` and the
/// environments' own variables.
pub(super) fn add_records(file: &mut File, environments: &[InImage<'_>], user: stamp::Owner) {
    let user = || Owner::ids(user.uid, user.gid);
    file.then(
        Mkdir::new("/opt")
            .mode(0o755)
            .owner(Owner::ids(0, 0))
            .time(FILE_TIME),
    );
    let metas: Vec<String> = environments
        .iter()
        .map(|one| format!("{}/conda-meta", one.prefix.path()))
        .collect();
    let prefixes = environments.iter().flat_map(|one| one.prefix.folders());
    let folders: BTreeSet<&str> = prefixes.chain(metas.iter().map(String::as_str)).collect();
    for folder in folders {
        file.then(Mkdir::new(folder).mode(0o755).owner(user()).time(FILE_TIME));
    }
    // conda recognises a prefix as an environment only if it has the first of these; the second holds variables.
    for (one, meta) in environments.iter().zip(&metas) {
        let state = json!({"env_vars": one.variables}).to_string();
        let state = (!one.variables.is_empty()).then_some(("state", state));
        for (name, contents) in [("history", String::new())].into_iter().chain(state) {
            file.then(
                Mkfile::new(format!("{meta}/{name}"), contents)
                    .mode(0o644)
                    .owner(user())
                    .time(FILE_TIME),
            );
        }
    }
}

/// `from` with the time that all files have that come from no package. Adding a file to a directory changes the
/// directory's time, so a copy sets it afterwards.
pub(super) fn timed(from: Input, options: &Options) -> Input {
    File::on(Input::Scratch)
        .then(Copy::new(from, "/", "/").contents().time(FILE_TIME))
        .options(options)
        .build()
}
