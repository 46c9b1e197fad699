//! Git repositories as build contexts: which URLs name one, and their parts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use buildkit_llb::{OpOptions, Output};

use condafront_graph::git::{is_scp_like, repository};
use condafront_input::options::{Options, parse_bool};
use condafront_model::redact;

/// A repository, and the part of it to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GitContext {
    /// The URL to clone.
    pub remote: String,
    /// Branch, tag or commit; the default branch if there is none.
    pub reference: Option<String>,
    /// The folder in it.
    pub subdir: Option<String>,
    /// The commit that the reference must be at, or its beginning.
    pub commit: Option<String>,
    /// How it is fetched and checked out.
    pub checkout: BTreeSet<Checkout>,
}

/// A difference from how BuildKit usually fetches and checks out a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Checkout {
    /// `.git` stays in the context.
    KeepGitDir,
    /// Submodules are left out.
    SkipSubmodules,
    /// Files have the time of the commit.
    CommitTimes,
    /// The commit is fetched without looking up the reference.
    FetchByCommit,
}

/// Why the query of a repository's URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GitUrlError {
    /// A key that Docker does not know.
    UnknownKey(String),
    /// A key without a value.
    NoValue(String),
    /// A key that is given more than once.
    Repeated(String),
    /// A value that does not belong to the key, and what does.
    WrongValue(String, &'static str),
    /// Two different branches, tags or commits.
    TwoReferences(String, String),
    /// Two different folders.
    TwoFolders(String, String),
}

impl fmt::Display for GitUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(key) => write!(
                f,
                "Docker does not know `{key}` in the query of a repository's URL"
            ),
            Self::NoValue(key) => write!(f, "`{key}` has no value"),
            Self::Repeated(key) => write!(f, "`{key}` is given twice"),
            Self::WrongValue(key, values) => write!(f, "`{key}` must be {values}"),
            Self::TwoReferences(a, b) => write!(f, "it names both `{a}` and `{b}`"),
            Self::TwoFolders(a, b) => write!(f, "it names two folders, `{a}` and `{b}`"),
        }
    }
}

impl std::error::Error for GitUrlError {}

impl GitUrlError {
    /// What to do about it.
    pub(crate) const HELP: &'static str = "Write <url>.git#<branch, tag or commit>:<folder>, or <url>.git?branch=…, with tag, ref, commit, subdir, keep-git-dir, submodules, mtime or fetch-by-commit.";
}

impl GitContext {
    /// Reads what `docker build` takes as a git context; `None` if it is something else
    /// (`frontend/dockerui/context.go`, `frontend/dockerfile/dfgitutil/git_ref.go`): `git://`, `ssh://`, `git@host:path`,
    /// `github.com/…`, and http(s) URLs whose path ends in `.git`; then `#reference:folder`, or a query.
    ///
    /// # Errors
    /// When the query is not one that Docker takes.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, GitUrlError> {
        let (text, fragment) = match text.split_once('#') {
            Some((text, fragment)) => (text, Some(fragment)),
            None => (text, None),
        };
        let (address, query) = match text.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (text, None),
        };
        let is_web = address.starts_with("https://") || address.starts_with("http://");
        let remote = if address.starts_with("github.com/") {
            format!("https://{address}")
        } else if address.starts_with("git://")
            || address.starts_with("ssh://")
            || is_scp_like(address)
            || (is_web && address.ends_with(".git"))
        {
            address.to_owned()
        } else {
            return Ok(None);
        };
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut context = Self {
            remote,
            ..Self::default()
        };
        if let Some(fragment) = fragment {
            let (reference, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
            context.reference = some(reference);
            context.subdir = some(subdir.trim_matches('/'));
        }
        context.read_query(query.unwrap_or_default())?;
        Ok(Some(context))
    }

    fn read_query(&mut self, query: &str) -> Result<(), GitUrlError> {
        let mut values = BTreeMap::new();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if values.insert(key.to_string(), value.into_owned()).is_some() {
                return Err(GitUrlError::Repeated(key.into_owned()));
            }
        }
        for (key, value) in values {
            let switch = || match &*value {
                "" => Ok(true),
                value => parse_bool(value)
                    .ok_or_else(|| GitUrlError::WrongValue(key.clone(), "true or false")),
            };
            match &*key {
                "keep-git-dir" => self.check_out(Checkout::KeepGitDir, switch()?),
                "submodules" => self.check_out(Checkout::SkipSubmodules, !switch()?),
                "fetch-by-commit" => self.check_out(Checkout::FetchByCommit, switch()?),
                "ref" | "tag" | "branch" | "subdir" | "checksum" | "commit" | "mtime"
                    if value.is_empty() =>
                {
                    return Err(GitUrlError::NoValue(key));
                }
                "ref" => self.refer(value)?,
                "tag" => self.refer(below("refs/tags/", value))?,
                "branch" => self.refer(below("refs/heads/", value))?,
                "subdir" => {
                    let subdir = value.trim_matches('/').to_owned();
                    match &self.subdir {
                        Some(other) if *other != subdir => {
                            return Err(GitUrlError::TwoFolders(other.clone(), subdir));
                        }
                        _ => self.subdir = Some(subdir).filter(|subdir| !subdir.is_empty()),
                    }
                }
                "checksum" | "commit" if is_hexadecimal(&value) => self.commit = Some(value),
                "checksum" | "commit" => {
                    return Err(GitUrlError::WrongValue(
                        key,
                        "a commit, in hexadecimal digits",
                    ));
                }
                "mtime" if matches!(&*value, "checkout" | "commit") => {
                    self.check_out(Checkout::CommitTimes, value == "commit");
                }
                "mtime" => return Err(GitUrlError::WrongValue(key, "checkout or commit")),
                _ => return Err(GitUrlError::UnknownKey(key)),
            }
        }
        // A server lets a whole commit be fetched, but not one that is abbreviated.
        if self.reference.is_none() {
            let whole = self
                .commit
                .as_ref()
                .filter(|it| matches!(it.len(), 40 | 64));
            self.reference = whole.cloned();
        }
        Ok(())
    }

    fn check_out(&mut self, how: Checkout, is_wanted: bool) {
        if is_wanted {
            self.checkout.insert(how);
        }
    }

    /// Chooses the branch, tag or commit.
    fn refer(&mut self, reference: String) -> Result<(), GitUrlError> {
        match &self.reference {
            Some(other) if *other != reference => {
                Err(GitUrlError::TwoReferences(other.clone(), reference))
            }
            _ => {
                self.reference = Some(reference);
                Ok(())
            }
        }
    }
}

/// The full name of a reference that may be given without its kind.
fn below(kind: &str, name: String) -> String {
    if name.starts_with(kind) {
        return name;
    }
    format!("{kind}{name}")
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A repository as a source.
pub(super) fn git_source(context: &GitContext, options: &Options) -> Output {
    let mut git = repository(&context.remote, context.reference.as_deref());
    let kept = options.get("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR");
    let mut checkout = context.checkout.clone();
    if kept.and_then(parse_bool) == Some(true) {
        checkout.insert(Checkout::KeepGitDir);
    }
    for how in checkout {
        match how {
            Checkout::KeepGitDir => git.keep_git_dir(),
            Checkout::SkipSubmodules => git.skip_submodules(),
            Checkout::CommitTimes => git.commit_times(),
            Checkout::FetchByCommit => git.fetch_by_commit(),
        };
    }
    if let Some(commit) = &context.commit {
        git.checksum(commit);
    }
    let shown = redact::masked(&context.remote);
    git.name(format!("[internal] load git source {shown}"))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_docker_takes() {
        for (text, remote, reference, subdir) in [
            ("https://h/r.git", "https://h/r.git", None, None),
            (
                "https://h/r.git#v1:sub/dir",
                "https://h/r.git",
                Some("v1"),
                Some("sub/dir"),
            ),
            (
                "https://h/r.git?ref=v1&subdir=x",
                "https://h/r.git",
                Some("v1"),
                Some("x"),
            ),
            (
                "https://h/r.git?branch=a/b",
                "https://h/r.git",
                Some("refs/heads/a/b"),
                None,
            ),
            (
                "ssh://git@h/r?tag=refs/tags/v1#:x",
                "ssh://git@h/r",
                Some("refs/tags/v1"),
                Some("x"),
            ),
            ("git@h:o/r.git#:sub", "git@h:o/r.git", None, Some("sub")),
            ("git://h/r#main", "git://h/r", Some("main"), None),
            ("github.com/o/r", "https://github.com/o/r", None, None),
        ] {
            let context = GitContext::parse(text).unwrap().unwrap();
            assert_eq!(context.remote, remote);
            assert_eq!(context.reference.as_deref(), reference);
            assert_eq!(context.subdir.as_deref(), subdir);
        }
    }

    #[test]
    fn other_contexts_are_not_git() {
        for text in [
            ".",
            "https://h/env.yml",
            "https://h/context.tar.gz",
            "some/dir",
            "input:x",
        ] {
            assert_eq!(GitContext::parse(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn everything_in_a_query_counts() {
        let parse = |query: &str| GitContext::parse(&format!("https://h/r.git?{query}")).unwrap();
        let whole = "0123456789abcdef0123456789abcdef01234567";
        let context = parse(&format!("commit={whole}")).unwrap();
        assert_eq!(context.commit.as_deref(), Some(whole));
        assert_eq!(context.reference.as_deref(), Some(whole));
        let context = parse("checksum=0123456&keep-git-dir&submodules=f&mtime=commit").unwrap();
        assert_eq!(context.commit.as_deref(), Some("0123456"));
        assert_eq!(context.reference, None);
        let all = [
            Checkout::KeepGitDir,
            Checkout::SkipSubmodules,
            Checkout::CommitTimes,
        ];
        assert!(context.checkout.iter().eq(&all), "{context:?}");
        let context = parse(&format!("ref=main&commit={whole}&fetch-by-commit=1")).unwrap();
        assert_eq!(context.reference.as_deref(), Some("main"));
        assert!(context.checkout.iter().eq([&Checkout::FetchByCommit]));
        let context = parse("submodules&keep-git-dir=false&mtime=checkout").unwrap();
        assert!(context.checkout.is_empty(), "{context:?}");
    }

    #[test]
    fn queries_that_docker_refuses() {
        let errors: Vec<String> = [
            "?version=1",
            "?ref",
            "?subdir=",
            "?ref=a&ref=a",
            "?ref=a#b",
            "?tag=a&branch=a",
            "?subdir=a#:b",
            "?commit=main",
            "?submodules=some",
            "?mtime=now",
        ]
        .into_iter()
        .map(|query| {
            let error = GitContext::parse(&format!("https://h/r.git{query}")).unwrap_err();
            format!("{query}: {error}")
        })
        .collect();
        insta::assert_snapshot!(errors.join("\n"), @r"
        ?version=1: Docker does not know `version` in the query of a repository's URL
        ?ref: `ref` has no value
        ?subdir=: `subdir` has no value
        ?ref=a&ref=a: `ref` is given twice
        ?ref=a#b: it names both `b` and `a`
        ?tag=a&branch=a: it names both `refs/heads/a` and `refs/tags/a`
        ?subdir=a#:b: it names two folders, `b` and `a`
        ?commit=main: `commit` must be a commit, in hexadecimal digits
        ?submodules=some: `submodules` must be true or false
        ?mtime=now: `mtime` must be checkout or commit
        ");
    }
}
