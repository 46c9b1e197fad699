//! Packages that a test makes for itself, and serves with
//! [`Server::put`](crate::server::Server::put).

use super::Package;
use super::recipe::{Kind, Recipe};

/// A noarch package of these files: path, content and mode. Returns its record and its archive.
pub fn package(name: &str, version: &str, files: &[(&str, &str, u32)]) -> (Package, Vec<u8>) {
    files
        .iter()
        .fold(
            Recipe::new(name, version, Kind::NoarchGeneric),
            |recipe, (path, content, mode)| recipe.file(path, *content, *mode),
        )
        .build()
}
