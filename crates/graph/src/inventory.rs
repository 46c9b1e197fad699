//! The layer with the image's inventory.

use buildkit_llb::{File, Input, Mkfile, OpOptions as _, Owner};

use super::own_files::{FILE_TIME, directory, timed};
use super::tools::Tools;
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::stamp;

/// The inventory's place in an image: scanners read any `*.spdx.json`.
pub const INVENTORY: &str = "/opt/conda/share/sbom/condafront.spdx.json";
/// The layer's name, in the progress and the image's history.
pub const INVENTORY_LAYER: &str = "[sbom] inventory of packages";

/// The name, in the progress, of the operation that adds the layer.
pub const ADD_INVENTORY: &str = "[sbom] put the inventory on top";

impl Tools<'_> {
    /// A layer with this inventory in the root prefix, which belongs to `user`.
    pub fn inventory(&self, document: &str, user: stamp::Owner) -> Input {
        let options = self.joined(INVENTORY_LAYER);
        let mut file = File::on(Input::Scratch);
        file.then(directory("/opt", stamp::Owner::ROOT));
        let inside = INVENTORY.match_indices('/').map(|(at, _)| &INVENTORY[..at]);
        for folder in inside.filter(|folder| folder.starts_with(ROOT_PREFIX)) {
            file.then(directory(folder, user));
        }
        file.then(
            Mkfile::new(INVENTORY, document)
                .mode(0o644)
                .owner(Owner::ids(user.uid, user.gid))
                .time(FILE_TIME),
        );
        file.options(&options);
        timed(file.build(), &options)
    }
}
