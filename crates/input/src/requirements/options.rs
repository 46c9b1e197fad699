//! Options in a list of requirements (<https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options>).

use super::entry::Mistake;
use condafront_model::redact::quoted;

/// An option as pip reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipOption {
    /// Its long name, `--index-url`.
    pub name: &'static str,
    /// Its value; empty if it takes none.
    pub value: String,
}

/// An option that pip knows.
struct Known {
    name: &'static str,
    /// Other names, `-i`.
    others: &'static [&'static str],
    has_value: bool,
    /// Whether it stands behind a requirement.
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

/// Those that a list can have, and those that are refused with a word of their own.
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

/// The options in a line of a list. `of_requirement` says whether a requirement stands before them.
pub(super) fn read(text: &str, of_requirement: bool) -> Result<Vec<PipOption>, Mistake> {
    let shown = quoted(text);
    let Some(words) = shlex::split(text) else {
        return Err(Mistake::new(
            format!("`{shown}` has a quotation mark without its other half"),
            "Close the quotation mark, or leave it away.",
        ));
    };
    let mut words = words.into_iter();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            return Err(Mistake::new(
                format!("`{}` stands behind an option", quoted(&word)),
                "Give each requirement a line of its own.",
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
                format!("the option {name} has no value"),
                "Write the value behind it, on the same line.",
            ));
        }
        options.push(PipOption {
            name: known.name,
            value,
        });
    }
    Ok(options)
}

/// An option's name and what is joined to it: `--index-url=x`, `-ix`.
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
            "a list of requirements cannot have the option {}",
            quoted(name)
        ),
        format!("It can have {}.", names.join(", ")),
    )
}

fn misplaced(known: &Known, name: &str) -> Mistake {
    if known.of_requirement {
        Mistake::new(
            format!("the option {name} is about a requirement, and stands behind none"),
            "Write it behind the requirement, on the same line; a line that ends in \\ goes on in the next.",
        )
    } else {
        Mistake::new(
            format!("the option {name} stands behind a requirement, where pip does not see it"),
            "Give it a line of its own.",
        )
    }
}
