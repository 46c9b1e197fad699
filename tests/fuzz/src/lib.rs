//! The fuzz targets: every reader of what people, servers and images supply, as a function of bytes that must come back
//! without a panic.
//!
//! `make test` runs each on its seeds (`seeds/<target>`) and on changes of them, which are always the same
//! (`tests/targets.rs`). `make fuzz` has libFuzzer look for inputs that reach more of the code (`fuzz/`).

pub mod changes;
mod input;
mod scratch;

use std::fs;
use std::path::Path;

use condafront_entrypoint::fuzzing as entrypoint;
use condafront_steps::fuzzing as steps;
use scratch::in_scratch;

/// A reader.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also that of the folder with its seeds and of the program in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// Reads bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    // Files of the user.
    target("trees", input::trees),
    target("env", input::build_file),
    target("image_section", input::build_file),
    target("explicit", input::build_file),
    target("conda_lock", input::build_file),
    target("pixi_lock", input::build_file),
    target("pixi_toml", input::pixi_toml),
    target("pyproject", input::pyproject),
    target("specs", input::specs),
    target("requirements", input::requirements),
    target("pylock", input::pylock),
    target("dockerignore", condafront::fuzzing::dockerignore),
    // What servers send.
    target("archive", |data| in_scratch(data, steps::archive)),
    target("tar", |data| in_scratch(data, steps::tar)),
    target("wheel", |data| in_scratch(data, steps::wheel)),
    target("repodata", |data| in_scratch(data, steps::repodata)),
    target("shard_list", steps::shard_list),
    target("shard", steps::shard),
    // What images have, and what their programs print.
    target("accounts", steps::accounts),
    target("package_managers", steps::package_managers),
    target("pip", steps::pip),
    target("env_vars", steps::env_vars),
    target("distribution", steps::distribution),
    target("inventory", steps::inventory),
    target("conda_meta", |data| in_scratch(data, steps::conda_meta)),
    target("base_config", condafront::fuzzing::base_config),
    // What the entrypoint reads when a container starts.
    target("records", entrypoint::records),
    target("entrypoint_files", entrypoint::files),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Runs the target `name`.
///
/// # Panics
/// If there is no such target, or it finds a fault.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target").run)(data);
}

impl Target {
    /// Its seeds, in the order of their names.
    ///
    /// # Panics
    /// If it has none.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        let entries = fs::read_dir(folder.join(self.name)).expect("a folder of seeds");
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{} has no seeds", self.name);
        paths
            .iter()
            .map(|path| fs::read(path).expect("a seed"))
            .collect()
    }
}
