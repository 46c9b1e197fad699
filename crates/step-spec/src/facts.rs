//! What steps found: small files for later steps and the frontend.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The facts of one group, or of all groups (`collect`), as JSON.
pub const FACTS_FILE: &str = "facts.json";
/// The paths that each package of a group owns, see [`OwnedPaths`].
pub const PATHS_FILE: &str = "paths.txt";

/// What an install step reports about its group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupFacts {
    /// The group's packages, in the order of the step's arguments.
    pub packages: Vec<PackageFacts>,
    /// The variables of each `etc/conda/env_vars.d/*.json`, by file name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_vars: BTreeMap<String, BTreeMap<String, String>>,
    /// What the user should know although nothing failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// Something that the user should know although nothing failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub subject: Subject,
    /// The package concerned, as an index into the facts' `packages`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<usize>,
    /// What to tell the user.
    pub message: String,
}

/// What a [`Notice`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Bytecode that was not compiled.
    Bytecode,
    /// Something in a package that does not have its intended effect.
    Contents,
}

impl Notice {
    /// A notice about no package in particular.
    pub fn new(subject: Subject, message: impl Into<String>) -> Self {
        Notice {
            subject,
            package: None,
            message: message.into(),
        }
    }

    /// The same notice about the package at `index` of the facts' `packages`.
    #[must_use]
    pub fn of_package(mut self, index: usize) -> Self {
        self.package = Some(index);
        self
    }
}

/// The part of a package's own metadata that later stages need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFacts {
    /// Package name.
    pub name: String,
    /// Package version.
    pub version: String,
    /// Build string.
    pub build: String,
    /// Build number.
    pub build_number: u64,
    /// Subdir, `linux-64` or `noarch`.
    pub subdir: String,
    /// `python` or `generic`; absent for a package of one platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noarch: Option<String>,
    /// The licence as the package states it, usually an SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// sha256 of the archive, in hex.
    pub sha256: String,
    /// md5 of the archive, in hex.
    pub md5: String,
    /// Size of the archive in bytes.
    pub size: u64,
    /// Whether it has a post-link script for Unix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub post_link: bool,
    /// Its shell scripts in `etc/conda/activate.d`, relative to the prefix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activate_d: Vec<String>,
    /// The versions of glibc that it runs with, `>=2.17,<3.0.a0`; an empty string for any; absent if it needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<String>,
}

/// What `collect` reports about the whole environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFacts {
    /// All packages in lock order.
    pub packages: Vec<PackageFacts>,
    /// The variables of `etc/conda/env_vars.d`, merged as conda does: files sorted by name, a
    /// later file wins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_vars: BTreeMap<String, String>,
    /// All activation scripts, relative to the prefix, in the order in which conda sources them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activate_d: Vec<String>,
    /// The packages with a post-link script, as indices into `packages`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_link: Vec<usize>,
    /// Paths that packages of different groups have with different contents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clashes: Vec<Clash>,
    /// What the user should know although nothing failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// One path that several groups have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// Relative to the prefix.
    pub path: String,
    /// The group whose file a single install would leave: that of the last package in the lock.
    pub winner: usize,
}

/// The paths below the prefix that one package owns, each with a fingerprint of what is there:
/// equal fingerprints mean equal kind, mode and content.
pub type OwnedPaths = BTreeMap<String, String>;

/// Writes [`PATHS_FILE`]: per package a line `# <n>`, then a line `<fingerprint> <path>` per path.
pub fn write_owned_paths(packages: &[OwnedPaths]) -> String {
    let mut text = String::new();
    for (index, paths) in packages.iter().enumerate() {
        text.push_str(&format!("# {index}\n"));
        for (path, fingerprint) in paths {
            text.push_str(&format!("{fingerprint} {path}\n"));
        }
    }
    text
}

/// Reads what [`write_owned_paths`] wrote; `None` if `text` does not have that form.
pub fn read_owned_paths(text: &str) -> Option<Vec<OwnedPaths>> {
    let mut packages: Vec<OwnedPaths> = Vec::new();
    for line in text.lines() {
        let (first, rest) = line.split_once(' ')?;
        if first == "#" {
            if rest.parse() != Ok(packages.len()) {
                return None;
            }
            packages.push(OwnedPaths::new());
        } else {
            packages
                .last_mut()?
                .insert(rest.to_owned(), first.to_owned());
        }
    }
    Some(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_paths_are_read_back() {
        let packages = vec![
            OwnedPaths::from([
                ("bin/a b".into(), "01".into()),
                ("lib/x".into(), "02".into()),
            ]),
            OwnedPaths::new(),
            OwnedPaths::from([("bin/a".into(), "03".into())]),
        ];
        assert_eq!(
            read_owned_paths(&write_owned_paths(&packages)),
            Some(packages)
        );
        assert_eq!(read_owned_paths(""), Some(Vec::new()));
    }

    #[test]
    fn a_damaged_list_is_noticed() {
        for text in ["01 bin/a\n", "# 1\n", "# 0\nnospace\n"] {
            assert_eq!(read_owned_paths(text), None, "{text}");
        }
    }
}
