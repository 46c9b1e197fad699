//! The environment variables that packages set, in files of `etc/conda/env_vars.d`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::Value;

use condafront_model::execve::{self, ValueError};

/// Why the variables of a file cannot be set.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvVarsError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a JSON object.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A name that no variable can have.
    #[error("`{}` is not a valid environment variable name", shown(.0))]
    Name(String),
    /// A value that no variable can have.
    #[error("the variable {} {source}", shown(name))]
    Value {
        /// The variable.
        name: String,
        /// What is wrong with its value.
        source: ValueError,
    },
    /// More than Linux passes to a program, in bytes.
    #[error("they have {} KiB together, but Linux passes at most {} KiB to a program", .0.div_ceil(1 << 10), execve::MAX_TOTAL >> 10)]
    TooMuch(usize),
    /// A file that would only fill the memory.
    #[error("the file has more than {} MiB", LARGEST >> 20)]
    Large,
}

impl EnvVarsError {
    /// Whether an image with the variables could not start. Otherwise the image works without them.
    pub(super) fn is_fatal(&self) -> bool {
        !matches!(self, Self::Io(_) | Self::Json(_))
    }
}

/// A name as messages show it: on one line, and not too long.
fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    let mut start: String = name.chars().take(LONGEST).collect();
    if start.len() < name.len() {
        start.push('…');
    }
    start.escape_debug().to_string()
}

/// How many bytes a file may have: more than all variables that Linux passes to a program, however they are written.
const LARGEST: u64 = 16 << 20;

/// Reads a file: one JSON object whose values are strings or numbers.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, String>, EnvVarsError> {
    let mut text = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(EnvVarsError::Large);
    }
    parse(&text)
}

pub(super) fn parse(text: &[u8]) -> Result<BTreeMap<String, String>, EnvVarsError> {
    let vars: BTreeMap<String, Value> = serde_json::from_slice(text)?;
    let vars: BTreeMap<String, String> = vars
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect();
    let mut total = 0;
    for (name, value) in &vars {
        if !execve::is_variable_name(name) {
            return Err(EnvVarsError::Name(name.clone()));
        }
        execve::check_value(name, value).map_err(|source| EnvVarsError::Value {
            name: name.clone(),
            source,
        })?;
        total += execve::size(name) + "=".len() + value.len();
    }
    if total > execve::MAX_TOTAL {
        return Err(EnvVarsError::TooMuch(total));
    }
    Ok(vars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_numbers_are_read() {
        let vars = parse(br#"{"A": "it's \n set", "N": 1, "": null}"#);
        assert!(matches!(vars, Err(EnvVarsError::Name(_))));
        let vars = parse(br#"{"A": "two\nlines", "N": 1}"#).unwrap();
        assert_eq!(
            (vars["A"].as_str(), vars["N"].as_str()),
            ("two\nlines", "1")
        );
    }

    #[test]
    fn what_no_program_can_have_is_fatal() {
        let long = format!(r#"{{"A": "{}"}}"#, "x".repeat(300 << 10));
        let many: BTreeMap<String, String> = (0..30)
            .map(|index| (format!("V{index}"), "x".repeat(100 << 10)))
            .collect();
        let many = serde_json::to_string(&many).unwrap();
        for (text, why) in [
            (
                r#"{"A B": "x"}"#,
                "`A B` is not a valid environment variable name",
            ),
            (
                r#"{"A\nB": "x"}"#,
                "`A\\nB` is not a valid environment variable name",
            ),
            (
                r#"{"A=B": "x"}"#,
                "`A=B` is not a valid environment variable name",
            ),
            (
                r#"{"A\u0000": "x"}"#,
                "`A\\0` is not a valid environment variable name",
            ),
            (
                r#"{"A": "x\u0000y"}"#,
                "the variable A contains a NUL character",
            ),
            (
                long.as_str(),
                "the variable A has 301 KiB, but Linux passes at most 128 KiB to a program",
            ),
            (
                many.as_str(),
                "they have 3001 KiB together, but Linux passes at most 1920 KiB to a program",
            ),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), why);
            assert!(error.is_fatal());
        }
        assert!(!parse(b"[]").unwrap_err().is_fatal());
    }
}
