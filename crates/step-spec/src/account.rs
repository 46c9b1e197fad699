//! What the step around accounts is asked to do, and what it found out.

use condafront_model::stamp::Ownership;
use serde::{Deserialize, Serialize};

use crate::args::{NoItem, StepSpec};

/// A base image's C library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "lowercase")]
pub enum Libc {
    /// The GNU C library, with its version, such as `2.41`.
    Glibc {
        /// Major and minor version.
        version: String,
    },
    /// musl.
    Musl,
    /// None was found.
    None,
}

/// The user's name unless the request has one, as in micromamba-docker.
pub const DEFAULT_NAME: &str = "mambauser";

/// The user's id and group id unless the request has them, as in micromamba-docker.
pub const DEFAULT_ID: u32 = 57439;

/// The group that may write, unless the request has another: root's, which OpenShift's arbitrary user ids belong to
/// (<https://docs.openshift.com/container-platform/latest/openshift_images/create-images.html>).
pub const SHARED_GID: u32 = 0;

/// The highest id that engines start containers with (`minID` and `maxID` in `github.com/moby/sys/user`).
pub const MAX_ID: u32 = i32::MAX.unsigned_abs();

/// The most bytes that an account's name can have, as in useradd(8).
pub const MAX_NAME_LEN: usize = 32;

/// Whether an account or a group can have this name.
pub fn is_account_name(name: &str) -> bool {
    let first = name.bytes().next();
    name.len() <= MAX_NAME_LEN
        && first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// The requested user of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    /// A name, or an id in digits; defaults to [`DEFAULT_NAME`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// User id; defaults to that of an existing account, else [`DEFAULT_ID`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Group id; defaults to that of an existing account, else the same number as `uid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Whether the group may write to the user's home and to the environments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_writable: bool,
}

/// The step that creates the image's account and inspects the base.
///
/// Arguments: `account SPEC`; the base image is at [`BASE_DIR`](crate::mounts::BASE_DIR).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    /// The requested user.
    pub user: UserRequest,
    /// The image's working directory, if the section names one: it is created if the base image lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// Symbolic links to create, with where they lead. Both are absolute paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(String, String)>,
}

impl StepSpec for AccountSpec {
    const SUBCOMMAND: &'static str = "account";
    type Item = NoItem;
}

/// The image's user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Whether the group may write to the user's home and to the environments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_writable: bool,
}

impl User {
    /// The user as the owner of files.
    pub fn ownership(&self) -> Ownership {
        Ownership::new(self.uid, self.gid, self.group_writable)
    }
}

/// The file that the step writes into its facts directory.
pub const FACTS_FILE: &str = "account.json";

/// The file into which the step `libc` writes the [`Libc`] that it found.
pub const LIBC_FILE: &str = "libc.json";

/// A directory that layers write below, and that is a symbolic link in the base image. Image-based systems such as
/// Fedora's bootc images have a link at `/opt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkedDirectory {
    /// The link.
    pub path: String,
    /// The directory that it leads to. The base image may lack it.
    pub target: String,
}

/// What the step found and did: the contents of `account.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFacts {
    /// The image's user.
    pub user: User,
    /// Whether the image has this user's home. System accounts such as `nobody` have none.
    pub has_home: bool,
    /// Whether the step created the working directory, which the base image lacks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_workdir: bool,
    /// What to tell the user, one sentence each.
    pub notices: Vec<String>,
    /// The base image's C library.
    pub libc: Libc,
    /// The base image's links in the way of layers, parents first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkedDirectory>,
}
