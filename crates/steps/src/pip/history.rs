//! Loads the history of a repository of which BuildKit gives the latest commit alone.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::process;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::{GIT_SECRETS, History};

/// More commits than any repository has: git's own word for all of them (git-fetch(1)).
const ALL: &str = "--depth=2147483647";

/// What to do about a root without git.
const NO_GIT: &str = "Add git to `build` in the image section, or to `apt`.";

/// What to do about any other failure.
const FAILED: &str = "Check that the builder reaches the repository. For a private one, pass --secret id=GIT_AUTH_TOKEN,env=….";

/// Loads all commits, branches and tags into the clone at `sources`, with the git of the environment at `prefix` or of the
/// image.
///
/// # Errors
/// A root without git, or a repository that cannot be loaded.
pub(super) fn load(
    history: &History,
    label: &str,
    prefix: &Path,
    sources: &Path,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let failed = |reason: &str, help: &str| {
        let mut report =
            FailureReport::new(format!("cannot load the history of {label}: {reason}"));
        report.culprits = vec![Culprit::Package(0)];
        report.help = Some(help.to_owned());
        report
    };
    let Some(git) = process::program("git", prefix) else {
        return Err(failed("the step that builds it has no git", NO_GIT));
    };
    let mut command = process::in_environment(&git, prefix);
    command
        .arg("-C")
        .arg(sources)
        .args(["-c", "safe.directory=*", "fetch", "--quiet", "--force"])
        .args([ALL, "--tags", "origin"])
        .arg("+refs/heads/*:refs/remotes/origin/*")
        .env("GIT_TERMINAL_PROMPT", "0");
    process::with_network(&mut command, &BTreeSet::new())?;
    let secret = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let [token, header] = GIT_SECRETS.map(secret);
    if let Some((name, value)) = login(&history.url, token.as_deref(), header.as_deref()) {
        command
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", name)
            .env("GIT_CONFIG_VALUE_0", value);
    }
    process::run(command, log).map_err(|output| {
        let lines = output.lines().map(str::trim);
        let reason = lines
            .clone()
            .find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
        let last = lines.rev().find(|line| !line.is_empty());
        let help = process::certificate(&output).map_or(FAILED, |(_, help)| help);
        failed(reason.or(last).unwrap_or_default(), help)
    })
}

/// The setting of git with which it logs in at the server of `url` and nowhere else, as BuildKit does.
fn login(url: &str, token: Option<&str>, header: Option<&str>) -> Option<(String, String)> {
    let url = Url::parse(url).ok()?;
    if !["http", "https"].contains(&url.scheme()) {
        return None;
    }
    let header = match (header, token) {
        (Some(header), _) => header.to_owned(),
        (None, Some(token)) => {
            let login = STANDARD.encode(format!("x-access-token:{token}"));
            format!("basic {login}")
        }
        (None, None) => return None,
    };
    let server = url.origin().ascii_serialization();
    let name = format!("http.{server}/.extraHeader");
    Some((name, format!("Authorization: {header}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_logs_in_where_the_repository_is() {
        let url = "https://git.example:8443/team/demo.git";
        assert_eq!(login(url, None, None), None);
        assert_eq!(login("git://git.example/demo", Some("token"), None), None);
        let (name, value) = login(url, Some("token"), None).unwrap();
        assert_eq!(name, "http.https://git.example:8443/.extraHeader");
        assert_eq!(value, "Authorization: basic eC1hY2Nlc3MtdG9rZW46dG9rZW4=");
        let (_, value) = login(url, Some("token"), Some("Bearer other")).unwrap();
        assert_eq!(value, "Authorization: Bearer other");
    }
}
