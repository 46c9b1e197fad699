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
    /// What is there.
    pub origin: Origin,
}

/// What is at the URL that the user gave.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A wheel or a source archive.
    File {
        /// Its sha256, in hex.
        sha256: String,
    },
    /// A git repository.
    Repository {
        /// The commit.
        commit: String,
        /// The branch, tag or commit that the user asked for.
        requested: String,
        /// The package's folder in it.
        subdirectory: Option<String>,
    },
}

impl DirectUrl {
    /// The content of `direct_url.json`, as pip writes it: keys in order, with spaces.
    pub fn to_json(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let url = text(&self.url);
        match &self.origin {
            Origin::File { sha256 } => {
                let (hash, hex) = (text(&format!("sha256={sha256}")), text(sha256));
                format!(
                    "{{\"archive_info\": {{\"hash\": {hash}, \"hashes\": {{\"sha256\": {hex}}}}}, \"url\": {url}}}"
                )
            }
            Origin::Repository {
                commit,
                requested,
                subdirectory,
            } => {
                let (commit, requested) = (text(commit), text(requested));
                let folder = subdirectory
                    .as_deref()
                    .map(|folder| format!("\"subdirectory\": {}, ", text(folder)));
                format!(
                    "{{{}\"url\": {url}, \"vcs_info\": {{\"commit_id\": {commit}, \"requested_revision\": {requested}, \"vcs\": \"git\"}}}}",
                    folder.unwrap_or_default()
                )
            }
        }
    }
}

impl StepSpec for WheelsSpec {
    const SUBCOMMAND: &'static str = "wheels";
    type Item = WheelSpec;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_described_as_pip_describes_it() {
        let commit = "33ed4ef1a7c0cf8ea60b40cb5b918741b78a35ad";
        let of = |subdirectory: Option<&str>| DirectUrl {
            url: "https://g.example/demo.git".to_owned(),
            origin: Origin::Repository {
                commit: commit.to_owned(),
                requested: "v1".to_owned(),
                subdirectory: subdirectory.map(str::to_owned),
            },
        };
        // Written by pip 26.3.
        assert_eq!(
            of(Some("python")).to_json(),
            r#"{"subdirectory": "python", "url": "https://g.example/demo.git", "vcs_info": {"commit_id": "33ed4ef1a7c0cf8ea60b40cb5b918741b78a35ad", "requested_revision": "v1", "vcs": "git"}}"#
        );
        assert_eq!(
            of(None).to_json(),
            r#"{"url": "https://g.example/demo.git", "vcs_info": {"commit_id": "33ed4ef1a7c0cf8ea60b40cb5b918741b78a35ad", "requested_revision": "v1", "vcs": "git"}}"#
        );
    }
}
