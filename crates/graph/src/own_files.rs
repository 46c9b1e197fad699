//! Files that come from no package. All have the same time.

use std::collections::BTreeSet;

use buildkit_llb::{Copy, File, Input, Mkdir, OpOptions, Options, Owner};

use condafront_model::stamp::{self, EPOCH};

/// Their time: 1980-01-01T00:00:00Z, the earliest that every archive format can hold, in nanoseconds since 1970.
pub(crate) const FILE_TIME: i64 = EPOCH * 1_000_000_000;

/// A directory.
pub(crate) fn directory(path: impl AsRef<str>, owner: stamp::Owner) -> Mkdir {
    let mut directory = Mkdir::new(path);
    directory
        .mode(0o755)
        .owner(Owner::ids(owner.uid, owner.gid))
        .time(FILE_TIME);
    directory
}

/// `from` with that time everywhere. Adding a file to a directory changes the directory's time, so a copy sets it
/// afterwards.
pub(crate) fn timed(from: Input, options: &Options) -> Input {
    File::on(Input::Scratch)
        .then(Copy::new(from, "/", "/").contents().time(FILE_TIME))
        .options(options)
        .build()
}

/// The folders that hold `files`, parents first, each once.
pub(crate) fn folders<'a>(files: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for path in files {
        for (end, _) in path.match_indices('/').filter(|(at, _)| *at > 0) {
            folders.insert(path[..end].to_owned());
        }
    }
    folders
}
