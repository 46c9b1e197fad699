//! What the steps around pip are asked to do, and what they found out.

use serde::{Deserialize, Serialize};

use crate::install::args::StepSpec;
use crate::install::facts::Notice;

/// The step that installs files with the environment's pip.
///
/// Arguments: `pip-install SPEC FILE…`; the root is the image so far, file `n` is the only one in `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipInstallSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// Where its python modules are, relative to the prefix.
    pub site_packages: String,
    /// The pip to run, if it is not the environment's own: a path that python can run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pip: Option<String>,
    /// Owner of what pip writes.
    pub uid: u32,
    /// Group of what pip writes.
    pub gid: u32,
}

/// One file to install.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipFile {
    /// What messages call it, `requests 2.32.3`.
    pub label: String,
    /// The md5 that the file must have, in hex, if nothing better checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

impl StepSpec for PipInstallSpec {
    const SUBCOMMAND: &'static str = "pip-install";
    type Item = PipFile;
}

/// The step that makes a wheel of a source archive.
///
/// Arguments: `pip-build SPEC FILE`; the root is the image so far, the archive is the only file in `/in/0`, the wheel
/// becomes the only one in `/out`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipBuildSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// As in [`PipInstallSpec`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pip: Option<String>,
}

impl StepSpec for PipBuildSpec {
    const SUBCOMMAND: &'static str = "pip-build";
    type Item = PipFile;
}

/// The step that asks pip what it would install.
///
/// Arguments: `pip-resolve SPEC ENTRY…`; the root is the image so far. What it finds goes to [`PIP_RESOLVED_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipResolveSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
}

impl StepSpec for PipResolveSpec {
    const SUBCOMMAND: &'static str = "pip-resolve";
    /// A line of a requirements file.
    type Item = String;
}

/// Where `pip-resolve` writes its list of [`Resolved`](super::report::Resolved), below the facts mount.
pub const PIP_RESOLVED_FILE: &str = "pip-resolved.json";

/// Where steps with network may write as much as they like: on disk, while `/tmp` is memory. What is left is in no image.
pub const WORK_DIR: &str = "/.condafront-work";

/// Where `pip-install` writes its [`PipFacts`], below the facts mount.
pub const PIP_FACTS_FILE: &str = "pip.json";

/// What `pip-install` found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipFacts {
    /// What the user should know though nothing failed; packages are indices into the step's files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}
