//! Filesystems that a process sees.

use buildkit_proto::pb;

use crate::file::clean_path;
use crate::node::Input;

/// A filesystem at a path; changes to it are not an output.
#[derive(Clone, Debug)]
pub struct Bind {
    pub(super) dest: String,
    pub(super) input: Input,
    pub(super) selector: String,
    pub(super) discard_writes: bool,
    pub(super) content_cache: ContentCache,
}

impl Bind {
    /// A read-only filesystem.
    pub fn read_only(dest: impl AsRef<str>, input: impl Into<Input>) -> Self {
        Self {
            dest: clean_path(dest.as_ref()),
            input: input.into(),
            selector: String::new(),
            discard_writes: false,
            content_cache: ContentCache::Default,
        }
    }

    /// A writable filesystem; changes are discarded at the end (BuildKit 0.7).
    pub fn discard_writes(dest: impl AsRef<str>, input: impl Into<Input>) -> Self {
        Self {
            discard_writes: true,
            ..Self::read_only(dest, input)
        }
    }

    /// Mounts only a path inside the input, a file or a directory.
    pub fn selector(&mut self, path: impl AsRef<str>) -> &mut Self {
        self.selector = clean_path(path.as_ref());
        self
    }

    /// Whether the content is hashed for the cache key (BuildKit 0.13). If the
    /// input is pinned, that only costs time.
    pub fn content_cache(&mut self, mode: ContentCache) -> &mut Self {
        self.content_cache = mode;
        self
    }
}

/// Whether the content of a read-only mount is hashed for the cache key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentCache {
    /// As the daemon decides.
    #[default]
    Default,
    /// It is.
    On,
    /// It is not: the key has the operation that made the content.
    Off,
}

impl ContentCache {
    pub(super) fn to_pb(self) -> pb::MountContentCache {
        match self {
            Self::Default => pb::MountContentCache::Default,
            Self::On => pb::MountContentCache::On,
            Self::Off => pb::MountContentCache::Off,
        }
    }
}
