//! Copies files.

use buildkit_proto::pb;

use super::owner::Owner;
use super::path::{clean_dest, clean_path};
use super::unset::{UNSET_MODE, UNSET_TIME};
use crate::caps::{self, Cap};
use crate::node::Input;

/// Copies files and directories from another filesystem.
#[derive(Clone, Debug)]
pub struct Copy {
    pub(super) from: Input,
    pub(super) wire: pb::FileActionCopy,
    pub(super) owner: Option<Owner>,
}

impl Copy {
    /// Copies a path of another filesystem. Modes, owners and times stay as in
    /// the source. If `dest` ends with a slash or is a directory, the copy goes
    /// into it.
    pub fn new(from: impl Into<Input>, src: impl AsRef<str>, dest: impl AsRef<str>) -> Self {
        Self {
            from: from.into(),
            wire: pb::FileActionCopy {
                src: clean_path(src.as_ref()),
                dest: clean_dest(dest.as_ref()),
                mode: UNSET_MODE,
                timestamp: UNSET_TIME,
                ..pb::FileActionCopy::default()
            },
            owner: None,
        }
    }

    /// The owner of everything copied.
    pub fn owner(&mut self, owner: Owner) -> &mut Self {
        self.owner = Some(owner);
        self
    }

    /// The mode of everything copied, up to 07777.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        // At most twelve bits are left.
        self.wire.mode = (mode & 0o7777).cast_signed();
        self
    }

    /// The mode of everything copied as in chmod(1), `u=rwX,go=rX`, instead of
    /// a number. Daemons before BuildKit 0.17 ignore it, and no capability shows
    /// that.
    pub fn symbolic_mode(&mut self, mode: impl Into<String>) -> &mut Self {
        self.wire.mode = UNSET_MODE;
        self.wire.mode_str = mode.into();
        self
    }

    /// The time of everything copied, in nanoseconds since 1970.
    pub fn time(&mut self, nanoseconds: i64) -> &mut Self {
        self.wire.timestamp = nanoseconds;
        self
    }

    /// If the source is a link, copies its target.
    pub fn follow_symlink(&mut self) -> &mut Self {
        self.wire.follow_symlink = true;
        self
    }

    /// Copies the content of a directory instead of the directory itself.
    pub fn contents(&mut self) -> &mut Self {
        self.wire.dir_copy_contents = true;
        self
    }

    /// Unpacks tar archives (plain, gzip, bzip2, xz, zstd).
    pub fn unpack(&mut self) -> &mut Self {
        self.wire.attempt_unpack_docker_compatibility = true;
        self
    }

    /// Creates the parent directories of the destination.
    pub fn create_dest_path(&mut self) -> &mut Self {
        self.wire.create_dest_path = true;
        self
    }

    /// Treats the source as a pattern that must match something.
    pub fn wildcard(&mut self) -> &mut Self {
        self.wire.allow_wildcard = true;
        self
    }

    /// Treats the source as a pattern that may match nothing.
    pub fn optional_wildcard(&mut self) -> &mut Self {
        self.wire.allow_wildcard = true;
        self.wire.allow_empty_wildcard = true;
        self
    }

    /// Copies only paths that match one of the patterns (BuildKit 0.9).
    pub fn include(&mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let patterns = patterns.into_iter().map(Into::into);
        self.wire.include_patterns.extend(patterns);
        self
    }

    /// Skips paths that match one of the patterns (BuildKit 0.9).
    pub fn exclude(&mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let patterns = patterns.into_iter().map(Into::into);
        self.wire.exclude_patterns.extend(patterns);
        self
    }

    /// Fails if one of these paths is missing (BuildKit 0.26).
    pub fn require(&mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.wire
            .required_paths
            .extend(paths.into_iter().map(Into::into));
        self
    }

    /// Replaces files with directories and vice versa if the destination has the
    /// other kind (BuildKit 0.14).
    pub fn always_replace(&mut self) -> &mut Self {
        self.wire.always_replace_existing_dest_paths = true;
        self
    }

    pub(super) fn caps(&self) -> Vec<Cap> {
        let wire = &self.wire;
        let mut caps = Vec::new();
        if !wire.include_patterns.is_empty() || !wire.exclude_patterns.is_empty() {
            caps.push(caps::FILE_COPY_INCLUDE_EXCLUDE_PATTERNS);
        }
        if !wire.required_paths.is_empty() {
            caps.push(caps::FILE_COPY_REQUIRED_PATHS);
        }
        if wire.always_replace_existing_dest_paths {
            caps.push(caps::FILE_COPY_ALWAYS_REPLACE);
        }
        caps
    }
}
