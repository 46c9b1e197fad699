//! The step's request and its result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;

/// The step that installs packages of the base image's distribution and a locale.
///
/// Arguments: `system SPEC PACKAGE…`; it changes the base image, which is the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemSpec {
    /// The package manager, if there are packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<Manager>,
    /// The locale for the image: `en_US.UTF-8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl StepSpec for SystemSpec {
    const SUBCOMMAND: &'static str = "system";
    /// A package as the manager's command line takes it.
    type Item = String;
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// Debian's and Ubuntu's.
    Apt,
    /// Alpine's.
    Apk,
    /// Fedora's and its relatives'; includes microdnf and yum.
    Dnf,
}

impl Manager {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Apt, Self::Apk, Self::Dnf];

    /// The key in the image section.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Apk => "apk",
            Self::Dnf => "dnf",
        }
    }

    /// Where the step mounts a cache for it, if it can use that instead of its own directories.
    pub fn cache(self) -> Option<&'static str> {
        match self {
            Self::Apt => Some(APT_CACHE),
            Self::Apk => None,
            Self::Dnf => Some(DNF_CACHE),
        }
    }
}

/// Where apt's lists and archives are while the step runs; no base image has this path.
///
/// A mount below a directory of the base image would leave that directory with a build timestamp.
pub const APT_CACHE: &str = "/.condafront-apt";
/// The cache directory for dnf.
pub const DNF_CACHE: &str = "/.condafront-dnf";

/// Where the step writes its [`SystemFacts`], below the facts mount.
pub const SYSTEM_FACTS_FILE: &str = "system.json";

/// The result of the step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemFacts {
    /// Environment variables that the locale needs to have any effect.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The packages that the base image does not have, or has in another version, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<AddedPackage>,
    /// Which distribution it is, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
}

/// A package of the distribution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedPackage {
    /// Which list has it.
    pub manager: Manager,
    /// Its name.
    pub name: String,
    /// Its version, as the list has it: with an epoch if there is one.
    pub version: String,
    /// `amd64`, `x86_64`, `noarch`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Its licence, if the list has that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What it is built from, if the list says that: a package's name, with the version if that is a different one, or for
    /// rpm the name of the file. Vulnerabilities are known by these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A distribution, by the names of os-release(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `debian`
    pub id: String,
    /// `13`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
