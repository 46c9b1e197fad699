//! Packages that a test makes for itself and serves with
//! [`Server::put`](crate::server::Server::put).

use sha2::{Digest, Sha256};

use super::Package;
use super::archive::Format;
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

/// A noarch package with a file of so many bytes that do not compress, and one that holds its version.
pub fn package_of_size(name: &str, version: &str, bytes: usize) -> (Package, Vec<u8>) {
    Recipe::new(name, version, Kind::NoarchGeneric)
        .format(Format::Conda)
        .file(
            &format!("share/{name}/noise.bin"),
            noise(&format!("{name} {version}"), bytes),
            0o644,
        )
        .file(
            &format!("share/{name}/version.txt"),
            format!("{version}\n"),
            0o644,
        )
        .build()
}

/// At least so many bytes that do not compress; `seed` decides which.
pub(super) fn noise(seed: &str, bytes: usize) -> Vec<u8> {
    let mut noise = Vec::with_capacity(bytes + 32);
    let mut block = Sha256::digest(seed);
    while noise.len() < bytes {
        block = Sha256::digest(block);
        noise.extend_from_slice(&block);
    }
    noise
}

/// A noarch package version 1.0 of these files and symlinks; a link is its path and its target.
pub fn package_with_links(
    name: &str,
    files: &[(String, &str, u32)],
    links: &[(String, &str)],
) -> (Package, Vec<u8>) {
    let recipe = Recipe::new(name, "1.0", Kind::NoarchGeneric);
    let recipe = files.iter().fold(recipe, |recipe, (path, content, mode)| {
        recipe.file(path, *content, *mode)
    });
    let recipe = links.iter().fold(recipe, |recipe, (path, target)| {
        recipe.symlink(path, target)
    });
    recipe.build()
}

/// A package of these files under an archive's path in a channel, `<subdir>/<name>-<version>-<build>.tar.bz2`: a
/// stand-in for an archive that is not available. Returns its record and its archive.
///
/// # Panics
/// If `path` is not such a path.
pub fn package_named(path: &str, files: &[(&str, &str, u32)]) -> (Package, Vec<u8>) {
    let parts = || -> Option<(&str, &str, &str, &str)> {
        let (subdir, file) = path.split_once('/')?;
        let (rest, build) = file.strip_suffix(".tar.bz2")?.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        Some((subdir, name, version, build))
    };
    let (subdir, name, version, build) =
        parts().unwrap_or_else(|| panic!("{path} is not the path of an archive"));
    let kind = match subdir {
        "noarch" => Kind::NoarchGeneric,
        "linux-64" => Kind::Platform("linux-64"),
        other => panic!("{path} is for {other}"),
    };
    let mut recipe = Recipe::new(name, version, kind).format(Format::TarBz2);
    build.clone_into(&mut recipe.build);
    for (path, content, mode) in files {
        recipe = recipe.file(path, *content, *mode);
    }
    recipe.build()
}
