//! Environments without an image.

use buildkit_llb::{Copy, File, Input, OpOptions, Output};

use super::own_files::{add_directory, directory};
use super::tools::Tools;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::stamp::{Owner, Ownership};

impl Tools<'_> {
    /// The prefixes of the image `root`, at the same paths. The directories above them belong to `user`.
    pub fn take_prefixes<'a>(
        &self,
        root: &Output,
        prefixes: impl Iterator<Item = &'a EnvironmentPrefix> + Clone,
        user: Ownership,
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
        file.then(directory("/opt", Owner::ROOT));
        for prefix in prefixes.filter(|prefix| !is_inside(prefix.path())) {
            for folder in prefix.folders() {
                add_directory(&mut file, folder, user);
            }
            file.then(Copy::new(root, prefix.path(), prefix.path()).contents());
        }
        file.build()
    }
}
