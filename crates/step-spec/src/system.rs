//! What the step is asked to do, and what it found out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;

/// The step that installs packages of the base's distribution and sees to its locale.
///
/// Arguments: `system SPEC PACKAGE…`; the root is the base image, which is changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemSpec {
    /// Who installs the packages, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<Manager>,
    /// The locale that the image is to have: `en_US.UTF-8`.
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
    /// Fedora's and its relatives', with microdnf and yum.
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

    /// Where the step has a cache mounted for it, if it can be told to use that instead of its own folders.
    pub fn cache(self) -> Option<&'static str> {
        match self {
            Self::Apt => Some(APT_CACHE),
            Self::Apk => None,
            Self::Dnf => Some(DNF_CACHE),
        }
    }
}

/// Where apt's lists and archives are while the step runs, named so that no base image has it.
///
/// A mount below a folder of the base's would leave that folder with the time of the build.
pub const APT_CACHE: &str = "/.condafront-apt";
/// The same for dnf.
pub const DNF_CACHE: &str = "/.condafront-dnf";

/// Where the step writes its [`SystemFacts`], below the facts mount.
pub const SYSTEM_FACTS_FILE: &str = "system.json";

/// What the step found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemFacts {
    /// Variables without which the locale has no effect.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}
