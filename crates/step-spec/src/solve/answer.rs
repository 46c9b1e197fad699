//! What a solve answers.

use serde::{Deserialize, Serialize};

/// A package in the solution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolvedPackage {
    /// Name.
    pub name: String,
    /// Version, as its channel writes it.
    pub version: String,
    /// Build string.
    pub build: String,
    /// Its subdir: `linux-64` or `noarch`.
    pub subdir: String,
    /// Its channel, as an index into [`SolveSpec::channels`](super::SolveSpec::channels).
    pub channel: usize,
    /// The archive's URL, without credentials.
    pub url: String,
    /// The archive's SHA-256 in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The archive's MD5 in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// The archive's size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Its dependencies, as MatchSpecs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<String>,
    /// The MatchSpec that asks for it, or for a package that needs it, as an index into [`SolveSpec::specs`](super::SolveSpec::specs).
    pub requested_by: usize,
    /// What else a lock says about it.
    #[serde(default, skip_serializing_if = "Details::is_default")]
    pub details: Details,
}

/// What a lock says about a package that an image does not need, as in repodata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Details {
    /// The build number.
    pub build_number: u64,
    /// What packages may not be beside it, as MatchSpecs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constrains: Vec<String>,
    /// The family of its licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_family: Option<String>,
    /// How it is independent of the platform: `python` or `generic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noarch: Option<String>,
    /// Where a python has its packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python_site_packages_path: Option<String>,
    /// When it was built, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// What makes the solver avoid it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub track_features: Vec<String>,
}

impl Details {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
