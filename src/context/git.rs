//! Git repositories as build contexts: which URLs name one, and their parts.

use buildkit_llb::{OpOptions, Output};

use condafront_graph::git::{is_scp_like, repository};
use condafront_input::options::Options;
use condafront_model::redact;

/// A repository, and the part of it to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitContext {
    /// The URL to clone.
    pub remote: String,
    /// Branch, tag or commit; the default branch if there is none.
    pub reference: Option<String>,
    /// The folder in it.
    pub subdir: Option<String>,
}

impl GitContext {
    /// Reads what `docker build` takes as a git context; `None` if it is something else
    /// (`frontend/dockerui/context.go`, `util/gitutil/git_ref.go`): `git://`, `ssh://`, `git@host:path`,
    /// `github.com/…`, and http(s) URLs whose path ends in `.git`; then `#reference:folder`, or `?ref=…&subdir=…`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
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
            return None;
        };
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut context = Self {
            remote,
            reference: None,
            subdir: None,
        };
        if let Some(fragment) = fragment {
            let (reference, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
            context.reference = some(reference);
            context.subdir = some(subdir.trim_matches('/'));
        }
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "ref" | "tag" | "branch" => context.reference = some(&value),
                "subdir" => context.subdir = some(value.trim_matches('/')),
                _ => {}
            }
        }
        Some(context)
    }
}

/// A repository as a source.
pub(super) fn git_source(context: &GitContext, options: &Options) -> Output {
    let mut git = repository(&context.remote, context.reference.as_deref());
    if let Some("1" | "true") = options.get("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR") {
        git.keep_git_dir();
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
            ("git@h:o/r.git#:sub", "git@h:o/r.git", None, Some("sub")),
            ("git://h/r#main", "git://h/r", Some("main"), None),
            ("github.com/o/r", "https://github.com/o/r", None, None),
        ] {
            let context = GitContext::parse(text).unwrap();
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
            assert_eq!(GitContext::parse(text), None, "{text}");
        }
    }
}
