//! The readers of other images, for `tests/fuzz`.

use std::path::Path;

use super::budget::Budget;
use super::list::List;
use super::{conda, inventory, pypi, system};
use crate::distribution::in_rpm;
use crate::root::Root;

/// Lists the packages of the image at `dir`, by their records.
///
/// # Panics
/// If the list has a text that a report cannot show.
pub(crate) fn records(dir: &Path) {
    let root = Root::new(dir);
    let (mut list, mut budget) = (List::default(), Budget::default());
    for environment in conda::environments(&root, &["/opt/conda".to_owned()]) {
        let of_conda = conda::add(&root, &environment, &mut budget, &mut list);
        pypi::add(&root, &environment, &of_conda, &mut budget, &mut list);
    }
    let notes = list.take_notes();
    let packages = list.into_packages().into_iter();
    let texts = packages.flat_map(|(key, it)| {
        let more = [it.build, it.channel, it.license, it.sha256];
        [key.name, it.version]
            .into_iter()
            .chain(more.into_iter().flatten())
    });
    for text in texts.chain(notes) {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

/// Reads the lists of dpkg and apk.
pub fn distribution(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut list = List::default();
    system::add_dpkg(&text, &mut list);
    system::add_apk(&text, &mut list);
    drop(in_rpm(&text).collect::<Vec<_>>());
}

/// Reads an image's inventory.
pub fn inventory(data: &[u8]) {
    drop(inventory::parse(data));
}
