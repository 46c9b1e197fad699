//! Options in a list of requirements
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options>).

use crate::mistake::Mistake;
use condafront_model::nearest::did_you_mean;
use condafront_model::redact::quoted;

/// An option as pip reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PipOption {
    /// Its long name, `--index-url`.
    pub(super) name: &'static str,
    /// Its value; empty if it takes none.
    pub(super) value: String,
}

/// Where an option can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On a line of its own.
    List,
    /// After a requirement.
    Requirement,
    /// At either place, with the same effect.
    Either,
}

/// An option that pip knows.
struct Known {
    name: &'static str,
    /// Its other names, `-i`.
    others: &'static [&'static str],
    has_value: bool,
    place: Place,
}

const fn known(
    name: &'static str,
    others: &'static [&'static str],
    has_value: bool,
    place: Place,
) -> Known {
    Known {
        name,
        others,
        has_value,
        place,
    }
}

/// Options of `pip install` that no list can have, and some that pip once had.
const OF_COMMAND: &[&str] = &[
    "-I",
    "-U",
    "-Z",
    "-q",
    "-t",
    "-v",
    "--allow-all-external",
    "--allow-external",
    "--allow-unverified",
    "--always-unzip",
    "--break-system-packages",
    "--cache-dir",
    "--default-timeout",
    "--force-reinstall",
    "--ignore-installed",
    "--ignore-requires-python",
    "--install-option",
    "--no-build-isolation",
    "--no-cache-dir",
    "--no-deps",
    "--no-dependencies",
    "--no-use-pep517",
    "--no-use-wheel",
    "--prefix",
    "--process-dependency-links",
    "--proxy",
    "--quiet",
    "--retries",
    "--root",
    "--src",
    "--target",
    "--timeout",
    "--upgrade",
    "--upgrade-strategy",
    "--use-mirrors",
    "--use-pep517",
    "--use-wheel",
    "--user",
    "--verbose",
];

/// The options that a list can have, and those that get a specific error.
const KNOWN: &[Known] = &[
    known("--requirement", &["-r"], true, Place::List),
    known("--constraint", &["-c"], true, Place::List),
    known("--index-url", &["-i", "--pypi-url"], true, Place::List),
    known("--extra-index-url", &[], true, Place::List),
    known("--find-links", &["-f"], true, Place::List),
    known("--no-index", &[], false, Place::List),
    known("--no-binary", &[], true, Place::Either),
    known("--only-binary", &[], true, Place::Either),
    known("--prefer-binary", &[], false, Place::List),
    known("--pre", &[], false, Place::List),
    known("--all-releases", &[], true, Place::List),
    known("--only-final", &[], true, Place::List),
    known("--require-hashes", &[], false, Place::List),
    known("--no-require-hashes", &[], false, Place::List),
    known("--trusted-host", &[], true, Place::List),
    known("--use-feature", &[], true, Place::List),
    known("--editable", &["-e"], true, Place::List),
    known("--hash", &[], true, Place::Requirement),
    known(
        "--config-settings",
        &["-C", "--config-setting"],
        true,
        Place::Requirement,
    ),
    known("--global-option", &[], true, Place::Requirement),
];

/// Reads the options in a line of a list, which are at `place` there.
pub(super) fn read(text: &str, place: Place) -> Result<Vec<PipOption>, Mistake> {
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
                format!(
                    "`{}` follows an option, where pip does not see it",
                    quoted(&word)
                ),
                "Put each requirement on its own line, or remove it.",
            ));
        }
        if let Some(name) = with_one_dash(&word) {
            return Err(Mistake::new(
                format!("`{}` has one dash", quoted(&word)),
                format!("Write two: `{name}`."),
            ));
        }
        let (name, given) = split(&word);
        let Some(known) = by_name(name) else {
            return Err(unknown(name));
        };
        let is_ignored = place == Place::Requirement && !is_needed(known);
        if ![place, Place::Either].contains(&known.place) && !is_ignored {
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

/// The long option that a text starts with, if it has one dash too few.
pub(super) fn with_one_dash(text: &str) -> Option<&'static str> {
    let name = text.split(|c: char| c == '=' || c.is_whitespace()).next()?;
    let names = KNOWN
        .iter()
        .flat_map(|known| std::iter::once(&known.name).chain(known.others));
    let mut long = names.filter(|known| known.starts_with("--"));
    long.find(|known| name == &known[1..]).copied()
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

/// The option of this name. As for pip, the beginning of a long name is enough if no other name begins with it.
fn by_name(name: &str) -> Option<&'static Known> {
    let is_it = |known: &&Known| known.name == name || known.others.contains(&name);
    if let Some(known) = KNOWN.iter().find(is_it) {
        return Some(known);
    }
    let is_begun = |full: &&str| name.len() > 2 && name.starts_with("--") && full.starts_with(name);
    let mut begun = KNOWN.iter().filter(|known| {
        let mut names = std::iter::once(&known.name).chain(known.others);
        names.any(is_begun)
    });
    begun.next().filter(|_| begun.next().is_none())
}

/// Whether an option that pip ignores after a requirement must not be lost: it names something to install, or asks for hashes.
fn is_needed(known: &Known) -> bool {
    [
        "--requirement",
        "--constraint",
        "--editable",
        "--require-hashes",
        "--no-require-hashes",
    ]
    .contains(&known.name)
}

/// Whether pip reads the option `name` after a requirement.
pub(super) fn follows(name: &str) -> bool {
    let known = KNOWN.iter().find(|known| known.name == name);
    known.is_some_and(|known| known.place != Place::List)
}

/// The long name of the option at the start of a text.
pub(super) fn at_start(text: &str) -> Option<&'static str> {
    let end = text.find(|c: char| c == '=' || c.is_whitespace());
    let name = &text[..end.unwrap_or(text.len())];
    let known = KNOWN.iter().find(|known| known.name == name);
    known.map(|known| known.name)
}

fn unknown(name: &str) -> Mistake {
    let names = KNOWN
        .iter()
        .filter(|known| known.place != Place::Requirement && known.name != "--editable");
    let names: Vec<&str> = names.map(|known| known.name).collect();
    let message = format!(
        "the option {} is not allowed in a list of requirements",
        quoted(name)
    );
    if OF_COMMAND.contains(&name) {
        return Mistake::new(
            message,
            "Remove it: it is an option of the command `pip install`.",
        );
    }
    let allowed = || format!("The allowed options are {}.", names.join(", "));
    let help = did_you_mean(name, names.iter().copied()).unwrap_or_else(allowed);
    Mistake::new(message, help)
}

fn misplaced(known: &Known, name: &str) -> Mistake {
    if known.place == Place::Requirement {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_name_is_enough() {
        for (name, known) in [
            ("--extra-index", Some("--extra-index-url")),
            ("--find-link", Some("--find-links")),
            ("--trusted", Some("--trusted-host")),
            ("--config-setting", Some("--config-settings")),
            ("--pre", Some("--pre")),
            ("--req", None),
            ("--no", None),
            ("--", None),
            ("-", None),
        ] {
            let found = by_name(name).map(|known| known.name);
            assert_eq!(found, known, "{name}");
        }
    }

    #[test]
    fn some_options_may_be_at_either_place() {
        for place in [Place::List, Place::Requirement] {
            let found = read("--no-binary :all: --only-binary=a,b", place).unwrap();
            let names = found.iter().map(|option| option.name);
            assert!(names.eq(["--no-binary", "--only-binary"]));
        }
    }
}
