//! Git repositories.

use super::operation::Source;
use crate::caps;
use crate::node::Output;
use crate::options::{OpOptions, Options};

/// The files of a Git commit.
///
/// ```
/// use buildkit_llb::Git;
///
/// let docs = Git::new("https://github.com/moby/buildkit.git")
///     .reference("master")
///     .subdir("docs")
///     .build();
/// assert_eq!(docs.index(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Git {
    source: Source,
    /// Host and path of the repository.
    remote: String,
    reference: String,
    subdir: String,
}

impl Git {
    /// The repository at a URL without a fragment: `https://`, `http://`,
    /// `ssh://`, `git://` or `user@host:path`.
    ///
    /// Git over HTTP uses the secrets `GIT_AUTH_TOKEN` and `GIT_AUTH_HEADER` if
    /// the client offers them.
    #[must_use]
    pub fn new(url: impl AsRef<str>) -> Self {
        let url = url.as_ref();
        let mut source = Source::new(String::new(), caps::SOURCE_GIT);
        source.set_with(caps::SOURCE_GIT_FULL_URL, "git.fullurl", url);
        source.set("git.authtokensecret", "GIT_AUTH_TOKEN");
        source.set("git.authheadersecret", "GIT_AUTH_HEADER");
        Self {
            source,
            remote: host_and_path(url),
            reference: String::new(),
            subdir: String::new(),
        }
    }

    /// The branch, tag or commit; defaults to the default branch.
    pub fn reference(&mut self, reference: impl Into<String>) -> &mut Self {
        self.reference = reference.into();
        self
    }

    /// Uses only a directory of the repository (BuildKit 0.9).
    pub fn subdir(&mut self, path: impl AsRef<str>) -> &mut Self {
        path.as_ref().trim_matches('/').clone_into(&mut self.subdir);
        self.source.caps.push(caps::SOURCE_GIT_SUBDIR);
        self
    }

    /// Keeps `.git`.
    pub fn keep_git_dir(&mut self) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_GIT_KEEP_GIT_DIR, "git.keepgitdir", "true");
        self
    }

    /// The secret whose value is the token for HTTP (BuildKit 0.8).
    pub fn auth_token_secret(&mut self, id: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_GIT_HTTP_AUTH, "git.authtokensecret", id);
        self
    }

    /// The secret whose value is the `Authorization` header for HTTP (BuildKit
    /// 0.8).
    pub fn auth_header_secret(&mut self, id: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_GIT_HTTP_AUTH, "git.authheadersecret", id);
        self
    }

    /// Uses an SSH agent of the client, by its id, usually `default` (BuildKit
    /// 0.8).
    pub fn ssh_agent(&mut self, id: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_GIT_MOUNT_SSH_SOCK, "git.mountsshsock", id);
        self
    }

    /// The accepted host keys, as lines of a `known_hosts` file (BuildKit 0.8).
    pub fn known_ssh_hosts(&mut self, lines: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_GIT_KNOWN_SSH_HOSTS, "git.knownsshhosts", lines);
        self
    }

    /// The commit that the reference must resolve to (BuildKit 0.22).
    pub fn checksum(&mut self, commit: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_GIT_CHECKSUM, "git.checksum", commit);
        self
    }

    /// Skips submodules (BuildKit 0.24).
    pub fn skip_submodules(&mut self) -> &mut Self {
        let cap = caps::SOURCE_GIT_SKIP_SUBMODULES;
        self.source.set_with(cap, "git.skipsubmodules", "true");
        self
    }

    /// Sets file times to the time of the commit (BuildKit 0.29).
    pub fn commit_times(&mut self) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_GIT_MTIME, "git.mtime", "commit");
        self
    }

    /// Fetches the commit of the checksum without looking up the reference
    /// (BuildKit 0.30).
    pub fn fetch_by_commit(&mut self) -> &mut Self {
        let cap = caps::SOURCE_GIT_FETCH_BY_COMMIT;
        self.source.set_with(cap, "git.fetchbycommit", "true");
        self
    }

    /// Builds the operation.
    #[must_use]
    pub fn build(&self) -> Output {
        let mut source = self.source.clone();
        source.identifier = format!("git://{}", self.remote);
        if !self.reference.is_empty() || !self.subdir.is_empty() {
            source.identifier.push('#');
            source.identifier.push_str(&self.reference);
        }
        if !self.subdir.is_empty() {
            source.identifier.push(':');
            source.identifier.push_str(&self.subdir);
        }
        source.build(None)
    }
}

/// The host and path of a repository, which are the same for every protocol.
fn host_and_path(url: &str) -> String {
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        // Git's user@host:path
        None => url.split_once(':').unwrap_or((url, "")),
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{host}/{}", path.trim_start_matches('/'))
}

impl OpOptions for Git {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.source.options
    }
}

#[cfg(test)]
mod tests {
    use super::host_and_path;

    #[test]
    fn protocols_lead_to_one_identifier() {
        for url in [
            "https://example.com/a/b.git",
            "https://token@example.com/a/b.git",
            "ssh://git@example.com/a/b.git",
            "git@example.com:a/b.git",
        ] {
            assert_eq!(host_and_path(url), "example.com/a/b.git", "{url}");
        }
        assert_eq!(
            host_and_path("git://example.com:9418/x"),
            "example.com:9418/x"
        );
    }
}
