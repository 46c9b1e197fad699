//! What steps found: small files for later steps and the frontend.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The facts of one group, or of all groups (`collect`), as JSON.
pub const FACTS_FILE: &str = "facts.json";
/// What each package of a group has at which path, see [`PackagePaths`].
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
    /// Files of a package in place of another one's.
    Overwritten,
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
    /// The Python distributions in it, as their own metadata names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<Distribution>,
    /// The normalized names of the Python distributions in it, from the names of their metadata.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub distributions: BTreeSet<String>,
    /// What their metadata says about what they need, by the metadata's path relative to the prefix. Metadata of an old kind
    /// is missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The names of the packages that it depends on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub depends: BTreeSet<String>,
    /// Whether it has modules that run whenever python starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starts_with_python: bool,
    /// The versions of python that a wheel says it runs with: `>=3.9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
}

/// A Python distribution, as its core metadata names it
/// (<https://packaging.python.org/en/latest/specifications/core-metadata/>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// Its name, as it is written there.
    pub name: String,
    /// Its version.
    pub version: String,
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
    /// Paths that must be taken from one group's layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clashes: Vec<Clash>,
    /// What the user should know although nothing failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// Where `post-link` writes its [`PostLinkFacts`], below the facts mount.
pub const POST_LINK_FACTS_FILE: &str = "post-link.json";

/// What `post-link` reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostLinkFacts {
    /// What the user should know although nothing failed; packages are indices into the step's packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// A path that must be taken from one group's layer, because stacked layers do not show what a single install leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// Relative to the prefix.
    pub path: String,
    /// The group whose file, link or directory it is.
    pub winner: usize,
    /// Where that group's layer has it, if another group's link leads elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Whether the file must be empty: bytecode whose source another package replaces.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_empty: bool,
}

/// What one package has below the prefix, by the path that its own metadata says.
pub type PackagePaths = BTreeMap<String, PathFacts>;

/// What a package has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathFacts {
    /// A directory that the package lists by itself.
    Directory,
    /// A file or symlink.
    File {
        /// What it looks like.
        fingerprint: Fingerprint,
        /// The target of a symlink.
        link: Option<String>,
    },
}

/// What a file or symlink looks like, in one word: equal for equal kind, content, mode and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// What separates the content from the rest.
    const SEPARATOR: char = '.';

    /// `content` is a hash of kind and content, without dots and spaces.
    pub fn new(content: &str, mode: Option<u32>, mtime: i64) -> Self {
        let mode = mode.unwrap_or_default();
        let dot = Self::SEPARATOR;
        Self(format!("{content}{dot}{mode:o}{dot}{mtime}"))
    }

    /// Equal for equal kind and content.
    pub fn content(&self) -> &str {
        let end = self.0.find(Self::SEPARATOR);
        &self.0[..end.unwrap_or(self.0.len())]
    }
}

/// The fingerprint that is used for a directory.
const DIRECTORY: &str = "dir";

/// Writes [`PATHS_FILE`]: per package a line `# <n>`, then a line `<fingerprint> <path>` per path. The target of a symlink
/// follows after a tab, which no path of a package contains.
pub fn write_paths(packages: &[PackagePaths]) -> String {
    let mut text = String::new();
    for (index, paths) in packages.iter().enumerate() {
        text.push_str(&format!("# {index}\n"));
        for (path, found) in paths {
            let parts = match found {
                PathFacts::Directory => [DIRECTORY, " ", path, "", ""],
                PathFacts::File {
                    fingerprint: Fingerprint(word),
                    link,
                } => match link {
                    None => [word, " ", path, "", ""],
                    Some(target) => [word, " ", path, "\t", target],
                },
            };
            text.extend(parts);
            text.push('\n');
        }
    }
    text
}

/// Reads what [`write_paths`] wrote; `None` if `text` does not have that form.
pub fn read_paths(text: &str) -> Option<Vec<PackagePaths>> {
    let mut packages: Vec<PackagePaths> = Vec::new();
    for line in text.lines() {
        let (first, rest) = line.split_once(' ')?;
        if first == "#" {
            if rest.parse() != Ok(packages.len()) {
                return None;
            }
            packages.push(PackagePaths::new());
            continue;
        }
        let (path, link) = match rest.split_once('\t') {
            Some((path, target)) => (path, Some(target.to_owned())),
            None => (rest, None),
        };
        let found = match first {
            DIRECTORY => PathFacts::Directory,
            word => PathFacts::File {
                fingerprint: Fingerprint(word.to_owned()),
                link,
            },
        };
        packages.last_mut()?.insert(path.to_owned(), found);
    }
    Some(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_back() {
        let file = |content: &str, link: Option<&str>| PathFacts::File {
            fingerprint: Fingerprint::new(content, link.is_none().then_some(0o644), 7),
            link: link.map(str::to_owned),
        };
        let packages = vec![
            PackagePaths::from([
                ("bin/a b".into(), file("01", None)),
                ("lib/x".into(), file("02", Some("a -> b"))),
                ("share/empty".into(), PathFacts::Directory),
            ]),
            PackagePaths::new(),
            PackagePaths::from([("bin/a".into(), file("03", None))]),
        ];
        assert_eq!(read_paths(&write_paths(&packages)), Some(packages));
        assert_eq!(read_paths(""), Some(Vec::new()));
    }

    #[test]
    fn contents_are_compared_without_mode_and_time() {
        let (one, other) = (
            Fingerprint::new("01", Some(0o644), 7),
            Fingerprint::new("01", Some(0o755), 8),
        );
        assert_ne!(one, other);
        assert_eq!(one.content(), other.content());
    }

    #[test]
    fn a_damaged_list_is_noticed() {
        for text in ["01 bin/a\n", "# 1\n", "# 0\nnospace\n"] {
            assert_eq!(read_paths(text), None, "{text}");
        }
    }
}
