//! Credentials for Git repositories.

use buildkit_llb::Git;

/// Lets BuildKit log in to `remote` with what clients offer: their ssh agent, or tokens under BuildKit's own names.
pub fn offer_credentials(git: &mut Git, remote: &str) {
    if remote.starts_with("ssh://") || is_scp_like(remote) {
        git.ssh_agent("default");
    } else {
        git.auth_token_secret("GIT_AUTH_TOKEN")
            .auth_header_secret("GIT_AUTH_HEADER");
    }
}

/// `git@host:path`.
pub fn is_scp_like(address: &str) -> bool {
    address.split_once('@').is_some_and(|(user, rest)| {
        !user.is_empty() && !user.contains(['/', ':']) && rest.contains(':')
    })
}
