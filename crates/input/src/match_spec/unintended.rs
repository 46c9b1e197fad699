//! Dependencies that are valid, but mean something other than what they seem to.

use rattler_conda_types::match_spec::matcher::StringMatcher;
use rattler_conda_types::{MatchSpec, VersionSpec};

use super::of_extras;
use super::parts::Parts;
use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// Specs that are valid, but mean something that nobody intends.
pub(super) fn mistake(text: &str, parts: Parts<'_>, spec: &MatchSpec) -> Option<Mistake> {
    let shown = quoted(text);
    if spec.namespace.is_some() {
        return Some(Mistake::new(
            format!("`{shown}` asks for a namespace, which packages do not have"),
            "For a channel, write channel::name.",
        ));
    }
    if let Some(mistake) = spec
        .condition
        .as_ref()
        .and_then(|it| of_extras::condition(text, it))
    {
        return Some(mistake);
    }
    let (_, rest) = parts.name();
    let (word, build) = parts.version_and_build();
    let is_separate =
        rest.starts_with(char::is_whitespace) && word.starts_with(char::is_alphabetic);
    if let Some(version) = &spec.version
        && is_word(version)
        && is_separate
        && !build.is_some_and(is_build)
    {
        let help = "Write each package as a separate entry";
        let (name, word) = (quoted(parts.name().0), quoted(word));
        return Some(Mistake::new(
            format!("`{shown}` names two packages: conda would read {word} as a version"),
            match build {
                None => format!("{help}, or {name}={word} if {word} is a version of {name}."),
                Some(_) => format!("{help}."),
            },
        ));
    }
    let build = match &spec.build {
        Some(StringMatcher::Regex(_)) | None => return None,
        Some(build) => build.to_string(),
    };
    let is_condition = |text: &str| text.starts_with('=') || text.contains(['<', '>', '!', '~']);
    if build.contains('=') && !is_condition(&build) {
        return Some(Mistake::new(
            format!("`{shown}` has more than a name, a version and a build"),
            "Write NAME=VERSION=BUILD.",
        ));
    }
    if let Some(bare) = build.strip_prefix('=')
        && let Some(at) = text.rfind(&build)
        && text[..at].ends_with('=')
    {
        return Some(Mistake::new(
            format!("`{shown}` has two equals signs before its build"),
            format!("Write {}.", quoted(&format!("{}{bare}", &text[..at]))),
        ));
    }
    if build.contains(['<', '>', '=', '!', '~'])
        && let Some(at) = text.rfind(&build)
    {
        let joined = format!("{},{}", text[..at].trim_end(), &text[at..]);
        return Some(Mistake::new(
            format!("`{shown}` has two conditions without a comma"),
            format!("Write a comma between conditions: {}.", quoted(&joined)),
        ));
    }
    if build.contains(char::is_whitespace) {
        return Some(Mistake::new(
            format!("`{shown}` has more than a name, a version and a build"),
            "Write each package as a separate entry.",
        ));
    }
    None
}

/// Whether a version is a bare word, such as `scipy`.
fn is_word(version: &VersionSpec) -> bool {
    let version = version.to_string();
    let version = version.trim_start_matches("==");
    version != "*" && !version.contains(|c: char| c.is_ascii_digit())
}

/// Whether a word is a build, such as `py37_1`: those that tools write end in a build number.
fn is_build(word: &str) -> bool {
    let number = word.rsplit_once('_').map_or("", |(_, number)| number);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Valid dependencies that do not do what they seem to.
pub(super) fn doubt(text: &str, parts: Parts<'_>, spec: &str) -> Option<Mistake> {
    if let Some(namespace) = parts.namespace {
        let (shown, spec) = (quoted(namespace), quoted(parts.spec));
        let channel = parts.channel.unwrap_or(namespace);
        let meant = quoted(&format!("{channel}::{}", parts.spec));
        let help = match (namespace, parts.channel) {
            ("pip" | "pypi", _) => format!(
                "To have pip install it, write `{spec}` in a `- pip:` list. Otherwise remove `{shown}:`."
            ),
            (_, Some(_)) => format!("Write `{meant}`."),
            (_, None) => {
                format!("Write `{meant}` for a package of that channel, or remove `{shown}:`.")
            }
        };
        return Some(Mistake::new(
            format!("`{shown}:` has no effect: conda ignores what comes before a single colon"),
            help,
        ));
    }
    (parts.spec.trim_end().ends_with('=') && !spec.ends_with('=')).then(|| {
        Mistake::new(
            format!(
                "`{}` has no version after `=`: any version fits",
                quoted(text)
            ),
            format!("Add the version, or write `{}`.", quoted(spec)),
        )
    })
}
