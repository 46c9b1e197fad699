//! Common mistakes in dependencies, and what was probably meant. Advice keeps the version and the build.

use super::line::{channel_option, dash, listed, single_colon};
use super::parts::Parts;
use super::{notation, of_extras, of_pip, pattern};
use crate::leftover;
use crate::look_alike;
use crate::mistake::Mistake;
use condafront_model::nearest::did_you_mean;
use condafront_model::redact::quoted;
use condafront_model::visible::unfit;

/// The keys that brackets may contain.
const BRACKET_KEYS: &[&str] = &[
    "version",
    "build",
    "build_number",
    "channel",
    "subdir",
    "md5",
    "sha256",
    "fn",
    "url",
    "license",
    "license_family",
    "track_features",
    "extras",
    "flags",
    "when",
];

/// Mistakes that can be recognised before parsing, some of which would be parsed as something else.
pub(super) fn before_parsing(text: &str) -> Option<Mistake> {
    let unquoted = text.find('[').map_or(text, |bracket| &text[..bracket]);
    of_another_kind(text, unquoted)
        .or_else(|| channel_option(text))
        .or_else(|| listed(text))
        .or_else(|| notation::mistake(text))
        .or_else(|| misspelt(text, unquoted))
        .or_else(|| single_colon(text))
}

/// What is no dependency of conda, or not one yet: an option or a requirement of pip, a template, a placeholder.
fn of_another_kind(text: &str, unquoted: &str) -> Option<Mistake> {
    let shown = quoted(text);
    if text.is_empty() {
        return Some(Mistake::new("a dependency is empty", "Name a package."));
    }
    if let Some(what) = unfit(text) {
        return Some(Mistake::new(
            format!("`{shown}` contains {what}"),
            "Remove it.",
        ));
    }
    if let Some(found) = look_alike::find(text.split('#').next().unwrap_or_default()) {
        return Some(found.mistake(text));
    }
    if text.starts_with(['"', '\'', '`']) {
        return Some(Mistake::new(
            format!("`{shown}` has quotes inside quotes"),
            "Write the dependency without them.",
        ));
    }
    if let Some(mistake) = of_pip::mistake(text) {
        return Some(mistake);
    }
    if let Some(option) = text.strip_prefix('-') {
        return Some(dash(text, option));
    }
    if let Some(found) = leftover::template(text) {
        return Some(leftover::not_rendered(found));
    }
    if !text.contains("://") && leftover::has_placeholder(unquoted) {
        return Some(Mistake::new(
            format!("`{shown}` contains a placeholder that is not filled in"),
            "Write the name and version themselves: dependencies are used as written.",
        ));
    }
    // One that starts with `if` is conda's own, in another form.
    let condition = unquoted
        .split_once(';')
        .map(|(_, condition)| condition.trim_start());
    condition.is_some_and(|it| !it.starts_with("if ")).then(|| {
        Mistake::new(
            format!("`{shown}` has a pip-style condition"),
            "For a platform, write a comment after the dependency, such as # [linux64].",
        )
    })
}

/// A path, and slips of those who write a MatchSpec.
fn misspelt(text: &str, unquoted: &str) -> Option<Mistake> {
    let shown = quoted(text);
    let is_path = text.starts_with(['.', '/', '~']) || text.starts_with("file:");
    if (is_path || unquoted.contains('\\') && !unquoted.contains('^')) && !text.contains("::") {
        return Some(Mistake::new(
            format!("`{shown}` is a local path, which the build cannot see"),
            "Name a package from a channel, such as numpy=1.26.",
        ));
    }
    if text.starts_with(['=', '<', '>', '!', '~', '*', ',']) {
        return Some(Mistake::new(
            format!("`{shown}` has no package name"),
            "Write the name first, as in numpy>=1.26. In a list separated by spaces, quote what belongs together: 'numpy >=1.26'.",
        ));
    }
    for (wrong, right) in [("=>", ">="), ("=<", "<="), ("=!", "!="), ("=~", "~=")] {
        if let Some(at) = unquoted.find(wrong)
            && !unquoted[..at].ends_with(['<', '>', '!', '~', '='])
        {
            return Some(Mistake::new(
                format!("`{shown}` has `{wrong}` instead of `{right}`"),
                format!("Write {}.", quoted(&text.replacen(wrong, right, 1))),
            ));
        }
    }
    if unquoted.contains('&') || unquoted.contains(" and ") || unquoted.contains(" or ") {
        let mut joined = text.to_owned();
        for (words, sign) in [("&&", ","), ("&", ","), (" and ", ","), (" or ", "|")] {
            let parts: Vec<&str> = joined.split(words).map(str::trim).collect();
            joined = parts.join(sign);
        }
        return Some(Mistake::new(
            format!("`{shown}` joins conditions with `&`, `and` or `or`"),
            format!(
                "Join them with a comma if all must hold, with `|` if one is enough: {}.",
                quoted(&joined)
            ),
        ));
    }
    text.ends_with([',', '|']).then(|| no_version(text))
}

/// What to write instead of a URL that is not a package.
pub(super) fn instead_of_url(text: &str) -> String {
    let (folder, file) = text.rsplit_once('/').unwrap_or(("", text));
    match file.split_once(':') {
        Some((channel, spec)) if !spec.starts_with(|c: char| c.is_ascii_digit()) => format!(
            "Write two colons after a channel: {}.",
            quoted(&format!("{folder}/{channel}::{spec}"))
        ),
        _ => "Name the package and, if needed, its version: numpy=1.26. Put pip packages in the `pip:` list.".to_owned(),
    }
}

/// A condition without its version.
fn no_version(text: &str) -> Mistake {
    let rest = text.trim_end_matches(['=', '<', '>', '~', '!', ',', '|', ' ']);
    let is_name = Parts::of(rest).name().1.is_empty();
    Mistake::new(
        format!("`{}` ends without a version", quoted(text)),
        if is_name {
            format!(
                "Add a version after it, or write `{}` alone for any version.",
                quoted(rest)
            )
        } else {
            format!("Add a version after it, or write {}.", quoted(rest))
        },
    )
}

/// Why the parser refused `text`.
pub(super) fn while_parsing(
    text: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Mistake {
    refused(text, &error.to_string()).caused_by(error)
}

/// The likely mistake in `text`, which is invalid, or else `error`, the message about it.
pub(super) fn refused(text: &str, error: &str) -> Mistake {
    let shown = quoted(text);
    let name_end = text.find(|c: char| !(c.is_alphanumeric() || "-_.:/".contains(c)));
    let (name, rest) = text.split_at(name_end.unwrap_or(text.len()));
    if let Some(key) = error.strip_prefix("invalid bracket key: ") {
        let help = did_you_mean(key, BRACKET_KEYS.iter().copied())
            .unwrap_or_else(|| format!("Use one of {}.", BRACKET_KEYS.join(", ")));
        let key = quoted(key);
        return Mistake::new(format!("`{shown}` has the unknown key {key}"), help);
    }
    in_brackets(text, name, rest)
        .or_else(|| of_extras::refused(text, error))
        .or_else(|| {
            error.contains("hash digest").then(|| {
                Mistake::new(
                    format!("`{shown}` has an invalid hash"),
                    "Write 32 hex digits for md5, 64 for sha256.",
                )
            })
        })
        .or_else(|| pattern::mistake(text))
        .or_else(|| in_version(text, error, name, rest))
        .unwrap_or_else(|| {
            let message = format!("`{shown}` is not a valid dependency: {error}");
            Mistake::new(message, FORMS)
        })
}

/// A mistake in the brackets of `text`, which consists of a `name` and the `rest`.
fn in_brackets(text: &str, name: &str, rest: &str) -> Option<Mistake> {
    let shown = quoted(text);
    let in_brackets = rest
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let of_version = text
        .split_once("[version")
        .filter(|(_, condition)| condition.starts_with([' ', '<', '>', '!', '~']))
        .and_then(|(before, condition)| Some((before, condition.strip_suffix(']')?.trim())));
    if let Some((before, condition)) = of_version {
        return Some(Mistake::new(
            format!("`{shown}` has a version without `=` and quotes in its brackets"),
            format!(
                "Write {}.",
                quoted(&format!("{before}[version='{condition}']"))
            ),
        ));
    }
    if let Some((inside, after)) = in_brackets
        && after.is_empty()
        && let Some(operator) = match inside.chars().next() {
            Some('<' | '>' | '!' | '~') => Some(""),
            Some('0'..='9') => Some("="),
            _ => None,
        }
    {
        return Some(Mistake::new(
            format!("`{shown}` has a version in brackets"),
            format!("Write {name}{operator}{}.", quoted(inside)),
        ));
    }
    if in_brackets.is_some_and(|(inside, _)| !inside.contains('=')) || rest.contains("]>") {
        return Some(Mistake::new(
            format!("`{shown}` has pip extras, which conda packages do not have"),
            format!(
                "Remove the brackets and list the packages that the extra adds, or write {name}{} under `- pip:`.",
                quoted(rest)
            ),
        ));
    }
    (rest.contains('[') && !rest.contains(']')).then(|| {
        Mistake::new(
            format!("`{shown}` has an unclosed bracket"),
            "Add `]` at the end.",
        )
    })
}

/// A mistake in the version of `text`, or in its name, which ends where the `rest` begins.
fn in_version(text: &str, error: &str, name: &str, rest: &str) -> Option<Mistake> {
    let shown = quoted(text);
    if error.contains("malformed version") {
        return Some(Mistake::new(
            format!("`{shown}` has an invalid version"),
            "Use letters and digits with `.`, `_` or `-` between them: 1.26.0rc1, 2024a.",
        ));
    }
    if let Some(version) = rest.strip_prefix('@') {
        return Some(Mistake::new(
            format!("`{shown}` is not how conda versions are written"),
            format!(
                "Write {}.",
                quoted(&format!("{name}{}", notation::of_npm(version)))
            ),
        ));
    }
    if let Some(other) = rest.strip_prefix(',') {
        return Some(Mistake::new(
            format!("`{shown}` names several packages"),
            format!(
                "Write {name} and {} as separate entries.",
                quoted(other.trim())
            ),
        ));
    }
    if text.ends_with(['=', '<', '>', '~', '!']) {
        return Some(no_version(text));
    }
    if error.contains("looks like a glob") || error.contains("looks like a regex") {
        return Some(several_packages(text));
    }
    let quotes = ['"', '\''];
    if rest.matches(quotes).count() == 2 && !rest.contains('[') {
        return Some(Mistake::new(
            format!("`{shown}` has quotes around a part of it"),
            format!("Write {}.", quoted(&text.replace(quotes, ""))),
        ));
    }
    error
        .starts_with("invalid package name")
        .then(|| invalid_name(text))
}

const FORMS: &str = "Write a package name and, if needed, a version: numpy, numpy=1.26, numpy >=1.26,<2, conda-forge::numpy.";

/// A name with other characters than a package's.
fn invalid_name(text: &str) -> Mistake {
    let parts = Parts::of(text);
    let (name, rest) = parts.name();
    let is_word = |word: &&str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let channel = name
        .split_once('/')
        .filter(|(channel, name)| is_word(channel) && is_word(name));
    Mistake::new(
        format!(
            "`{}` is not a valid package name: it can have letters from a to z, digits, `-`, `_` and `.`",
            quoted(name)
        ),
        match channel.filter(|_| parts.channel.is_none()) {
            Some((channel, name)) => format!(
                "Write two colons after a channel: {}.",
                quoted(&format!("{channel}::{name}{rest}"))
            ),
            None => FORMS.to_owned(),
        },
    )
}

/// A name, and brackets with the URL or file of another package.
pub(super) fn another_package(text: &str, found: &str) -> Mistake {
    Mistake::new(
        format!(
            "`{}` names two packages: the one in its brackets is {found}",
            quoted(text)
        ),
        "Write the name, the version and the channel of the one you mean.",
    )
}

/// A pattern instead of a name.
pub(super) fn several_packages(text: &str) -> Mistake {
    Mistake::new(
        format!("`{}` may match several packages", quoted(text)),
        "Name one package; patterns are for versions and builds.",
    )
}
