//! Git repositories.

use buildkit_llb::Git;

/// The repository at `remote`, at a branch, tag or commit. BuildKit logs in with what clients offer: their ssh agent, or
/// tokens under BuildKit's own names.
pub fn repository(remote: &str, reference: Option<&str>) -> Git {
    let mut git = Git::new(remote);
    if let Some(reference) = reference {
        git.reference(reference);
    }
    if remote.starts_with("ssh://") || is_scp_like(remote) {
        git.ssh_agent("default");
    } else {
        git.auth_token_secret("GIT_AUTH_TOKEN")
            .auth_header_secret("GIT_AUTH_HEADER");
    }
    git
}

/// `git@host:path`.
pub fn is_scp_like(address: &str) -> bool {
    address.split_once('@').is_some_and(|(user, rest)| {
        !user.is_empty() && !user.contains(['/', ':']) && rest.contains(':')
    })
}
