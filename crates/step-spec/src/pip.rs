//! What the steps around pip are asked to do, and what they found out.

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;
use crate::facts::Notice;

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

/// The step that has the files fetched, and checks them.
///
/// Arguments: `pip-fetched SPEC FILE…`; file `n` is the only one in `/in/<n>`. Their names go to [`PIP_FETCHED_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipFetchedSpec {}

impl StepSpec for PipFetchedSpec {
    const SUBCOMMAND: &'static str = "pip-fetched";
    type Item = PipFile;
}

/// Where `pip-fetched` writes the files' names, below the facts mount.
pub const PIP_FETCHED_FILE: &str = "pip-fetched.txt";

/// The step that makes a wheel of a source archive or a folder.
///
/// Arguments: `pip-build SPEC FILE`; the root is the image so far, the archive or folder is the only thing in `/in/0`, the
/// wheel becomes the only one in `/out`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipBuildSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// As in [`PipInstallSpec`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pip: Option<String>,
    /// Options that say where packages are to build with; `${NAME}` in them is a variable of the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl StepSpec for PipBuildSpec {
    const SUBCOMMAND: &'static str = "pip-build";
    type Item = PipFile;
}

/// The step that asks pip what it would install.
///
/// Arguments: `pip-resolve SPEC ENTRY…`; the root is the image so far, wheels that entries mean are in `/in/<n>`. What it
/// finds goes to [`PIP_RESOLVED_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipResolveSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
}

impl StepSpec for PipResolveSpec {
    const SUBCOMMAND: &'static str = "pip-resolve";
    type Item = PipEntry;
}

/// How variables of a step begin that hold parts of its arguments. A step that fails shows its arguments; these are not
/// to be seen.
pub const HIDDEN: &str = "CONDAFRONT_HIDDEN_";

/// A line of a list of requirements.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipEntry {
    /// The line, or what stands in it before the wheel's path; `${NAME}` with a name that begins with [`HIDDEN`] is a
    /// variable of the step.
    pub text: String,
    /// Whether it is a constraint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_constraint: bool,
    /// The wheel that it means, if it is at hand already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel: Option<PipWheel>,
}

/// A wheel in the place of something that an index does not have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipWheel {
    /// It is the only file in `/in/<index>`.
    pub index: usize,
    /// What stands in the line behind the wheel's path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
}

/// Where `pip-resolve` writes its list of [`Resolved`](super::report::Resolved), below the facts mount.
pub const PIP_RESOLVED_FILE: &str = "pip-resolved.json";

/// Where a secret `PIP_CONFIG_FILE` is, pip's own configuration.
pub const CONFIG_SECRET: &str = "/run/secrets/condafront-pip.conf";

/// Where a secret `NETRC` is, the users and passwords of servers.
pub const NETRC_SECRET: &str = "/run/secrets/condafront-netrc";

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

/// One file that pip would install.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where the file is, without credentials.
    pub url: String,
    /// Which of the wheels it is that the step was given, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel: Option<usize>,
    /// Its SHA-256 in hex, if pip knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}
