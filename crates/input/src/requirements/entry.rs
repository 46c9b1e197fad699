//! One line of a list: what it asks for.
//!
//! pip parses the line again itself. This module extracts what the build needs to know: which files to read or fetch,
//! what it does not support, and which requirements are invalid, so that the user learns of it before anything is built.

use super::address::is_web;
use super::editable;
use super::meant;
use super::mistyped;
use super::options::{self, PipOption, Place};
use super::requirement::{Requirement, Source, after_editable, requirement_alone};
use crate::file_path::FilePath;
use crate::mistake::Mistake;
use condafront_model::redact::{in_full, quoted};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A package.
    Package(Requirement),
    /// Another file to read, `-r` or `-c`.
    File {
        /// Its path or address as written, and `file:` before it if that is written.
        path: String,
        /// Whether its lines are constraints.
        constraints: bool,
    },
    /// Options that only pip interprets.
    Options(Vec<PipOption>),
}

impl Entry {
    /// The same entry, in a list of a file in `folder`.
    #[must_use]
    pub(super) fn in_folder(mut self, folder: &FilePath) -> Self {
        if let Self::Package(Requirement {
            source: Source::Context(path),
            ..
        }) = &mut self
        {
            path.folder = folder.clone();
        }
        self
    }

    /// Parses a line without comments.
    ///
    /// # Errors
    /// A line that pip would not understand, or that the build does not support.
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        if let Some(inside) = meant::in_quotes(text)
            && Self::parse(inside).is_ok()
        {
            return Err(Mistake::new(
                format!("`{}` has quotes, which pip does not remove", quoted(text)),
                format!("Write `{}`.", in_full(inside)),
            ));
        }
        if let Some((mark, item)) = mistyped::item(text)
            && Self::parse(item).is_ok()
        {
            return Err(Mistake::new(
                format!(
                    "`{}` starts with `{mark}`, like an item of a list",
                    quoted(text)
                ),
                format!("Write `{}`.", in_full(item)),
            ));
        }
        if let Some(mistake) = meant::command(text) {
            return Err(mistake);
        }
        let editable = editable::of_line(text)?;
        if editable.is_none() && text.starts_with('-') {
            return options_alone(text);
        }
        let (requirement, options) = split_options(editable.as_deref().unwrap_or(text));
        let mut found = match editable {
            Some(_) => after_editable(requirement)?,
            None => requirement_alone(requirement)?,
        };
        for option in options::read(options, Place::Requirement)? {
            match option.name {
                "--hash" if found.is_editable => {
                    return Err(Mistake::new(
                        "pip does not check the hash of an editable package",
                        "Remove --hash.",
                    ));
                }
                "--hash" => found.hashes.push(hash(&option.value)?),
                "--config-settings" if !option.value.contains('=') => {
                    return Err(Mistake::new(
                        format!("`{}` is not a setting", quoted(&option.value)),
                        "Write a name and a value: --config-settings NAME=VALUE",
                    ));
                }
                // pip applies these to the whole list.
                "--no-binary" | "--only-binary" => {}
                name if !options::follows(name) => {}
                name => found.build_options.push(format!("{name}={}", option.value)),
            }
        }
        if !options.is_empty() {
            found.after.push(' ');
            found.after.push_str(options);
        }
        Ok(Self::Package(found))
    }
}

fn options_alone(text: &str) -> Result<Entry, Mistake> {
    let options = options::read(text, Place::List)?;
    for option in &options {
        check_option(option)?;
    }
    let file = options
        .iter()
        .find(|option| ["--requirement", "--constraint"].contains(&option.name));
    match file {
        Some(_) if options.len() > 1 => Err(Mistake::new(
            format!("`{}` has options besides the file", quoted(text)),
            "Put each option on its own line.",
        )),
        Some(option) if has_backslash(text) => Err(Mistake::new(
            format!(
                "`{}` has a backslash, which does not separate folders here",
                quoted(text)
            ),
            format!(
                "Write `/` between folders: {} {}",
                if option.name == "--constraint" {
                    "-c"
                } else {
                    "-r"
                },
                quoted(&after_option(text).replace('\\', "/"))
            ),
        )),
        Some(option) => Ok(Entry::File {
            path: option.value.clone(),
            constraints: option.name == "--constraint",
        }),
        None => Ok(Entry::Options(options)),
    }
}

/// Whether `text` has a backslash that is not in front of a blank or a quote.
fn has_backslash(text: &str) -> bool {
    let mut rest = text.split('\\');
    rest.next();
    rest.any(|after| !after.starts_with([' ', '\'', '"']))
}

/// What follows the option at the start of `text`, as it is written.
fn after_option(text: &str) -> &str {
    let end = text.find(|c: char| c == '=' || c.is_whitespace());
    text[end.unwrap_or(2)..].trim_start_matches(|c: char| c == '=' || c.is_whitespace())
}

fn check_option(option: &PipOption) -> Result<(), Mistake> {
    let shown = quoted(&option.value);
    let is_file = ["--requirement", "--constraint"].contains(&option.name);
    let is_web = is_web(&option.value) || option.value.starts_with("${");
    match option.name {
        "--editable" => Err(Mistake::new(
            format!("`-e {shown}` must be a line of its own, with a space after -e"),
            "For example: -e ./demo",
        )),
        // Old versions of pip take `file:requirements.txt` as a path.
        _ if is_file && option.value.starts_with("file:/") => Err(Mistake::new(
            format!("`{shown}` is a URL, not the path of a file in the build context"),
            "Write the path alone, relative to this file: requirements.txt",
        )),
        _ if is_file && option.value.contains("://") && !is_web => Err(Mistake::new(
            format!("`{shown}` is not an address that pip reads lists from"),
            "Give its http(s) URL, or put the file into the build context.",
        )),
        "--index-url" | "--extra-index-url" | "--find-links"
            if option.value.starts_with('$') && !is_web =>
        {
            Err(Mistake::new(
                format!("`{shown}` is not a variable that pip reads"),
                "Write `${NAME}`, in capitals and with the braces.",
            ))
        }
        "--index-url" | "--extra-index-url" if !is_web => Err(Mistake::new(
            format!("`{shown}` is not an index that the build can reach"),
            "Give the http(s) URL of an index: --index-url https://pypi.org/simple",
        )),
        "--find-links" if !is_web => Err(Mistake::new(
            format!("`{shown}` is a folder: pip cannot search folders for packages during a build"),
            "List the files themselves, one per line: ./wheels/demo-1.0-py3-none-any.whl. Or give the http(s) URL of a page with links.",
        )),
        _ => Ok(()),
    }
}

/// Splits a line into the requirement and the options after it, as pip does.
pub(super) fn split_options(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = text[from..].find(" -") {
        let at = from + at;
        let after_dash = text[at + 2..].chars().next();
        if after_dash.is_some_and(|c| c == '-' || c.is_ascii_alphabetic()) {
            return (text[..at].trim_end(), text[at..].trim_start());
        }
        from = at + 2;
    }
    (text, "")
}

fn hash(value: &str) -> Result<String, Mistake> {
    /// The algorithms that pip accepts, with their numbers of hex digits.
    const ALGORITHMS: &[(&str, usize)] = &[("sha256", 64), ("sha384", 96), ("sha512", 128)];
    let digits = |name: &str, digits: &str| {
        ALGORITHMS.iter().any(|(known, length)| {
            *known == name
                && digits.len() == *length
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    match value.split_once(':') {
        Some((name, hex)) if digits(name, hex) => {
            Ok(format!("{name}:{}", hex.to_ascii_lowercase()))
        }
        _ => Err(Mistake::new(
            format!("`{}` is not a hash that pip accepts", quoted(value)),
            "Write --hash=sha256:<64 hex digits>; sha384 and sha512 also work.",
        )),
    }
}
