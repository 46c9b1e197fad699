//! Loads the history of a repository of which BuildKit gives the latest commit alone.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::masked_log::Secrets;
use super::process;
use crate::install::Mounts;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::history::{GIT_SECRETS, HistorySpec};

/// More commits than any repository has: git's own word for all of them (git-fetch(1)).
const ALL: &str = "--depth=2147483647";

/// What to do about a root without git.
const NO_GIT: &str = "Add git to `build` in the image section, or to `apt`.";

/// What to do about any other failure.
const FAILED: &str = "Check that the builder reaches the repository. For a private one, pass --secret id=GIT_AUTH_TOKEN,env=….";

/// Runs the subcommand `git-history` with `args`: loads all commits, branches and tags into the clone, with the git of the
/// environment or of the image. git's own settings, which may have a login, are in a file in the folder `home`, which must
/// be in memory: older versions (before 2.31) read them nowhere else but from a command line, which everybody sees.
///
/// # Errors
/// A root without git, or a repository that cannot be loaded.
pub(crate) fn load(
    args: &[String],
    mounts: &Mounts,
    home: &Path,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, _) = HistorySpec::from_args(args)?;
    let prefix = Path::new(&spec.prefix);
    let failed = |reason: &str, help: &str| {
        let label = &spec.label;
        let mut report =
            FailureReport::new(format!("cannot load the history of {label}: {reason}"));
        report.culprits = vec![Culprit::Package(0)];
        report.help = Some(help.to_owned());
        report
    };
    let Some(git) = process::program("git", prefix) else {
        return Err(failed("the step that builds it has no git", NO_GIT));
    };
    let given = GIT_SECRETS.iter().find_map(|secret| {
        let value = std::env::var(secret.variable).ok()?;
        let value = value.trim_end();
        (!value.is_empty()).then(|| header(value, secret.is_token))
    });
    write_private(
        &home.join(".gitconfig"),
        &settings(&spec.url, given.as_deref()),
    )?;
    let mut command = process::in_environment(&git, prefix);
    command
        .arg("-C")
        .arg(&mounts.output)
        // Submodules are what the commit says, and may be on other servers.
        .args(["fetch", "--progress", "--force", "--no-recurse-submodules"])
        .args([ALL, "--tags", "origin"])
        .arg("+refs/heads/*:refs/remotes/origin/*")
        .env("HOME", home)
        .env("GIT_TERMINAL_PROMPT", "0");
    process::with_network(&mut command, &BTreeSet::new())?;
    let words = given.iter().flat_map(|header| header.split_whitespace());
    let secrets = Secrets::of(&command).and(words.map(str::to_owned).collect());
    process::run_program("git", "git", command, &secrets, log).map_err(|output| {
        let certificate = process::certificate(&output).map(|(_, help)| help);
        let help = certificate.or_else(|| process::emulation(&output));
        failed(reason(&output), help.unwrap_or(FAILED))
    })
}

/// Why git failed, in its own words. It overwrites the lines that tell how far it is.
fn reason(output: &str) -> &str {
    let lines = output.split(['\n', '\r']).map(str::trim);
    let error = lines
        .clone()
        .find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
    let last = lines.rev().find(|line| !line.is_empty());
    error.or(last).unwrap_or_default()
}

/// The value of the header with which git logs in.
fn header(secret: &str, is_token: bool) -> String {
    if !is_token {
        return secret.to_owned();
    }
    let login = STANDARD.encode(format!("x-access-token:{secret}"));
    format!("basic {login}")
}

/// git's settings: it logs in with `header` at the server of `url` and nowhere else, as BuildKit does.
fn settings(url: &str, header: Option<&str>) -> String {
    let mut text = "[safe]\n\tdirectory = *\n".to_owned();
    let url = Url::parse(url).ok();
    let url = url.filter(|url| ["http", "https"].contains(&url.scheme()));
    if let (Some(url), Some(header)) = (url, header) {
        let server = url.origin().ascii_serialization();
        let value = format!("Authorization: {header}");
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        let value = value.replace('\n', "\\n");
        text.push_str(&format!(
            "[http \"{server}/\"]\n\textraHeader = \"{value}\"\n"
        ));
    }
    text
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_logs_in_where_the_repository_is() {
        let url = "https://git.example:8443/team/demo.git";
        let none = "[safe]\n\tdirectory = *\n";
        assert_eq!(settings(url, None), none);
        assert_eq!(settings("git://git.example/demo", Some("basic a")), none);
        let token = header("token", true);
        assert_eq!(
            settings(url, Some(&token)),
            format!(
                "{none}[http \"https://git.example:8443/\"]\n\textraHeader = \"Authorization: basic eC1hY2Nlc3MtdG9rZW46dG9rZW4=\"\n"
            )
        );
        let quoted = settings(url, Some(&header("Digest a=\"b\\c\"", false)));
        assert!(
            quoted.ends_with("\"Authorization: Digest a=\\\"b\\\\c\\\"\"\n"),
            "{quoted}"
        );
    }

    #[test]
    fn the_reason_is_found_among_the_states_of_the_progress() {
        let output = "Receiving objects:  50% (1/2)\rReceiving objects:  51%\rfatal: early EOF\nnothing more\n";
        assert_eq!(reason(output), "fatal: early EOF");
        assert_eq!(reason("10%\r20%\nended\n\n"), "ended");
    }
}
