//! Python programs that tests run on this machine, with packages from PyPI.

use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::cache::made_once;
use crate::channel::pip;
use crate::engine::run;

/// A `python3` that has the packages of `list`, a requirements file with a hash for each. They are installed once, below
/// this name.
pub(crate) fn with(name: &str, list: &str) -> Command {
    let key = &hex::encode(Sha256::digest(list))[..12];
    let packages = made_once(&format!("{name}-{key}"), |directory| {
        install(list, directory);
    });
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", packages);
    command
}

fn install(list: &str, directory: &Path) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), list).expect("the temporary file is written");
    let options = ["install", "--quiet", "--no-deps", "--require-hashes"];
    let mut command = pip();
    command.args(options).arg("--target").arg(directory);
    run(command.arg("--requirement").arg(file.path())).expect_success();
}
