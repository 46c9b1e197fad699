//! Files that come from no package. All have the same time.

use std::collections::BTreeSet;

use buildkit_llb::{Copy, File, Input, Mkdir, Mkfile, OpOptions, Options, Owner};

use condafront_model::stamp::{self, EPOCH, Ownership};

/// Their time: 1980-01-01T00:00:00Z, the earliest that every archive format can hold, in nanoseconds since 1970.
pub(crate) const FILE_TIME: i64 = EPOCH * 1_000_000_000;

/// A directory that only its owner may write to.
pub(crate) fn directory(path: impl AsRef<str>, owner: stamp::Owner) -> Mkdir {
    let mut directory = Mkdir::new(path);
    directory
        .mode(DIRECTORY_MODE)
        .owner(Owner::ids(owner.uid, owner.gid))
        .time(FILE_TIME);
    directory
}

const DIRECTORY_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// Adds a directory below one that exists.
///
/// What is created in the build has no more rights than the engine's umask leaves (dockerd's is 022, buildkitd's is 0); what
/// is copied has the rights that it is copied with.
pub(crate) fn add_directory(file: &mut File, path: &str, ownership: Ownership) {
    if ownership.group_writable {
        let mut copy = shared_directory(path, ownership);
        copy.time(FILE_TIME);
        file.then(copy);
    } else {
        file.then(directory(path, ownership.owner));
    }
}

/// A directory that its group may write to, below one that exists. One that exists itself stays as it is, also behind a link.
pub(crate) fn shared_directory(path: &str, ownership: Ownership) -> Copy {
    let made = File::on(Input::Scratch)
        .then(Mkdir::new("/"))
        .name("[internal] a directory for a group")
        .build();
    // Where the path exists, BuildKit copies a folder into it under the folder's name. The root has none.
    let mut copy = Copy::new(made, "/", path.trim_end_matches('/'));
    copy.owner(ids(ownership))
        .mode(ownership.mode(DIRECTORY_MODE));
    copy
}

/// Adds a file.
pub(crate) fn add_file(
    file: &mut File,
    path: &str,
    contents: impl Into<Vec<u8>>,
    ownership: Ownership,
) {
    if ownership.group_writable {
        const SOURCE: &str = "/file";
        let made = File::on(Input::Scratch)
            .then(Mkfile::new(SOURCE, contents))
            .name("[internal] a file for a group")
            .build();
        let mut copy = Copy::new(made, SOURCE, path);
        copy.owner(ids(ownership))
            .mode(ownership.mode(FILE_MODE))
            .time(FILE_TIME);
        file.then(copy);
    } else {
        let mut made = Mkfile::new(path, contents);
        made.mode(FILE_MODE).owner(ids(ownership)).time(FILE_TIME);
        file.then(made);
    }
}

fn ids(ownership: Ownership) -> Owner {
    Owner::ids(ownership.owner.uid, ownership.owner.gid)
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
