//! The wheels of a fixed list, downloaded by pip.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::tools;
use crate::cache::made_once;
use crate::engine::run;

/// The list, in pip's own format.
pub(super) const LIST: &str = include_str!("../../data/wheels.txt");

/// Wheels of rare kinds, which no package of the channel is made from.
const FURTHER: &str = include_str!("../../data/wheels-further.txt");

/// The wheel files, sorted; downloaded if this machine does not have them yet.
pub(super) fn wheels() -> Vec<PathBuf> {
    downloaded(LIST, "3.13")
}

/// The wheel files of rare kinds, sorted; downloaded if this machine does not have them yet.
pub(super) fn further_wheels() -> Vec<PathBuf> {
    downloaded(FURTHER, "3.13")
}

/// The wheel files of another list, for this version of python.
pub(super) fn downloaded(list: &str, python: &str) -> Vec<PathBuf> {
    let key = &hex::encode(Sha256::digest(list))[..12];
    let directory = made_once(&format!("wheels-{key}"), |directory| {
        download(list, python, directory);
    });
    let mut wheels: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", directory.display()))
        .map(|entry| entry.expect("a folder entry").path())
        .collect();
    wheels.sort();
    wheels
}

fn download(text: &str, python: &str, directory: &Path) {
    let list = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(list.path(), text).expect("the temporary file is written");
    let mut command = tools::pip();
    command.args([
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--implementation=cp",
    ]);
    command.arg(format!("--python-version={python}"));
    for platform in ["manylinux2014", "manylinux_2_17", "manylinux_2_28"] {
        command.arg(format!("--platform={platform}_x86_64"));
    }
    run(command
        .arg("--requirement")
        .arg(list.path())
        .arg("--dest")
        .arg(directory))
    .expect_success();
}
