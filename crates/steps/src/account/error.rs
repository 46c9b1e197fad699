//! Why an account cannot be created.

use std::io;
use std::path::Path;

use thiserror::Error;

use crate::root::RootError;
use condafront_step_spec::account::MAX_ID;

/// Why the account layer cannot be created.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccountError {
    /// A name that no account can have.
    #[error(
        "{0:?} is not a valid user name; use at most 32 letters, digits, '_', '-' and '.', and \
         start with a letter or '_'"
    )]
    InvalidName(String),
    /// An id that no container can start with.
    #[error("{0} is not a valid user or group id: it must be a number from 0 to {MAX_ID}")]
    InvalidId(u32),
    /// An account of the base image with such an id.
    #[error(
        "the base image's user `{name}` has the id {id}, and containers start only with ids up to {MAX_ID}"
    )]
    IdOfBase {
        /// The account.
        name: String,
        /// Its user or group id.
        id: u32,
    },
    /// `root` with another id.
    #[error("the user `root` has the ids 0:0; remove the ids, or choose another name")]
    RootId,
    /// Id 0 with another name.
    #[error("the user id 0 belongs to root; use the name `root` instead of `{0}`")]
    RootName(String),
    /// The base image has an account with that name and another id.
    #[error(
        "the base image already has a user `{name}` with the id {found}, not {wanted}; remove \
         the id to use that account, or choose another name"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The id that the base image gives it.
        found: u32,
        /// The requested id.
        wanted: u32,
    },
    /// The group may write to the user's home, which is not the user's own.
    #[error(
        "`group_writable` lets the user's group write to the user's home, but {home}, the home of `{name}`, belongs to the \
         user id {owner} in the base image; choose another user, or remove `group_writable`"
    )]
    HomeOfAnother {
        /// The user's name.
        name: String,
        /// The home directory.
        home: String,
        /// Whom the base image gives it to.
        owner: u32,
    },
    /// A path in the base image leads through something that is not a directory.
    #[error("{0} in the base image is not a directory")]
    NotADirectory(String),
    /// The working directory cannot be created.
    #[error("cannot create the working directory `{path}`: {source}")]
    Workdir {
        /// The requested directory.
        path: String,
        /// The cause.
        source: Box<AccountError>,
    },
    /// The base image could not be read.
    #[error(transparent)]
    Base(#[from] RootError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

impl AccountError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.display().to_string(),
            source,
        }
    }
}
