//! The arguments and the result of the step that compares an image with the one that a file describes.

use serde::{Deserialize, Serialize};

use crate::args::{NoItem, StepSpec};

/// The step that compares the root prefixes of two images. It runs nothing of either.
///
/// Arguments: `verify SPEC`; what the file describes is mounted at `/in/0`, and the image to check at `/in/1`. It writes
/// [`VERIFY_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifySpec {
    /// The directory to compare, `/opt/conda`.
    pub prefix: String,
    /// How much must be the same.
    pub extent: Extent,
    /// Files outside of it to compare as well, by their absolute paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// How much of two images must be the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Everything below the prefix.
    #[default]
    Everything,
    /// What packages contain. Who owns it, records and compiled modules are up to the tool that installed the packages.
    Packages,
}

impl StepSpec for VerifySpec {
    const SUBCOMMAND: &'static str = "verify";
    type Item = NoItem;
}

/// Where the step writes its [`VerifyReport`], below the output mount.
pub const VERIFY_FILE: &str = "verify.json";

/// What was compared, and what is different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyReport {
    /// How many packages the compared files are from.
    pub packages: usize,
    /// How many files were compared.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many symbolic links were compared.
    pub links: usize,
    /// How many directories were compared.
    pub directories: usize,
    /// How many files were not compared because tools may differ in them.
    pub left_out: usize,
    /// How many paths are different.
    pub different: usize,
    /// The first of them, by their paths.
    pub findings: Vec<Finding>,
    /// What is different without being wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A path that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Its absolute path. What a terminal cannot show is escaped.
    pub path: String,
    /// In which way.
    pub reason: Reason,
    /// The same in words that follow after the path.
    pub text: String,
    /// The package that has the path, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// In which way a path is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The image does not have it.
    Missing,
    /// Only the image has it.
    Extra,
    /// It is of another kind: a link instead of a file.
    Kind,
    /// It leads elsewhere.
    Link,
    /// It contains something else.
    Content,
    /// Its permissions are different.
    Mode,
    /// It belongs to somebody else.
    Owner,
    /// It has capabilities (capabilities(7)).
    Capabilities,
    /// The image does not let anybody read it.
    Unreadable,
}
