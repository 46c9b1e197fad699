//! The arguments of the steps that run pip, and their results.

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;
use crate::facts::Notice;
use crate::pip_metadata::Consulted;
use crate::wheel::DirectUrl;
use condafront_model::stamp::Ownership;

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
    /// Whether that group may write.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_writable: bool,
}

impl PipInstallSpec {
    /// Whom what pip writes belongs to.
    pub fn ownership(&self) -> Ownership {
        Ownership::new(self.uid, self.gid, self.group_writable)
    }
}

/// One file to install.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipFile {
    /// Its name in messages, `requests 2.32.3`.
    pub label: String,
    /// The expected MD5 in hex, if nothing stronger has verified the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// The expected SHA-256 in hex, if it is a file that nothing else has verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where it comes from, if the user asks for it by its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<DirectUrl>,
}

impl StepSpec for PipInstallSpec {
    const SUBCOMMAND: &'static str = "pip-install";
    type Item = PipFile;
}

/// The step that verifies files and reports their names. It makes the build fetch them before the image is touched: a
/// download that fails while BuildKit merges layers loses them.
///
/// Arguments: `pip-fetched SPEC FILE…`; file `n` is the only one in `/in/<n>`. Their names go to [`PIP_FETCHED_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipFetchedSpec {}

impl StepSpec for PipFetchedSpec {
    const SUBCOMMAND: &'static str = "pip-fetched";
    type Item = PipFile;
}

/// Where `pip-fetched` writes the list of the files' names, below the facts mount.
pub const PIP_FETCHED_FILE: &str = "pip-fetched.json";

/// The step that builds a wheel from a source archive or a folder.
///
/// Arguments: `pip-build SPEC FILE`; the root is the image so far, the archive or folder is the only entry of `/in/0`,
/// the wheel becomes the only file in `/out`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipBuildSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// As in [`PipInstallSpec`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pip: Option<String>,
    /// Options that say where to find build dependencies; `${NAME}` in them is a variable of the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The version of a package whose sources are without their history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// The folder of the package in its sources, if it is not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdir: Option<String>,
}

/// The step that installs packages as editable.
///
/// Arguments: `pip-edit SPEC PACKAGE…`; the root is the image so far, with the packages' sources, and perhaps with packages
/// that only builds see. Then the prefix without these is in [`IMAGE_PREFIX_DIR`], and gets the changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipEditSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// As in [`PipBuildSpec`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Owner of what pip writes.
    pub uid: u32,
    /// Group of what pip writes.
    pub gid: u32,
    /// Whether that group may write.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_writable: bool,
    /// Whether the root has packages that only builds see.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_build_packages: bool,
}

impl PipEditSpec {
    /// Whom what pip writes belongs to.
    pub fn ownership(&self) -> Ownership {
        Ownership::new(self.uid, self.gid, self.group_writable)
    }
}

/// Where `pip-edit` finds the prefix of the image, if the one in its root has more.
pub const IMAGE_PREFIX_DIR: &str = "/image";

/// A package that is installed as editable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipEdited {
    /// Its name in messages.
    pub label: String,
    /// Where its sources are.
    pub path: String,
    /// Options for it alone; `${NAME}` in them is a variable of the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl StepSpec for PipEditSpec {
    const SUBCOMMAND: &'static str = "pip-edit";
    type Item = PipEdited;
}

/// The version in a tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The package's name, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version.
    pub version: String,
}

impl Tag {
    /// The variables that tell setuptools-scm the version
    /// (<https://setuptools-scm.readthedocs.io/en/latest/overrides/>). hatch-vcs does not tell it the package's name, so that
    /// it reads only the one for any package.
    pub fn variables(&self) -> Vec<String> {
        let own = self.name.as_ref().map(|name| {
            let name = name.replace(['-', '.'], "_").to_ascii_uppercase();
            format!("{PRETEND_VERSION}_FOR_{name}")
        });
        own.into_iter()
            .chain([PRETEND_VERSION.to_owned()])
            .collect()
    }
}

/// The variable for a package of any name.
pub const PRETEND_VERSION: &str = "SETUPTOOLS_SCM_PRETEND_VERSION";

impl StepSpec for PipBuildSpec {
    const SUBCOMMAND: &'static str = "pip-build";
    type Item = PipFile;
}

/// The step that asks pip what it would install.
///
/// Arguments: `pip-resolve SPEC ENTRY…`; the root is the image so far, the wheels of entries are in `/in/<n>`. The
/// result, a [`PipResolution`], goes to [`PIP_RESOLVED_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipResolveSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// As in [`PipInstallSpec`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pip: Option<String>,
    /// Whether that one does not report what it would install: it is 20.3.4 or 21.3.1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cannot_report: bool,
    /// Whether the root has only what pip itself needs. The metadata of other packages is in
    /// [`METADATA_DIR`](crate::pip_metadata::METADATA_DIR) then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
}

impl StepSpec for PipResolveSpec {
    const SUBCOMMAND: &'static str = "pip-resolve";
    type Item = PipEntry;
}

/// A line of a list of requirements.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipEntry {
    /// The line, or the part of it before the wheel's path.
    pub text: String,
    /// Whether it is a constraint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_constraint: bool,
    /// The wheel that it becomes, if the build has already made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel: Option<PipWheel>,
}

/// A wheel that replaces something that no index has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipWheel {
    /// The wheel is the only file in `/in/<index>`.
    pub index: usize,
    /// The rest of the line after the wheel's path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
}

/// Where `pip-resolve` writes its [`PipResolution`], below the facts mount.
pub const PIP_RESOLVED_FILE: &str = "pip-resolved.json";

/// What `pip-resolve` reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipResolution {
    /// What pip would install; absent if it must build something and cannot with what is in its root, or did not get the other
    /// packages' metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Vec<Resolved>>,
    /// What pip learnt about packages that are not in its root; absent if it has the whole environment, or did not get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consulted: Option<Consulted>,
}

/// Where the secret `PIP_CONFIG_FILE`, pip's own configuration, is mounted.
pub const CONFIG_SECRET: &str = "/run/secrets/condafront-pip.conf";

/// Where the secret `NETRC`, with users and passwords of servers, is mounted.
pub const NETRC_SECRET: &str = "/run/secrets/condafront-netrc";

/// Where steps with network may write as much as they like: it is on disk, while `/tmp` is in memory. Nothing from it
/// ends up in an image.
pub const WORK_DIR: &str = "/.condafront-work";

/// Where `pip-install` writes its [`PipFacts`], below the facts mount.
pub const PIP_FACTS_FILE: &str = "pip.json";

/// What `pip-install` reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipFacts {
    /// What the user should know even though nothing failed; packages are indices into the step's files.
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
    /// The file's URL, without credentials.
    pub url: String,
    /// The index of the wheel, if it is one of those that the step was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel: Option<usize>,
    /// Whether the list, or another package, asks for it by this URL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_direct: bool,
    /// Its SHA-256 in hex, if pip knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What its metadata says that it needs (`Requires-Dist`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires_dist: Vec<String>,
    /// The versions of python that its metadata says that it works with (`Requires-Python`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
}
