//! Options in a list of requirements
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options>).

use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// An option as pip reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PipOption {
    /// Its long name, `--index-url`.
    pub(super) name: &'static str,
    /// Its value; empty if it takes none.
    pub(super) value: String,
}

/// An option that pip knows.
struct Known {
    name: &'static str,
    /// Its other names, `-i`.
    others: &'static [&'static str],
    has_value: bool,
    /// Whether it follows a requirement.
    of_requirement: bool,
}

const fn known(
    name: &'static str,
    others: &'static [&'static str],
    has_value: bool,
    of_requirement: bool,
) -> Known {
    Known {
        name,
        others,
        has_value,
        of_requirement,
    }
}

/// The options that a list can have, and those that get a specific error.
const KNOWN: &[Known] = &[
    known("--requirement", &["-r"], true, false),
    known("--constraint", &["-c"], true, false),
    known("--index-url", &["-i", "--pypi-url"], true, false),
    known("--extra-index-url", &[], true, false),
    known("--find-links", &["-f"], true, false),
    known("--no-index", &[], false, false),
    known("--no-binary", &[], true, false),
    known("--only-binary", &[], true, false),
    known("--prefer-binary", &[], false, false),
    known("--pre", &[], false, false),
    known("--require-hashes", &[], false, false),
    known("--trusted-host", &[], true, false),
    known("--use-feature", &[], true, false),
    known("--editable", &["-e"], true, false),
    known("--hash", &[], true, true),
    known("--config-settings", &["-C", "--config-setting"], true, true),
    known("--global-option", &[], true, true),
];

/// Reads the options in a line of a list. `of_requirement` says whether they follow a requirement.
pub(super) fn read(text: &str, of_requirement: bool) -> Result<Vec<PipOption>, Mistake> {
    let shown = quoted(text);
    let Some(words) = shlex::split(text) else {
        return Err(Mistake::new(
            format!("`{shown}` has an unclosed quotation mark"),
            "Close the quotation mark, or remove it.",
        ));
    };
    let mut words = words.into_iter();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            return Err(Mistake::new(
                format!("`{}` follows an option", quoted(&word)),
                "Put each requirement on its own line.",
            ));
        }
        let (name, given) = split(&word);
        let Some(known) = KNOWN
            .iter()
            .find(|known| known.name == name || known.others.contains(&name))
        else {
            return Err(unknown(name));
        };
        if known.of_requirement != of_requirement {
            return Err(misplaced(known, name));
        }
        let value = match (known.has_value, given) {
            (true, Some(value)) => value.to_owned(),
            (true, None) => words.next().unwrap_or_default(),
            (false, None) => String::new(),
            (false, Some(_)) => {
                return Err(Mistake::new(
                    format!("the option {name} takes no value"),
                    format!("Write {name} alone."),
                ));
            }
        };
        if known.has_value && value.is_empty() {
            return Err(Mistake::new(
                format!("the option {name} needs a value"),
                "Write the value after it, on the same line.",
            ));
        }
        options.push(PipOption {
            name: known.name,
            value,
        });
    }
    Ok(options)
}

/// Splits an option's name from a value that is attached to it: `--index-url=x`, `-ix`.
fn split(word: &str) -> (&str, Option<&str>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
    }
    let end = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
    let (name, value) = word.split_at(end);
    (name, Some(value).filter(|value| !value.is_empty()))
}

fn unknown(name: &str) -> Mistake {
    let names = KNOWN
        .iter()
        .filter(|known| !known.of_requirement && known.name != "--editable");
    let names: Vec<&str> = names.map(|known| known.name).collect();
    Mistake::new(
        format!(
            "the option {} is not allowed in a list of requirements",
            quoted(name)
        ),
        format!("The allowed options are {}.", names.join(", ")),
    )
}

fn misplaced(known: &Known, name: &str) -> Mistake {
    if known.of_requirement {
        Mistake::new(
            format!("the option {name} must follow a requirement"),
            "Write it after the requirement, on the same line; a line that ends in \\ continues on the next.",
        )
    } else {
        Mistake::new(
            format!("the option {name} comes after a requirement, where pip does not see it"),
            "Put it on its own line.",
        )
    }
}
