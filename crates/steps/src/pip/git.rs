//! Runs git to load from a repository: with the login for it, which no code of the repository sees.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::masked_log::Secrets;
use super::process;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::history::GIT_SECRETS;

/// More commits than any repository has: git's own word for all of them (git-fetch(1)).
pub(super) const ALL: &str = "--depth=2147483647";

/// What to do if a repository cannot be loaded.
const FAILED: &str = "Check that the builder reaches the repository. For a private one, pass --secret id=GIT_AUTH_TOKEN,env=….";

/// Why git failed.
pub(super) struct GitError {
    /// The reason, in git's own words.
    pub(super) reason: String,
    /// What to do about it.
    pub(super) help: &'static str,
}

/// The git of an environment or of the image.
pub(super) struct Git<'a> {
    program: PathBuf,
    prefix: &'a Path,
    home: &'a Path,
    header: Option<String>,
}

impl<'a> Git<'a> {
    /// The git of the environment at `prefix` or of the image, if there is one, with the login for the repository at `url`.
    /// git's own settings, which may have a login, are in a file in the folder `home`, which must be in memory: older versions
    /// (before 2.31) read them nowhere else but from a command line, which everybody sees.
    ///
    /// # Errors
    /// If the settings cannot be written.
    pub(super) fn find(prefix: &'a Path, home: &'a Path, url: &str) -> io::Result<Option<Self>> {
        let Some(program) = process::program("git", prefix) else {
            return Ok(None);
        };
        let header = GIT_SECRETS.iter().find_map(|secret| {
            let value = std::env::var(secret.variable).ok()?;
            let value = value.trim_end();
            (!value.is_empty()).then(|| header(value, secret.is_token))
        });
        write_private(&home.join(".gitconfig"), &settings(url, header.as_deref()))?;
        Ok(Some(Self {
            program,
            prefix,
            home,
            header,
        }))
    }

    /// A git that works in `folder`.
    pub(super) fn command(&self, folder: &Path) -> Command {
        let mut command = process::in_environment(&self.program, self.prefix);
        command
            .arg("-C")
            .arg(folder)
            .env("HOME", self.home)
            .env("GIT_TERMINAL_PROMPT", "0");
        command
    }

    /// Runs `command`, which needs the network.
    ///
    /// # Errors
    /// Authorities that cannot be used, and in the result why git failed.
    pub(super) fn load(
        &self,
        mut command: Command,
        log: &mut dyn Write,
    ) -> Result<Result<(), GitError>, FailureReport> {
        process::with_network(&mut command, &BTreeSet::new())?;
        let words = self.header.iter().flat_map(|it| it.split_whitespace());
        let secrets = Secrets::of(&command).and(words.map(str::to_owned).collect());
        let ran = process::run_program("git", "git", command, &secrets, log);
        Ok(ran.map_err(|output| {
            let certificate = process::certificate(&output).map(|(_, help)| help);
            let help = certificate.or_else(|| process::emulation(&output));
            GitError {
                reason: reason(&output).to_owned(),
                help: help.unwrap_or(FAILED),
            }
        }))
    }
}

/// Why git failed, in its own words. It overwrites the lines of its progress.
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
