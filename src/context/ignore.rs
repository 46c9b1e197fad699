//! `.dockerignore`: patterns of what does not belong to the build context.

use buildkit_llb::{Definition, Differ, Local, OpOptions};

use crate::gateway::client::Bridge;
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::solving::Evaluate;
use condafront_input::options::Options;
use condafront_model::encoding::decode;
use condafront_model::source::Diagnostic;

/// The file's name.
pub(super) const NAME: &str = ".dockerignore";

/// The patterns of one of the client's folders; none if it has no such file.
///
/// # Errors
/// When it cannot be read. A build without it would copy what it keeps out.
pub(super) async fn of_client(
    bridge: &Bridge,
    options: &Options,
    local: &str,
) -> Result<Vec<String>, BuildError> {
    let state = Local::new(local)
        .session(options.local_session(local))
        .follow([NAME])
        .shared_key_hint(format!("{local}-{NAME}"))
        .differ(Differ::None)
        .name("[internal] load .dockerignore")
        .build();
    let definition = Definition::of(&state);
    let reference = match bridge.solve(definition, Evaluate::Lazily).await {
        Ok(reference) => reference,
        // A build without a context has nothing to ignore.
        Err(error) if error.is_not_sent() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let found = bridge.read_if_sent(&reference, NAME).await;
    Ok(patterns(NAME, found)?.unwrap_or_default())
}

/// The patterns in the file `name`, which was `found`; `None` if it is missing.
///
/// # Errors
/// When it cannot be read.
pub(super) fn patterns(
    name: &str,
    found: Result<Option<Vec<u8>>, GatewayError>,
) -> Result<Option<Vec<String>>, BuildError> {
    match found {
        Ok(data) => Ok(data.map(|data| parse(&data))),
        Err(error) if error.is_cancelled() => Err(error.into()),
        Err(error) => Err(Diagnostic::new(format!("cannot read `{name}`: {error}"))
            .help("It says which files must stay out of the build. Make it a readable file, or remove it.")
            .caused_by(error)
            .into()),
    }
}

/// Reads patterns the way Docker does (`patternmatcher/ignorefile`): one per line, comments and blank lines skipped,
/// paths cleaned, a leading slash dropped, `!` kept in front. BuildKit's client matches them.
///
/// Docker reads UTF-8. Other encodings of Unicode are read too: what a file keeps out must not get in because of an editor.
pub(crate) fn parse(data: &[u8]) -> Vec<String> {
    decode(data)
        .text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let line = line.trim();
            let (invert, pattern) = match line.strip_prefix('!') {
                Some(rest) => ("!", rest.trim()),
                None => ("", line),
            };
            if pattern.is_empty() {
                return None;
            }
            let path = cleaned(pattern);
            // A file whose name begins with `!`, as `/!name` says it: without its slash it would be an exception.
            let escape = if invert.is_empty() && path.starts_with('!') {
                "\\"
            } else {
                ""
            };
            Some(format!("{invert}{escape}{path}"))
        })
        .collect()
}

/// The shortest path equivalent to `path`, as from Go's `filepath.Clean`, but without a leading slash.
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') && parts.is_empty() => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return if path.starts_with('/') {
            String::new()
        } else {
            ".".to_owned()
        };
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_cleaned() {
        let text = "\u{feff}# comment\n\n /build/ \n!keep/./me\r\n  # not a comment\na/../b\n!\n../up\n.\n";
        assert_eq!(
            parse(text.as_bytes()),
            ["build", "!keep/me", "# not a comment", "b", "../up", "."]
        );
    }

    #[test]
    fn names_with_an_exclamation_mark_are_no_exceptions() {
        assert_eq!(
            parse(b"/!secret\n./!/key\n/!\n!/!known\n!known\n"),
            ["\\!secret", "\\!/key", "\\!", "!!known", "!known"]
        );
    }

    #[test]
    fn what_powershell_writes_keeps_files_out() {
        assert_eq!(parse(b"\xff\xfe.\0e\0n\0v\0\r\0\n\0"), [".env"]);
        assert_eq!(parse(b"\xfe\xff\0.\0e\0n\0v\0\n\0!\0a"), [".env", "!a"]);
        assert_eq!(
            parse(b"data\r\n# caf\xe9\r\nsecrets\r\n"),
            ["data", "secrets"]
        );
    }
}
