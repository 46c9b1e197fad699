//! Owners of files.

use buildkit_proto::pb;

/// An owner to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: Account,
    /// The group; if `None`, the first group of a named user, or the group with
    /// the number of the user.
    pub group: Option<Account>,
}

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// An account by number.
    Id(u32),
    /// An account by name in the filesystem that the whole operation starts
    /// from; an unknown name means the number 0.
    Name(String),
}

impl Owner {
    /// A user and a group by number.
    #[must_use]
    pub const fn ids(uid: u32, gid: u32) -> Self {
        Self {
            user: Account::Id(uid),
            group: Some(Account::Id(gid)),
        }
    }

    pub(super) fn to_pb(&self, base: i64) -> pb::ChownOpt {
        pb::ChownOpt {
            user: Some(self.user.to_pb(base)),
            group: self.group.as_ref().map(|group| group.to_pb(base)),
        }
    }
}

impl Account {
    fn to_pb(&self, base: i64) -> pb::UserOpt {
        pb::UserOpt {
            user: Some(match self {
                Self::Id(id) => pb::user_opt::User::ById(*id),
                Self::Name(name) => pb::user_opt::User::ByName(pb::NamedUserOpt {
                    name: name.clone(),
                    input: base,
                }),
            }),
        }
    }
}
