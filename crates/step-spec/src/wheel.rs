//! The arguments of the step that links wheels.

use serde::{Deserialize, Serialize};

use crate::args::StepSpec;
use crate::install::{PythonSpec, is_zero};
use condafront_model::stamp::Ownership;

/// One install step: wheels linked into one layer. It writes the same facts as an install step of conda packages.
///
/// Arguments: `wheels SPEC WHEEL…`; each but the first is one JSON value, and wheel `n` is mounted at `/in/<n>`. Of two
/// wheels with a file at the same path, the later one's is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelsSpec {
    /// Where the environment will be in the image, `/opt/conda`.
    pub prefix: String,
    /// Owner of everything below the prefix.
    pub uid: u32,
    /// Group of everything below the prefix.
    pub gid: u32,
    /// Whether that group may write.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_writable: bool,
    /// The environment's python.
    pub python: PythonSpec,
    /// How many layers, in addition to the first, the wheels' files are spread over, as in [`InstallSpec`](crate::install::InstallSpec).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub further_parts: u16,
}

impl WheelsSpec {
    /// Whom everything below the prefix belongs to.
    pub fn ownership(&self) -> Ownership {
        Ownership::new(self.uid, self.gid, self.group_writable)
    }
}

/// One wheel of a step. Its content is already verified.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelSpec {
    /// The package's name in messages, `requests 2.32.3`.
    pub label: String,
    /// The file's name inside its mount directory.
    pub file: String,
    /// Whether the user asks for it, so that it is not only what another package needs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requested: bool,
    /// Where it comes from, if the user asks for it by its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<DirectUrl>,
}

/// What a package's `direct_url.json` says
/// (<https://packaging.python.org/en/latest/specifications/direct-url/>).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectUrl {
    /// The URL, without credentials.
    pub url: String,
    /// The file's sha256, in hex.
    pub sha256: String,
}

impl StepSpec for WheelsSpec {
    const SUBCOMMAND: &'static str = "wheels";
    type Item = WheelSpec;
}
