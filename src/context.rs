//! Where the user's files come from: the build file, the files that it names, and the build context, found in the same
//! way as the Dockerfile frontend finds them (`frontend/dockerui`).

pub(crate) mod build_file;
pub(crate) mod folder;
pub(crate) mod git;
pub(crate) mod ignore;
mod locate;
pub(crate) mod lookup;
pub(crate) mod named;
pub(crate) mod project;
pub(crate) mod sources;
pub(crate) mod tree;

/// The largest file to read, in bytes. A larger one must be a mistake.
pub(crate) const MAX_FILE_BYTES: usize = 64 << 20;
