//! The arguments and the result of the step that says how two images differ.

use serde::{Deserialize, Serialize};

use crate::args::{NoItem, StepSpec};

/// The step that lists the packages of two images and compares the lists. It runs nothing of either.
///
/// Arguments: `diff SPEC`; the old image is mounted at `/in/0`, and the new one at `/in/1`. It writes [`DIFF_FILE`] and
/// [`DIFF_TEXT`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffSpec {
    /// The image to compare with.
    pub old: DiffImage,
    /// The image to describe.
    pub new: DiffImage,
}

/// An image to list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffImage {
    /// What the report calls it.
    pub name: String,
    /// Where its environments can be: the root prefix first.
    pub prefixes: Vec<String>,
}

impl StepSpec for DiffSpec {
    const SUBCOMMAND: &'static str = "diff";
    type Item = NoItem;
}

/// Where the step writes its [`DiffReport`], below the output mount.
pub const DIFF_FILE: &str = "diff.json";
/// Where it writes the same in Markdown.
pub const DIFF_TEXT: &str = "diff.md";

/// How two images differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffReport {
    /// The image to compare with.
    pub old: Overview,
    /// The image to describe.
    pub new: Overview,
    /// The packages that differ: by kind, environment and name.
    pub changes: Vec<Change>,
}

/// An image as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// What the user calls it.
    pub image: String,
    /// The image that it is built on, as its inventory names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Its distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// How many bytes its files have.
    pub bytes: u64,
    /// How many packages it has.
    pub packages: usize,
    /// What could not be read of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Where a package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageKind {
    /// A channel.
    Conda,
    /// PyPI, or another place that pip knows.
    Pypi,
    /// The distribution of the base image.
    System,
}

/// A package that only one image has, or that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Where it comes from.
    pub kind: PackageKind,
    /// The environment that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Its name.
    pub name: String,
    /// How the old image has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Details>,
    /// How the new image has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Details>,
}

/// A package as an image has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// Its version.
    pub version: String,
    /// Its build string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Its channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Its licence, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The hash of its archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How many bytes its files have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}
