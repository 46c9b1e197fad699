//! The arguments of the steps that load from repositories besides BuildKit.

use serde::{Deserialize, Serialize};

use crate::args::{NoItem, StepSpec};

/// The step that loads all commits, branches and tags of a repository of which BuildKit gives the latest commit alone. No
/// code of the repository runs in it: it has the secrets with which git logs in.
///
/// Arguments: `git-history SPEC`; the root is the image so far, which has git. The clone is in `/out`, and stays there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistorySpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// The package's name in messages.
    pub label: String,
    /// The repository's URL, without credentials.
    pub url: String,
}

impl StepSpec for HistorySpec {
    const SUBCOMMAND: &'static str = "git-history";
    type Item = NoItem;
}

/// The step that finds the commit whose name starts with some letters. No code of the repository runs in it, either.
///
/// Arguments: `git-commit SPEC`; the root is the image so far. A [`FoundCommit`] goes to [`GIT_COMMIT_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// The package's name in messages.
    pub label: String,
    /// The repository's URL, without credentials.
    pub url: String,
    /// The beginning of the commit's name.
    pub reference: String,
}

impl StepSpec for CommitSpec {
    const SUBCOMMAND: &'static str = "git-commit";
    type Item = NoItem;
}

/// What `git-commit` finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundCommit {
    /// The whole name of the commit.
    Whole(String),
    /// A branch or tag of that name.
    BranchOrTag,
    /// Nothing: the root has no git.
    NoGit,
}

/// Where `git-commit` writes what it finds, below the facts mount.
pub const GIT_COMMIT_FILE: &str = "git-commit.json";

/// A secret with which git logs in over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GitSecret {
    /// The variable of the step that has it.
    pub variable: &'static str,
    /// Whether it is a token, and not a whole header.
    pub is_token: bool,
    /// Its name, without the server's.
    name: &'static str,
    /// Whether it is for one server alone.
    is_of_server: bool,
}

impl GitSecret {
    /// Its name, for the repository at `url`: `GIT_AUTH_TOKEN.git.example`.
    pub fn id(&self, url: &str) -> String {
        let name = self.name;
        if self.is_of_server {
            format!("{name}.{}", server(url))
        } else {
            name.to_owned()
        }
    }
}

/// The secrets under BuildKit's own names, the first one that there is being the one that counts (`authSecretNames` in its
/// `source/git/source.go`).
pub const GIT_SECRETS: [GitSecret; 4] = [
    GitSecret {
        variable: "GIT_AUTH_HEADER_OF_SERVER",
        is_token: false,
        name: "GIT_AUTH_HEADER",
        is_of_server: true,
    },
    GitSecret {
        variable: "GIT_AUTH_TOKEN_OF_SERVER",
        is_token: true,
        name: "GIT_AUTH_TOKEN",
        is_of_server: true,
    },
    GitSecret {
        variable: "GIT_AUTH_HEADER",
        is_token: false,
        name: "GIT_AUTH_HEADER",
        is_of_server: false,
    },
    GitSecret {
        variable: "GIT_AUTH_TOKEN",
        is_token: true,
        name: "GIT_AUTH_TOKEN",
        is_of_server: false,
    },
];

/// The server of a URL, with the port if the URL names one: BuildKit takes it as it is written.
fn server(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
    server.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_the_names_of_buildkit_in_its_order() {
        let ids = |url: &str| GIT_SECRETS.map(|secret| secret.id(url)).join(" ");
        assert_eq!(
            ids("https://me@git.example:8443/team/demo.git"),
            "GIT_AUTH_HEADER.git.example:8443 GIT_AUTH_TOKEN.git.example:8443 GIT_AUTH_HEADER GIT_AUTH_TOKEN"
        );
        assert_eq!(
            ids("https://git.example"),
            "GIT_AUTH_HEADER.git.example GIT_AUTH_TOKEN.git.example GIT_AUTH_HEADER GIT_AUTH_TOKEN"
        );
    }
}
