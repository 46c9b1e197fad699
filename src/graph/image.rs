//! From layers to the image's file system.

use buildkit_llb::{Copy, File, Input, Merge, Mkdir, Mkfile, OpOptions, Options, Output, Owner};

use crate::activation::RuntimeFile;
use crate::install::facts::Clash;

use super::environment::{Installed, PREFIX};

/// Times of files that no package brings: 1980-01-01T00:00:00Z, the earliest that every archive format can hold, in
/// nanoseconds since 1970.
pub const FILE_TIME: i64 = 315_532_800_000_000_000;

/// Where the frontend image has the program that becomes every image's entrypoint.
const ENTRYPOINT_PROGRAM: &str = "/condafront-entrypoint";

/// How layers are put on top of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stacking {
    /// By a merge operation: nothing is copied, and a changed layer leaves the others as they are.
    Merge,
    /// By copying one layer after the other, for engines without merge operations.
    Copy,
}

impl Stacking {
    /// `layers` on top of `base`, later ones over earlier ones.
    pub fn stack(self, base: impl Into<Input>, layers: &[(Output, String)], name: &str) -> Input {
        let base = base.into();
        match self {
            Self::Merge => {
                let inputs = std::iter::once(base).chain(layers.iter().map(|(layer, _)| layer.into()));
                Merge::new(inputs).name(name).build()
            }
            Self::Copy => layers.iter().fold(base, |below, (layer, name)| {
                let copy = Copy::new(layer, "/", "/").contents();
                File::on(below).then(copy).name(name.clone()).build()
            }),
        }
    }
}

/// A layer with, for each file that two groups claim, the one that a single install would leave; `None` without any.
pub fn clash_fixes(installed: &[Installed], clashes: &[Clash]) -> Option<Output> {
    let mut file = File::on(Input::Scratch);
    file.name("[install] files that several packages claim");
    for clash in clashes {
        let path = format!("{PREFIX}/{}", clash.path);
        let copy = Copy::new(&installed.get(clash.winner)?.layer, &path, &path).create_dest_path();
        file.then(copy);
    }
    file.build().output().cloned()
}

/// A layer with the entrypoint and the files that keep shells active.
pub fn runtime(frontend: &Output, files: &[RuntimeFile]) -> Input {
    let root = || Owner::ids(0, 0);
    let mut file = File::on(Input::Scratch);
    file.name("[activate] entrypoint and shell hooks");
    let mut made: Vec<String> = Vec::new();
    let program = crate::activation::ENTRYPOINT;
    let folders = files.iter().map(|file| file.path.as_str()).chain([program]);
    for path in folders {
        let Some((folder, _)) = path.rsplit_once('/') else {
            continue;
        };
        for end in folder.match_indices('/').map(|(at, _)| at).skip(1).chain([folder.len()]) {
            let folder = &folder[..end];
            if !made.iter().any(|known| known == folder) {
                file.then(Mkdir::new(folder).mode(0o755).owner(root()).time(FILE_TIME));
                made.push(folder.to_owned());
            }
        }
    }
    file.then(
        Copy::new(frontend, ENTRYPOINT_PROGRAM, program)
            .owner(root())
            .mode(0o755)
            .time(FILE_TIME),
    );
    for RuntimeFile { path, mode, contents } in files {
        file.then(
            Mkfile::new(path, contents.clone())
                .mode(*mode)
                .owner(root())
                .time(FILE_TIME),
        );
    }
    file.build()
}

/// Options with a name only.
pub fn named(name: &str) -> Options {
    let mut options = Options::new();
    options.name(name);
    options
}
