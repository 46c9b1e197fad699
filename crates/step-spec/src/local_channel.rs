//! What the steps are asked to do.

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;

/// Where the channel's own list of a subdir's packages is mounted.
pub const LIST_DIR: &str = "/list";

/// The step that makes one subdir of a channel: archives and their list.
///
/// Arguments: `channel-conda SPEC ARCHIVE…`; archive `n` is in `/in/<n>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CondaSpec {
    /// Where the folder is, relative to the root: `conda.anaconda.org/conda-forge/noarch`.
    pub folder: String,
    /// The subdir's name in the list: `noarch`.
    pub subdir: String,
    /// The file of the channel's own list in [`LIST_DIR`], if it is mounted. What it says about a package takes
    /// precedence over what the package says, because channels correct mistakes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
}

/// An archive of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its name in messages: `numpy 2.1.0`.
    pub label: String,
    /// The package's name.
    pub name: String,
    /// The file's name.
    pub file: String,
    /// The MD5 that it must have, in hex, unless a stronger hash was already checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

impl StepSpec for CondaSpec {
    const SUBCOMMAND: &'static str = "channel-conda";
    type Item = Archive;
}

/// The step that makes the folder of PyPI packages, with an index.
///
/// Arguments: `channel-pypi SPEC FILE…`; file `n` is in `/in/<n>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PypiSpec {}

/// A file that pip installs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PypiFile {
    /// Its name in messages: `requests 2.32.3`.
    pub label: String,
    /// The package's name as in an index: lower case, with dashes.
    pub name: String,
    /// The file's name where it is mounted.
    pub file: String,
    /// Where to put it, relative to the root.
    pub path: String,
    /// The MD5 that it must have, in hex, unless a stronger hash was already checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

impl StepSpec for PypiSpec {
    const SUBCOMMAND: &'static str = "channel-pypi";
    type Item = PypiFile;
}

/// The step that checks whether a folder has what a build needs from it.
///
/// Arguments: `channel-check SPEC FILE…`; the folder is mounted at `/in`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {}

/// A file that a build needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedFile {
    /// Its name in messages: `numpy 2.1.0`.
    pub label: String,
    /// Where it should be, relative to the root.
    pub path: String,
    /// The SHA-256 that it must have, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The MD5 that it must have, in hex, if the SHA-256 is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

impl StepSpec for CheckSpec {
    const SUBCOMMAND: &'static str = "channel-check";
    type Item = WantedFile;
}

/// The file that `channel-check` writes to its output directory if nothing is wrong.
pub const CHECKED_FILE: &str = "checked";
