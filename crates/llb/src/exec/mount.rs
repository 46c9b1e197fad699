//! Mounts of a process.

use buildkit_proto::pb;

use super::bind::{Bind, ContentCache};
use super::cache::Cache;
use super::outputs::Slot;
use crate::caps::{self, Cap};
use crate::file::clean_path;
use crate::node::{Input, Inputs, NONE};

/// A mount of an exec operation: a [`Bind`], [`Cache`], [`Tmpfs`], [`Secret`]
/// or [`Ssh`].
#[derive(Clone, Debug)]
pub struct Mount {
    dest: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Bind(Bind),
    Output {
        base: Input,
        selector: String,
        slot: Slot,
    },
    Cache(Cache),
    Tmpfs(Tmpfs),
    Secret(Secret),
    Ssh(Ssh),
}

impl Mount {
    pub(super) fn output(dest: &str, base: Input, selector: &str, slot: Slot) -> Self {
        Self {
            dest: clean_path(dest),
            kind: Kind::Output {
                base,
                selector: match clean_path(selector) {
                    all if all == "/" => String::new(),
                    path => path,
                },
                slot,
            },
        }
    }

    /// Turns a bind mount into one with an output.
    pub(super) fn make_output(&mut self, slot: Slot) {
        if let Kind::Bind(bind) = &self.kind {
            self.kind = Kind::Output {
                base: bind.input.clone(),
                selector: bind.selector.clone(),
                slot,
            };
        }
    }

    pub(super) fn dest(&self) -> &str {
        &self.dest
    }

    pub(super) fn slot(&self) -> Option<Slot> {
        match self.kind {
            Kind::Output { slot, .. } => Some(slot),
            _ => None,
        }
    }

    /// The capabilities this mount needs.
    pub(super) fn caps(&self) -> Vec<Cap> {
        match &self.kind {
            Kind::Bind(bind) => {
                let mut caps = vec![caps::EXEC_MOUNT_BIND];
                if bind.discard_writes {
                    caps.push(caps::EXEC_MOUNT_BIND_READ_WRITE_NO_OUTPUT);
                }
                if !bind.selector.is_empty() {
                    caps.push(caps::EXEC_MOUNT_SELECTOR);
                }
                if bind.content_cache != ContentCache::Default {
                    caps.push(caps::EXEC_MOUNT_CONTENT_CACHE);
                }
                caps
            }
            Kind::Output { selector, .. } if selector.is_empty() => vec![caps::EXEC_MOUNT_BIND],
            Kind::Output { .. } => vec![caps::EXEC_MOUNT_BIND, caps::EXEC_MOUNT_SELECTOR],
            Kind::Cache(cache) => {
                let mut caps = vec![caps::EXEC_MOUNT_CACHE, caps::EXEC_MOUNT_CACHE_SHARING];
                if !cache.selector.is_empty() {
                    caps.push(caps::EXEC_MOUNT_SELECTOR);
                }
                caps
            }
            Kind::Tmpfs(tmpfs) if tmpfs.size > 0 => {
                vec![caps::EXEC_MOUNT_TMPFS, caps::EXEC_MOUNT_TMPFS_SIZE]
            }
            Kind::Tmpfs(_) => vec![caps::EXEC_MOUNT_TMPFS],
            Kind::Secret(_) => vec![caps::EXEC_MOUNT_SECRET],
            Kind::Ssh(_) => vec![caps::EXEC_MOUNT_SSH],
        }
    }

    /// The message, with the index of its output or [`NONE`].
    pub(super) fn to_pb(&self, inputs: &mut Inputs, output: i64) -> pb::Mount {
        let mut mount = pb::Mount {
            input: NONE,
            dest: self.dest.clone(),
            output,
            ..pb::Mount::default()
        };
        match &self.kind {
            Kind::Bind(bind) => {
                mount.input = inputs.index_of(&bind.input);
                mount.selector.clone_from(&bind.selector);
                mount.readonly = !bind.discard_writes;
                mount.content_cache = bind.content_cache.to_pb().into();
            }
            Kind::Output { base, selector, .. } => {
                mount.input = inputs.index_of(base);
                mount.selector.clone_from(selector);
            }
            Kind::Cache(cache) => {
                mount.input = inputs.index_of(&cache.base);
                mount.selector.clone_from(&cache.selector);
                mount.readonly = cache.read_only;
                mount.mount_type = pb::MountType::Cache.into();
                mount.cache_opt = Some(pb::CacheOpt {
                    id: cache.id.clone(),
                    sharing: cache.sharing.to_pb().into(),
                });
            }
            Kind::Tmpfs(tmpfs) => {
                mount.mount_type = pb::MountType::Tmpfs.into();
                mount.tmpfs_opt = Some(pb::TmpfsOpt { size: tmpfs.size });
            }
            Kind::Secret(secret) => {
                mount.mount_type = pb::MountType::Secret.into();
                mount.secret_opt = Some(secret.opt.clone());
            }
            Kind::Ssh(ssh) => {
                mount.mount_type = pb::MountType::Ssh.into();
                mount.ssh_opt = Some(ssh.opt.clone());
            }
        }
        mount
    }
}

/// An empty directory in memory.
#[derive(Clone, Debug)]
pub struct Tmpfs {
    dest: String,
    size: i64,
}

impl Tmpfs {
    /// A directory without a size limit of its own.
    pub fn new(dest: impl AsRef<str>) -> Self {
        Self {
            dest: clean_path(dest.as_ref()),
            size: 0,
        }
    }

    /// The limit in bytes (BuildKit 0.10).
    pub fn size(&mut self, bytes: u64) -> &mut Self {
        self.size = i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }
}

/// A secret of the client as a file.
#[derive(Clone, Debug)]
pub struct Secret {
    dest: String,
    opt: pb::SecretOpt,
}

impl Secret {
    /// The secret with an id, readable only by root.
    pub fn new(dest: impl AsRef<str>, id: impl Into<String>) -> Self {
        Self {
            dest: clean_path(dest.as_ref()),
            opt: pb::SecretOpt {
                id: id.into(),
                mode: 0o400,
                ..pb::SecretOpt::default()
            },
        }
    }
}

/// An SSH agent of the client as a socket.
#[derive(Clone, Debug)]
pub struct Ssh {
    dest: String,
    opt: pb::SshOpt,
}

impl Ssh {
    /// The agent with an id, usually `default`, usable only by root.
    pub fn new(dest: impl AsRef<str>, id: impl Into<String>) -> Self {
        Self {
            dest: clean_path(dest.as_ref()),
            opt: pb::SshOpt {
                id: id.into(),
                mode: 0o600,
                ..pb::SshOpt::default()
            },
        }
    }
}

/// Setters that all files and sockets of the client have.
macro_rules! access {
    ($($kind:ty: $what:literal, $source:literal);+ $(;)?) => {
        $(
            impl $kind {
                #[doc = concat!("The owner of the ", $what, ".")]
                pub fn owner(&mut self, uid: u32, gid: u32) -> &mut Self {
                    self.opt.uid = uid;
                    self.opt.gid = gid;
                    self
                }

                #[doc = concat!("The mode of the ", $what, ".")]
                pub fn mode(&mut self, mode: u32) -> &mut Self {
                    self.opt.mode = mode;
                    self
                }

                #[doc = concat!("Omits the ", $what, " if the client has no such ", $source, ".")]
                pub fn optional(&mut self) -> &mut Self {
                    self.opt.optional = true;
                    self
                }
            }
        )+
    };
}

access! {
    Secret: "file", "secret";
    Ssh: "socket", "agent";
}

macro_rules! into_mount {
    ($($kind:ident),+ $(,)?) => {
        $(
            impl From<$kind> for Mount {
                fn from(mount: $kind) -> Self {
                    Self {
                        dest: mount.dest.clone(),
                        kind: Kind::$kind(mount),
                    }
                }
            }

            impl From<&mut $kind> for Mount {
                /// The mount as its setters return it.
                fn from(mount: &mut $kind) -> Self {
                    mount.clone().into()
                }
            }
        )+
    };
}

into_mount!(Bind, Cache, Tmpfs, Secret, Ssh);
