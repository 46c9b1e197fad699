//! What the solve step is asked, and what it answers.
//!
//! The question is part of the step's cache key: it holds what decides the answer and nothing else, no lines and no
//! file names, so that a comment in env.yml or another order of its keys does not solve again. The answer holds no
//! secret: channels are named without credentials.

use crate::account::Libc;
use serde::{Deserialize, Serialize};

use crate::args::StepSpec;
use condafront_model::channel::ChannelPriority;
use condafront_model::redact;

/// The file that the step leaves in its output directory: a list of [`SolvedPackage`], in the order in which they are
/// linked.
pub const PACKAGES_FILE: &str = "packages.json";

/// One solve.
///
/// Arguments: `solve SPEC REPODATA…`, each but the first one JSON value; repodata `n` is a file in `/in/<n>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolveSpec {
    /// The platform to solve for, as conda calls it: `linux-64`.
    pub subdir: String,
    /// The channels, first the one that matters most.
    pub channels: Vec<SolveChannel>,
    /// What the order of channels means.
    pub priority: ChannelPriority,
    /// What is asked for, as MatchSpecs. A channel in one is the address of one of the channels.
    pub specs: Vec<String>,
    /// What the image's machine brings.
    pub system: System,
}

/// A channel as the solve knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolveChannel {
    /// What messages call it.
    pub name: String,
    /// Where it is, without credentials and without a slash at its end.
    pub url: String,
    /// Channels of one group matter equally much, as those that `defaults` stands for do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// What stands behind the virtual packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// The C library.
    pub glibc: Glibc,
    /// The build string of `__archspec`: the processor's family as archspec calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archspec: Option<String>,
    /// The version of `__cuda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda: Option<String>,
}

/// Whether there is a glibc, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Glibc {
    /// The base image has this version.
    Base(String),
    /// The base image has musl instead.
    BaseHasMusl,
    /// The base image has no C library.
    BaseHasNone,
    /// `CONDA_OVERRIDE_GLIBC` says this version.
    Override(String),
    /// `CONDA_OVERRIDE_GLIBC` is empty.
    OverrideNone,
}

/// One repodata file of a solve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepodataSpec {
    /// The channel, by its index in [`SolveSpec::channels`].
    pub channel: usize,
    /// Its folder: `linux-64` or `noarch`.
    pub subdir: String,
    /// The file's name: `repodata.json.zst` or `repodata.json`.
    pub file: String,
}

impl SolveSpec {
    /// MatchSpec `index` as a user would write it, with its channel's name.
    pub fn shown(&self, index: usize) -> String {
        let text = &self.specs[index];
        let named = self.channels.iter().find_map(|channel| {
            let rest = text.strip_prefix(&channel.url)?;
            Some(format!("{}{rest}", channel.name))
        });
        redact::masked(&named.unwrap_or_else(|| text.clone()))
    }
}

impl StepSpec for SolveSpec {
    const SUBCOMMAND: &'static str = "solve";
    type Item = RepodataSpec;
}

/// One package that a solve chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolvedPackage {
    /// Name.
    pub name: String,
    /// Version, as its channel writes it.
    pub version: String,
    /// Build string.
    pub build: String,
    /// The folder it is in: `linux-64` or `noarch`.
    pub subdir: String,
    /// The channel it is from, by its index in [`SolveSpec::channels`].
    pub channel: usize,
    /// Where its archive is, without credentials.
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
    /// What it needs, as MatchSpecs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<String>,
    /// The MatchSpec that asks for it or for something that needs it, by its index in [`SolveSpec::specs`].
    pub requested_by: usize,
}

impl From<Libc> for Glibc {
    fn from(libc: Libc) -> Self {
        match libc {
            Libc::Glibc { version } => Self::Base(version),
            Libc::Musl => Self::BaseHasMusl,
            Libc::None => Self::BaseHasNone,
        }
    }
}

impl Glibc {
    /// The version, if there is a glibc.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Base(version) | Self::Override(version) => Some(version),
            Self::BaseHasMusl | Self::BaseHasNone | Self::OverrideNone => None,
        }
    }
}
