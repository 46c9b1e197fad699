//! PyPI packages that a lock names by a git repository and a commit: `git+URL?rev=NAME&subdirectory=FOLDER#COMMIT`, as pixi
//! writes them, or `git+URL@COMMIT#subdirectory=FOLDER`, as pip does.

use url::{Url, form_urlencoded};

use super::Locked;
use super::skip::or_skip;
use crate::context_path::joined;
use crate::environment_input::RepositoryPip;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// Whether a text is the whole name of a commit.
pub(crate) fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What stands before the name of a branch, which says nothing about a version, unlike that of a tag.
pub(crate) const BRANCH: &str = "refs/heads/";

/// Whether `url` has more than the name of an account, as in `ssh://me@…`, or `git`, which is everybody's name on git servers.
pub(crate) fn has_secret(url: &Url) -> bool {
    let is_account = url.scheme() == "ssh" || ["", "git"].contains(&url.username());
    url.password().is_some() || !is_account
}

/// What a lock says of a repository.
#[derive(Debug, PartialEq, Eq)]
struct AtCommit {
    url: Url,
    commit: String,
    found_by: Option<String>,
    /// As it is written.
    subdir: Option<String>,
    needs_lfs: bool,
}

impl AtCommit {
    /// The repository at `address`; `None` if it is not a git repository on a server, or its commit is not certain.
    fn at(address: &str) -> Option<Self> {
        let mut url = Url::parse(address.strip_prefix("git+")?).ok()?;
        if !["https", "http", "ssh", "git"].contains(&url.scheme()) || !url.has_host() {
            return None;
        }
        let mut found_by = None;
        let mut subdir = None;
        let mut needs_lfs = false;
        let fragment = url.fragment().unwrap_or_default().to_owned();
        let query = url.query().unwrap_or_default().to_owned();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "rev" | "tag" => found_by = Some(value.into_owned()),
                "branch" => found_by = Some(format!("{BRANCH}{value}")),
                "subdirectory" => subdir = Some(value.into_owned()),
                "lfs" => needs_lfs = value == "true",
                _ => {}
            }
        }
        for (name, value) in form_urlencoded::parse(fragment.as_bytes()) {
            if name == "subdirectory" {
                subdir = Some(value.into_owned());
            }
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path().to_owned();
        let of_path = path.rsplit_once('@');
        if let Some((path, _)) = of_path {
            url.set_path(path);
        }
        let of_path = of_path.map(|(_, reference)| reference.to_owned());
        let commit = if is_commit(&fragment) {
            found_by = found_by.or(of_path);
            fragment
        } else {
            of_path.filter(|reference| is_commit(reference))?
        };
        Some(Self {
            url,
            commit,
            found_by,
            subdir,
            needs_lfs,
        })
    }
}

impl Locked<'_> {
    /// Adds the PyPI package that is in the repository at `written`. Whether it is one of git with a certain commit.
    ///
    /// # Errors
    /// A diagnostic at `lines` if its URL has credentials, or if it cannot be loaded.
    pub(crate) fn add_repository(
        &mut self,
        name: &str,
        written: &str,
        lines: Lines,
    ) -> Result<bool, Diagnostic> {
        let Some(found) = AtCommit::at(written) else {
            return Ok(false);
        };
        if has_secret(&found.url) {
            let message = format!("the URL of {name}'s repository has credentials");
            let error = Diagnostic::new(message).at(self.file, lines);
            let error =
                error.help("Remove them, and pass --secret id=GIT_AUTH_TOKEN,env=… to the build.");
            return Err(or_skip(error, name));
        }
        let refused = |message: String, help: &str| {
            let error = Diagnostic::new(message).at(self.file, lines).help(help);
            or_skip(error, name).settled()
        };
        // BuildKit's git source loads no files of Git LFS.
        if found.needs_lfs {
            return Err(refused(
                format!("the repository of {name} needs Git LFS, which a build does not load"),
                "Lock a release of the package instead.",
            ));
        }
        let subdir = match &found.subdir {
            Some(folder) => Some(joined("", folder).ok_or_else(|| {
                refused(
                    format!("`{}` is outside the repository of {name}", quoted(folder)),
                    "Give the path from the root of the repository.",
                )
            })?),
            None => None,
        };
        self.repositories.push(RepositoryPip {
            name: name.to_owned(),
            url: found.url.into(),
            commit: found.commit,
            found_by: found.found_by,
            subdir: subdir.filter(|folder| !folder.is_empty()),
            lines,
        });
        Ok(true)
    }

    /// Keeps one of several entries for the same repository, and refuses different packages of the same name.
    pub(super) fn deduplicate_repositories(
        &mut self,
        repeats: super::Repeats,
    ) -> Result<(), Diagnostic> {
        let mut kept: Vec<RepositoryPip> = Vec::with_capacity(self.repositories.len());
        for package in std::mem::take(&mut self.repositories) {
            let is_its = |name: &str| normalized(name) == normalized(&package.name);
            let mut others = self.pip.iter().map(|one| (&one.name, one.lines));
            let mut local = self.local.iter().map(|one| (&one.name, one.lines));
            let other = others
                .find(|(name, _)| is_its(name))
                .or_else(|| local.find(|(name, _)| is_its(name)));
            let first = kept.iter().find(|one| is_its(&one.name));
            let is_same = |one: &RepositoryPip| {
                (&one.url, &one.commit, &one.subdir)
                    == (&package.url, &package.commit, &package.subdir)
            };
            match (other, first) {
                (None, None) => kept.push(package),
                (None, Some(first)) if is_same(first) => {
                    self.repeated(repeats, &package.name, package.lines);
                }
                (Some((_, lines)), _) => {
                    return Err(self.two_files(&package.name, lines, package.lines));
                }
                (None, Some(first)) => {
                    return Err(self.two_files(&package.name, first.lines, package.lines));
                }
            }
        }
        self.repositories = kept;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_no_secret() {
        for (url, expected) in [
            ("https://g.example/a", false),
            ("https://git@g.example/a", false),
            ("ssh://git@g.example/a", false),
            ("ssh://me@g.example/a", false),
            ("https://hunter2@g.example/a", true),
            ("https://git:hunter2@g.example/a", true),
            ("ssh://git:hunter2@g.example/a", true),
        ] {
            assert_eq!(has_secret(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn repositories_have_a_certain_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (address, url, found_by, subdir) in [
            (
                "git+https://g.example/a.git#COMMIT",
                "https://g.example/a.git",
                None,
                None,
            ),
            (
                "git+https://g.example/a?rev=v1.0#COMMIT",
                "https://g.example/a",
                Some("v1.0"),
                None,
            ),
            (
                "git+https://g.example/a?subdirectory=libs%2Fx&rev=feature%2Fy#COMMIT",
                "https://g.example/a",
                Some("feature/y"),
                Some("libs/x"),
            ),
            (
                "git+ssh://git@g.example/a.git?branch=main#COMMIT",
                "ssh://git@g.example/a.git",
                Some("refs/heads/main"),
                None,
            ),
            (
                "git+https://g.example/a@COMMIT#egg=a&subdirectory=x",
                "https://g.example/a",
                None,
                Some("x"),
            ),
            (
                "git+https://g.example/a@v2#COMMIT",
                "https://g.example/a",
                Some("v2"),
                None,
            ),
        ] {
            let found = AtCommit::at(&address.replace("COMMIT", commit));
            let found = found.unwrap_or_else(|| panic!("{address}"));
            assert_eq!(found.url.as_str(), url);
            assert_eq!(found.commit, commit);
            assert_eq!(found.found_by.as_deref(), found_by);
            assert_eq!(found.subdir.as_deref(), subdir);
        }
        let lfs = format!("git+https://g.example/a?lfs=true&rev=v1#{commit}");
        assert!(AtCommit::at(&lfs).unwrap().needs_lfs);
        for address in [
            "git+https://g.example/a",
            "git+https://g.example/a@main",
            "git+https://g.example/a?rev=v1#0123",
            "git+file:///home/me/a#COMMIT",
            "hg+https://g.example/a@COMMIT",
            "https://g.example/a.whl",
            "git+COMMIT",
        ] {
            assert_eq!(
                AtCommit::at(&address.replace("COMMIT", commit)),
                None,
                "{address}"
            );
        }
    }
}
