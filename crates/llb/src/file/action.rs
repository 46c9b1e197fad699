//! Single file actions.

use buildkit_proto::pb;
use pb::file_action::Action as Wire;

use super::copy::Copy;
use super::make::{Mkdir, Mkfile, Symlink};
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
    /// The source filesystem of a copy.
    pub(super) fn from(&self) -> Option<&Input> {
        match &self.0 {
            Kind::Copy(copy) => Some(&copy.from),
            _ => None,
        }
    }

    /// The capabilities that it needs in addition to those of every file operation.
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
        /// The message of an action that sets an owner.
        macro_rules! owned {
            ($kind:ident, $action:expr) => {{
                let mut wire = $action.wire.clone();
                wire.owner = $action.owner.as_ref().map(|owner| owner.to_pb(base));
                Wire::$kind(wire)
            }};
        }
        match &self.0 {
            Kind::Copy(copy) => owned!(Copy, copy),
            Kind::Mkfile(mkfile) => owned!(Mkfile, mkfile),
            Kind::Mkdir(mkdir) => owned!(Mkdir, mkdir),
            Kind::Rm(rm) => Wire::Rm(rm.wire.clone()),
            Kind::Symlink(symlink) => owned!(Symlink, symlink),
        }
    }
}

/// Removes a file, or a directory and its content.
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
    pub fn allow_not_found(&mut self) -> &mut Self {
        self.wire.allow_not_found = true;
        self
    }

    /// Treats the path as a pattern (BuildKit 0.7).
    pub fn wildcard(&mut self) -> &mut Self {
        self.wire.allow_wildcard = true;
        self
    }
}

macro_rules! into_action {
    ($($kind:ident),+ $(,)?) => {
        $(
            impl From<$kind> for Action {
                fn from(action: $kind) -> Self {
                    Self(Kind::$kind(action))
                }
            }

            impl From<&mut $kind> for Action {
                /// The action as its setters return it.
                fn from(action: &mut $kind) -> Self {
                    action.clone().into()
                }
            }
        )+
    };
}

into_action!(Copy, Mkfile, Mkdir, Rm, Symlink);
