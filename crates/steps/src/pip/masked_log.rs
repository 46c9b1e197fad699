//! pip's output, without the secrets that pip was given.

use std::io::{self, Write};
use std::process::Command;

use percent_encoding::percent_decode_str;
use url::Url;

use condafront_entrypoint::authorities::VARIABLES;
use condafront_model::redact;
use condafront_step_spec::pip_variables::is_version;

/// Replaces a secret.
const MASK: &str = "***";

/// Anything shorter is not treated as a secret: it would match everywhere.
const SHORTEST: usize = 4;

/// Variables that the steps set themselves.
const OWN: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "CONDA_PREFIX",
    "LC_ALL",
    "PYTHONHASHSEED",
    "SOURCE_DATE_EPOCH",
    "PIP_CONFIG_FILE",
    "PIP_ROOT_USER_ACTION",
    "PIP_BREAK_SYSTEM_PACKAGES",
    "PIP_TRUSTED_HOST",
    "NETRC",
];

/// The strings to hide.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// The secrets in the command's variables: users, passwords and tokens of URLs, and every word that is not a URL.
    pub(super) fn of(command: &Command) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in command.get_envs() {
            let (name, value) = (name.to_string_lossy(), value.unwrap_or_default());
            let value = value.to_string_lossy();
            if OWN.contains(&&*name) || VARIABLES.contains(&&*name) || is_version(&name) {
                continue;
            }
            for word in value.split_whitespace() {
                match Url::parse(word) {
                    Ok(url) if url.has_host() => {
                        let parts = [Some(url.username()), url.password()];
                        let segments = url.path_segments().into_iter().flatten();
                        let tokens = segments.filter(|segment| may_be_token(segment));
                        for part in parts.into_iter().flatten().chain(tokens) {
                            secrets.push(part.to_owned());
                            secrets.push(percent_decode_str(part).decode_utf8_lossy().into_owned());
                        }
                    }
                    // A proxy may be a bare host.
                    _ if name.to_ascii_lowercase().ends_with("_proxy") => {}
                    _ => secrets.push(word.to_owned()),
                }
            }
        }
        Self(Vec::new()).and(secrets)
    }

    /// The same and these strings.
    pub(super) fn and(self, more: Vec<String>) -> Self {
        let Self(mut secrets) = self;
        secrets.extend(more);
        secrets.retain(|secret| secret.len() >= SHORTEST);
        // Longest first, because one may be the prefix of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// `text` without these secrets, and without the credentials in any URL.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut shown = redact::masked(text);
        for secret in &self.0 {
            shown = shown.replace(secret, MASK);
        }
        shown
    }
}

/// Whether a segment of a URL's path looks like a token, which some indexes put there.
fn may_be_token(segment: &str) -> bool {
    segment.len() >= 16 && segment.bytes().any(|byte| byte.is_ascii_digit())
}

/// A log that writes whole lines, without secrets.
pub(super) struct MaskedLog<'a> {
    log: &'a mut dyn Write,
    secrets: &'a Secrets,
    line: Vec<u8>,
}

impl<'a> MaskedLog<'a> {
    pub(super) fn new(log: &'a mut dyn Write, secrets: &'a Secrets) -> Self {
        Self {
            log,
            secrets,
            line: Vec::new(),
        }
    }

    /// Writes the last line if it has no newline.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write_line()
    }

    fn write_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let shown = self.secrets.masked(&String::from_utf8_lossy(&line));
        self.log.write_all(shown.as_bytes())
    }
}

impl Write for MaskedLog<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.write_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_paths_of_indexes_are_secret() {
        let mut command = Command::new("pip");
        let index = "https://dl.example/aB3dE5gH7jK9mN1p/owner/python/simple/";
        command.env("PIP_INDEX_URL", index);
        let shown = Secrets::of(&command).masked(&format!("Looking in indexes: {index}"));
        assert_eq!(
            shown,
            "Looking in indexes: https://dl.example/***/owner/python/simple/"
        );
    }
}
