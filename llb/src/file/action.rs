//! Single file actions.

use buildkit_proto::pb;
use pb::file_action::Action as Wire;

use super::copy::Copy;
use super::make::{Mkdir, Mkfile, Symlink};
use super::owner::Owner;
use super::path::clean_path;
use crate::caps::{self, Cap};
use crate::node::Input;

/// A step of a file operation: a [`struct@Copy`], [`Mkfile`], [`Mkdir`], [`Rm`] or
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
