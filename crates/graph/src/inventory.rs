//! The layer with the image's inventory.

use buildkit_llb::{File, Input, OpOptions as _, Output};

use super::cache_key::depend_on;
use super::own_files::{add_directory, add_file, directory, timed};
use super::tools::Tools;
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::stamp;
use condafront_step_spec::inventory::INVENTORY;

/// The layer's name, in the progress and the image's history.
pub const INVENTORY_LAYER: &str = "[sbom] inventory of packages";

impl Tools<'_> {
    /// A layer with this inventory in the root prefix, which belongs to `user`. It depends on `facts`, as
    /// [`Tools::runtime`] does.
    pub fn inventory(&self, document: &str, user: stamp::Ownership, facts: &[Output]) -> Input {
        let options = self.joined(INVENTORY_LAYER);
        let path = format!("{ROOT_PREFIX}/{INVENTORY}");
        let mut file = File::on(Input::Scratch);
        depend_on(&mut file, facts);
        file.then(directory("/opt", stamp::Owner::ROOT));
        let inside = path.match_indices('/').map(|(at, _)| &path[..at]);
        for folder in inside.filter(|folder| folder.starts_with(ROOT_PREFIX)) {
            add_directory(&mut file, folder, user);
        }
        add_file(&mut file, &path, document, user);
        file.options(&options);
        timed(file.build(), &options)
    }
}
