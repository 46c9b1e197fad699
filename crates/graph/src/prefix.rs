//! Environments without an image.

use buildkit_llb::{Copy, File, Input, OpOptions, Output};

use super::own_files::{add_directory, directory, timed};
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
        let outermost = prefixes.filter(|prefix| !is_inside(prefix.path()));
        let mut folders = File::on(Input::Scratch);
        for file in [&mut file, &mut folders] {
            file.then(directory("/opt", Owner::ROOT));
            for folder in outermost.clone().flat_map(EnvironmentPrefix::folders) {
                add_directory(file, folder, user);
            }
        }
        for prefix in outermost {
            file.then(Copy::new(root, prefix.path(), prefix.path()).contents());
        }
        // What is added to a directory changes its time. A copy of the same directories sets it afterwards.
        let internal = self.options("[internal] directories of the environment");
        let folders = timed(folders.options(&internal).build(), &internal);
        file.then(Copy::new(folders, "/", "/").contents());
        file.build()
    }
}
