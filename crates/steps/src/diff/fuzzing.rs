//! The readers of other images, for `tests/fuzz`.

use super::list::List;
use super::{inventory, system};
use crate::distribution::in_rpm;

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
