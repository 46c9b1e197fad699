//! Single file actions.

use buildkit_proto::pb;
use pb::file_action::Action as Wire;

use super::path::{clean_dest, clean_path};
use crate::caps::{self, Cap};
use crate::node::Input;

/// A step of a file operation: a [`Copy`], [`Mkfile`], [`Mkdir`], [`Rm`] or
/// [`Symlink`].
#[derive(Clone, Debug)]
pub struct Action(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Copy(Copy),
    Mkfile(Mkfile),
    Mkdir(Mkdir),
    Rm(Rm),
    Symlink(Symlink),
}

/// The mode and time that mean "not set" on the wire.
const UNSET: i32 = -1;
const UNSET_TIME: i64 = -1;

impl Action {
    /// The filesystem a copy takes from.
    pub(super) fn from(&self) -> Option<&Input> {
        match &self.0 {
            Kind::Copy(copy) => Some(&copy.from),
            _ => None,
        }
    }

    /// The capabilities beyond those of every file operation.
    pub(super) fn caps(&self) -> Vec<Cap> {
        match &self.0 {
            Kind::Copy(copy) => copy.caps(),
            Kind::Rm(rm) if rm.wire.allow_wildcard => vec![caps::FILE_RM_WILDCARD],
            Kind::Symlink(_) => vec![caps::FILE_SYMLINK_CREATE],
            _ => Vec::new(),
        }
    }

    /// The message; owners by name are looked up in the input `base`.
    pub(super) fn to_pb(&self, base: i64) -> Wire {
        let chown = |owner: &Option<Owner>| owner.as_ref().map(|owner| owner.to_pb(base));
        match &self.0 {
            Kind::Copy(copy) => {
                let mut wire = copy.wire.clone();
                wire.owner = chown(&copy.owner);
                Wire::Copy(wire)
            }
            Kind::Mkfile(mkfile) => {
                let mut wire = mkfile.wire.clone();
                wire.owner = chown(&mkfile.owner);
                Wire::Mkfile(wire)
            }
            Kind::Mkdir(mkdir) => {
                let mut wire = mkdir.wire.clone();
                wire.owner = chown(&mkdir.owner);
                Wire::Mkdir(wire)
            }
            Kind::Rm(rm) => Wire::Rm(rm.wire.clone()),
            Kind::Symlink(symlink) => {
                let mut wire = symlink.wire.clone();
                wire.owner = chown(&symlink.owner);
                Wire::Symlink(wire)
            }
        }
    }
}

/// An owner to set; what is `None` stays root's, or the source's in a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: Option<Account>,
    /// The group.
    pub group: Option<Account>,
}

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// By its number.
    Id(u32),
    /// By its name in the filesystem the operation works on.
    Name(String),
}

impl Owner {
    /// A user and a group by their numbers.
    #[must_use]
    pub const fn ids(uid: u32, gid: u32) -> Self {
        Self {
            user: Some(Account::Id(uid)),
            group: Some(Account::Id(gid)),
        }
    }

    fn to_pb(&self, base: i64) -> pb::ChownOpt {
        let account = |account: &Account| pb::UserOpt {
            user: Some(match account {
                Account::Id(id) => pb::user_opt::User::ById(*id),
                Account::Name(name) => pb::user_opt::User::ByName(pb::NamedUserOpt {
                    name: name.clone(),
                    input: base,
                }),
            }),
        };
        pb::ChownOpt {
            user: self.user.as_ref().map(account),
            group: self.group.as_ref().map(account),
        }
    }
}

/// Permission bits as the wire has them.
fn permissions(mode: u32) -> i32 {
    // At most nine bits are left.
    (mode & 0o777).cast_signed()
}

/// Copies files and directories from another filesystem.
#[derive(Clone, Debug)]
pub struct Copy {
    from: Input,
    wire: pb::FileActionCopy,
    owner: Option<Owner>,
}

impl Copy {
    /// Copies a path of another filesystem. Modes, owners and times of the
    /// source stay. With a slash at its end, or where it is a directory,
    /// `dest` is copied into.
    pub fn new(from: impl Into<Input>, src: impl AsRef<str>, dest: impl AsRef<str>) -> Self {
        Self {
            from: from.into(),
            wire: pb::FileActionCopy {
                src: clean_path(src.as_ref()),
                dest: clean_dest(dest.as_ref()),
                mode: UNSET,
                timestamp: UNSET_TIME,
                ..pb::FileActionCopy::default()
            },
            owner: None,
        }
    }

    /// The owner of everything copied.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The mode of everything copied, up to 07777.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        // At most twelve bits are left.
        self.wire.mode = (mode & 0o7777).cast_signed();
        self
    }

    /// The time of everything copied, in nanoseconds since 1970.
    #[must_use]
    pub fn time(mut self, nanoseconds: i64) -> Self {
        self.wire.timestamp = nanoseconds;
        self
    }

    /// Copies what a link at the source leads to.
    #[must_use]
    pub fn follow_symlink(mut self) -> Self {
        self.wire.follow_symlink = true;
        self
    }

    /// Copies the content of a directory and not the directory itself.
    #[must_use]
    pub fn contents(mut self) -> Self {
        self.wire.dir_copy_contents = true;
        self
    }

    /// Unpacks tar archives (plain, gzip, bzip2, xz, zstd).
    #[must_use]
    pub fn unpack(mut self) -> Self {
        self.wire.attempt_unpack_docker_compatibility = true;
        self
    }

    /// Makes the directories above the destination.
    #[must_use]
    pub fn create_dest_path(mut self) -> Self {
        self.wire.create_dest_path = true;
        self
    }

    /// Takes the source as a pattern that must match something.
    #[must_use]
    pub fn wildcard(mut self) -> Self {
        self.wire.allow_wildcard = true;
        self
    }

    /// Takes the source as a pattern that may match nothing.
    #[must_use]
    pub fn optional_wildcard(mut self) -> Self {
        self.wire.allow_wildcard = true;
        self.wire.allow_empty_wildcard = true;
        self
    }

    /// Copies only what matches one of the patterns (BuildKit 0.9).
    #[must_use]
    pub fn include(mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let patterns = patterns.into_iter().map(Into::into);
        self.wire.include_patterns.extend(patterns);
        self
    }

    /// Leaves out what matches one of the patterns (BuildKit 0.9).
    #[must_use]
    pub fn exclude(mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let patterns = patterns.into_iter().map(Into::into);
        self.wire.exclude_patterns.extend(patterns);
        self
    }

    /// Fails unless these paths are there (BuildKit 0.26).
    #[must_use]
    pub fn require(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.wire
            .required_paths
            .extend(paths.into_iter().map(Into::into));
        self
    }

    /// Replaces files by directories and the other way round where the
    /// destination has something else (BuildKit 0.14).
    #[must_use]
    pub fn always_replace(mut self) -> Self {
        self.wire.always_replace_existing_dest_paths = true;
        self
    }

    fn caps(&self) -> Vec<Cap> {
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

/// Writes a file.
#[derive(Clone, Debug)]
pub struct Mkfile {
    wire: pb::FileActionMkFile,
    owner: Option<Owner>,
}

impl Mkfile {
    /// Writes a file of mode 0644 with this content; its directory must exist.
    /// A file that exists keeps its mode.
    pub fn new(path: impl AsRef<str>, data: impl Into<Vec<u8>>) -> Self {
        Self {
            wire: pb::FileActionMkFile {
                path: clean_path(path.as_ref()),
                mode: 0o644,
                data: data.into(),
                owner: None,
                timestamp: UNSET_TIME,
            },
            owner: None,
        }
    }

    /// The mode, up to 0777.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.wire.mode = permissions(mode);
        self
    }

    /// The owner; root when not set.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The time in nanoseconds since 1970; that of the build when not set.
    #[must_use]
    pub fn time(mut self, nanoseconds: i64) -> Self {
        self.wire.timestamp = nanoseconds;
        self
    }
}

/// Makes a directory.
#[derive(Clone, Debug)]
pub struct Mkdir {
    wire: pb::FileActionMkDir,
    owner: Option<Owner>,
}

impl Mkdir {
    /// Makes a directory of mode 0755. One that exists is left as it is.
    pub fn new(path: impl AsRef<str>) -> Self {
        Self {
            wire: pb::FileActionMkDir {
                path: clean_path(path.as_ref()),
                mode: 0o755,
                make_parents: false,
                owner: None,
                timestamp: UNSET_TIME,
            },
            owner: None,
        }
    }

    /// The mode, up to 0777.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.wire.mode = permissions(mode);
        self
    }

    /// Makes the directories above it too.
    #[must_use]
    pub fn parents(mut self) -> Self {
        self.wire.make_parents = true;
        self
    }

    /// The owner of every directory made; root when not set.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The time in nanoseconds since 1970; that of the build when not set.
    #[must_use]
    pub fn time(mut self, nanoseconds: i64) -> Self {
        self.wire.timestamp = nanoseconds;
        self
    }
}

/// Removes a file or a directory with its content.
#[derive(Clone, Debug)]
pub struct Rm {
    wire: pb::FileActionRm,
}

impl Rm {
    /// Removes a path that must exist.
    pub fn new(path: impl AsRef<str>) -> Self {
        Self {
            wire: pb::FileActionRm {
                path: clean_path(path.as_ref()),
                ..pb::FileActionRm::default()
            },
        }
    }

    /// Accepts a path that does not exist.
    #[must_use]
    pub fn allow_not_found(mut self) -> Self {
        self.wire.allow_not_found = true;
        self
    }

    /// Takes the path as a pattern (BuildKit 0.7).
    #[must_use]
    pub fn wildcard(mut self) -> Self {
        self.wire.allow_wildcard = true;
        self
    }
}

/// Makes a symbolic link (BuildKit 0.19).
#[derive(Clone, Debug)]
pub struct Symlink {
    wire: pb::FileActionSymlink,
    owner: Option<Owner>,
}

impl Symlink {
    /// Makes a link at `path` that says `target`.
    pub fn new(target: impl Into<String>, path: impl AsRef<str>) -> Self {
        Self {
            wire: pb::FileActionSymlink {
                oldpath: target.into(),
                newpath: clean_path(path.as_ref()),
                owner: None,
                timestamp: UNSET_TIME,
            },
            owner: None,
        }
    }

    /// The owner; root when not set.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The time in nanoseconds since 1970; that of the build when not set.
    #[must_use]
    pub fn time(mut self, nanoseconds: i64) -> Self {
        self.wire.timestamp = nanoseconds;
        self
    }
}

impl From<Copy> for Action {
    fn from(copy: Copy) -> Self {
        Self(Kind::Copy(copy))
    }
}

impl From<Mkfile> for Action {
    fn from(mkfile: Mkfile) -> Self {
        Self(Kind::Mkfile(mkfile))
    }
}

impl From<Mkdir> for Action {
    fn from(mkdir: Mkdir) -> Self {
        Self(Kind::Mkdir(mkdir))
    }
}

impl From<Rm> for Action {
    fn from(rm: Rm) -> Self {
        Self(Kind::Rm(rm))
    }
}

impl From<Symlink> for Action {
    fn from(symlink: Symlink) -> Self {
        Self(Kind::Symlink(symlink))
    }
}
