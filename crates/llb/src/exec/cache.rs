//! Directories that builds share.

use buildkit_proto::pb;

use crate::file::clean_path;
use crate::node::Input;

/// A directory that persists between builds, outside of any result.
#[derive(Clone, Debug)]
pub struct Cache {
    pub(super) dest: String,
    pub(super) id: String,
    pub(super) base: Input,
    pub(super) selector: String,
    pub(super) sharing: CacheSharing,
    pub(super) read_only: bool,
}

impl Cache {
    /// The cache with an id, initially empty and shared with concurrent builds.
    pub fn new(dest: impl AsRef<str>, id: impl Into<String>) -> Self {
        Self {
            dest: clean_path(dest.as_ref()),
            id: id.into(),
            base: Input::Scratch,
            selector: String::new(),
            sharing: CacheSharing::Shared,
            read_only: false,
        }
    }

    /// The initial content of the cache.
    pub fn base(&mut self, base: impl Into<Input>) -> &mut Self {
        self.base = base.into();
        self
    }

    /// Mounts only a path inside the base.
    pub fn selector(&mut self, path: impl AsRef<str>) -> &mut Self {
        self.selector = clean_path(path.as_ref());
        self
    }

    /// What happens if another build uses the cache.
    pub fn sharing(&mut self, sharing: CacheSharing) -> &mut Self {
        self.sharing = sharing;
        self
    }

    /// Prevents the process from writing to the cache.
    pub fn read_only(&mut self) -> &mut Self {
        self.read_only = true;
        self
    }
}

/// How builds share a cache mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheSharing {
    /// They use it at the same time.
    #[default]
    Shared,
    /// Each build that finds it in use gets another one.
    Private,
    /// They wait for each other.
    Locked,
}

impl CacheSharing {
    pub(super) fn to_pb(self) -> pb::CacheSharingOpt {
        match self {
            Self::Shared => pb::CacheSharingOpt::Shared,
            Self::Private => pb::CacheSharingOpt::Private,
            Self::Locked => pb::CacheSharingOpt::Locked,
        }
    }
}
