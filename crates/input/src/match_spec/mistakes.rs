//! What people write for a dependency that is none, and what they mean.

use rattler_conda_types::MatchSpec;
use rattler_conda_types::match_spec::matcher::StringMatcher;

use super::is_word;
use crate::channels::Place;
use condafront_model::nearest::nearest;
use condafront_model::redact;
use condafront_model::source::Diagnostic;

/// A mistake, and what to write.
pub(super) struct Mistake {
    message: String,
    help: String,
}

impl Mistake {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }

    pub(super) fn at(self, place: Place<'_>) -> Diagnostic {
        place.error(self.message).help(self.help)
    }
}

/// The keys that brackets may have.
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
];

/// What can be told without reading the spec, some of which would be read as something else.
pub(super) fn before_parsing(text: &str) -> Option<Mistake> {
    let quoted = redact::quoted(text);
    if text.is_empty() {
        return Some(Mistake::new("a dependency is empty", "Name a package."));
    }
    if let Some(option) = text.strip_prefix('-') {
        return Some(dash(text, option));
    }
    if text.starts_with("git+") || text.contains(" @ ") || text.ends_with(".whl") {
        return Some(Mistake::new(
            format!("`{quoted}` is a package for pip, not for conda"),
            "Put it into a list `- pip:` among the dependencies.",
        ));
    }
    let is_path = text.starts_with(['.', '/', '~']) || text.starts_with("file:");
    if is_path && !text.contains("::") {
        return Some(Mistake::new(
            format!("`{quoted}` is a path on one machine: the build cannot see it"),
            "Name a package of a channel, such as numpy=1.26.",
        ));
    }
    if text.starts_with(['=', '<', '>', '!', '~', '*', ',']) {
        return Some(Mistake::new(
            format!("`{quoted}` has no package's name"),
            "Write the name first, such as numpy>=1.26. Where a list is separated by blanks, quote what belongs together: 'numpy >=1.26'.",
        ));
    }
    let unquoted = text.find('[').map_or(text, |bracket| &text[..bracket]);
    for (wrong, right) in [("=>", ">="), ("=<", "<="), ("=!", "!="), ("=~", "~=")] {
        if let Some(at) = unquoted.find(wrong)
            && !unquoted[..at].ends_with(['<', '>', '!', '~', '='])
        {
            return Some(Mistake::new(
                format!("`{quoted}` has `{wrong}` where `{right}` is meant"),
                format!("Write {}.", redact::quoted(&text.replacen(wrong, right, 1))),
            ));
        }
    }
    if unquoted.contains("&") || unquoted.contains(" and ") || unquoted.contains(" or ") {
        return Some(Mistake::new(
            format!("`{quoted}` joins conditions in words"),
            "Join them with a comma if all are to hold, with `|` if one is enough: numpy >=1.26,<2.",
        ));
    }
    None
}

fn dash(text: &str, option: &str) -> Mistake {
    let quoted = redact::quoted(text);
    let is_pips = ["e ", "r ", "-editable", "-requirement", "-index-url"]
        .iter()
        .any(|start| option.starts_with(start));
    if is_pips {
        Mistake::new(
            format!("`{quoted}` is an option of pip's, not a package"),
            "Put it into a list `- pip:` among the dependencies.",
        )
    } else if option.starts_with('-') || option.starts_with("c ") {
        Mistake::new(
            format!("`{quoted}` is an option of conda's, not a package"),
            "Name a package. Channels belong into the list `channels:`.",
        )
    } else {
        Mistake::new(
            format!("`{quoted}` begins with a dash too many"),
            "Each entry of a list begins with one dash and a blank: `- numpy`.",
        )
    }
}

/// Why the parser did not take `text`, from what it looks like, else in the parser's words.
pub(super) fn while_parsing(text: &str, error: &dyn std::fmt::Display) -> Mistake {
    let quoted = redact::quoted(text);
    let name_end = text.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)));
    let (name, rest) = text.split_at(name_end.unwrap_or(text.len()));
    let error = error.to_string();
    if let Some(key) = error.strip_prefix("invalid bracket key: ") {
        let help = match nearest(key, BRACKET_KEYS.iter().copied()) {
            Some(known) => format!("Did you mean {known}?"),
            None => format!("Brackets may have {}.", BRACKET_KEYS.join(", ")),
        };
        let key = redact::quoted(key);
        return Mistake::new(format!("`{quoted}` has the unknown key {key}"), help);
    }
    if rest.trim_start().starts_with('[') && !rest.contains('=') || rest.contains("]>") {
        return Mistake::new(
            format!("`{quoted}` has extras, as pip knows them; conda packages have none"),
            format!(
                "Leave the brackets out and list what the extra brings, or write {name}{} under `- pip:`.",
                redact::quoted(rest)
            ),
        );
    }
    if rest.contains('[') && !rest.contains(']') {
        return Mistake::new(
            format!("`{quoted}` has a bracket that is not closed"),
            "Write `]` at its end.",
        );
    }
    if error.contains("hash digest") {
        return Mistake::new(
            format!("`{quoted}` has a hash that is none"),
            "An md5 has 32 hex digits, a sha256 64.",
        );
    }
    if error.contains("malformed version") {
        return Mistake::new(
            format!("`{quoted}` has a version that is none"),
            "Versions have letters and digits with `.`, `_` or `-` between them: 1.26.0rc1, 2024a.",
        );
    }
    if rest.trim_start().starts_with(';') {
        return Mistake::new(
            format!("`{quoted}` has a condition as pip writes it"),
            "For a platform, write a comment behind the dependency, such as # [linux64].",
        );
    }
    if let Some(version) = rest.strip_prefix('@') {
        return Mistake::new(
            format!("`{quoted}` is not how conda writes a version"),
            format!("Write {name}={}.", redact::quoted(version)),
        );
    }
    if let Some(other) = rest.strip_prefix(',') {
        return Mistake::new(
            format!("`{quoted}` names several packages"),
            format!(
                "Make {name} and {} entries of their own.",
                redact::quoted(other.trim())
            ),
        );
    }
    if let Some(version) = rest.trim_start().strip_prefix("===") {
        return Mistake::new(
            format!("`{quoted}` has `===`, which conda does not know"),
            format!("Write {name}=={}.", redact::quoted(version.trim())),
        );
    }
    if text.ends_with(['=', '<', '>', '~', '!', ',', '|']) {
        return Mistake::new(
            format!("`{quoted}` ends where a version should follow"),
            format!("Write a version behind it, or `{name}` alone for any."),
        );
    }
    if text.starts_with(['"', '\'', '`']) {
        return Mistake::new(
            format!("`{quoted}` has quotes inside of quotes"),
            "Write the dependency without them.",
        );
    }
    if error.contains("looks like a glob") || error.contains("looks like a regex") {
        return several_packages(text);
    }
    if rest.contains(['{', '$', '%']) || text.starts_with(['{', '$', '%']) {
        return Mistake::new(
            format!("`{quoted}` has something in it that is not filled in"),
            "Dependencies are taken as they stand; write the name and version themselves.",
        );
    }
    Mistake::new(
        format!("`{quoted}` is no dependency that conda knows: {error}"),
        "Write a package's name and, if need be, its version: numpy, numpy=1.26, numpy >=1.26,<2, conda-forge::numpy.",
    )
}

/// A name, and brackets with a URL or file of something else.
pub(super) fn another_package(text: &str, found: &str) -> Mistake {
    Mistake::new(
        format!(
            "`{}` names two packages: what is in its brackets is {found}",
            redact::quoted(text)
        ),
        "Write the name, the version and the channel of the one that you mean.",
    )
}

/// A pattern in the place of a name.
pub(super) fn several_packages(text: &str) -> Mistake {
    Mistake::new(
        format!("`{}` may mean several packages", redact::quoted(text)),
        "Name one; patterns are for versions and builds.",
    )
}

/// What was read, but as something that nobody means.
pub(super) fn after_parsing(text: &str, spec: &MatchSpec) -> Option<Mistake> {
    let quoted = redact::quoted(text);
    if let Some(namespace) = &spec.namespace {
        let name = spec.name.to_string();
        if text.contains("namespace") {
            return Some(Mistake::new(
                format!("`{quoted}` asks for a namespace, which packages do not have"),
                "For a channel, write channel::name.",
            ));
        }
        let help = if name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("Write {}={name}.", redact::quoted(namespace))
        } else {
            format!(
                "Write two for a channel: {}::{name}.",
                redact::quoted(namespace)
            )
        };
        return Some(Mistake::new(format!("`{quoted}` has a single colon"), help));
    }
    if let Some(version) = &spec.version
        && is_word(version)
    {
        let version = version.to_string();
        let other = version.trim_start_matches("==");
        return Some(Mistake::new(
            format!("`{quoted}` names two packages: to conda, {other} is a version here"),
            "Make each package an entry of its own.",
        ));
    }
    let build = match &spec.build {
        Some(StringMatcher::Regex(_)) | None => return None,
        Some(build) => build.to_string(),
    };
    if build.contains(['<', '>', '=', '!', '~']) {
        return Some(Mistake::new(
            format!("`{quoted}` has a second condition without a comma"),
            "Write a comma between conditions: numpy >=1.26,<2.",
        ));
    }
    if build.contains(char::is_whitespace) {
        return Some(Mistake::new(
            format!("`{quoted}` has more than a name, a version and a build"),
            "Make each package an entry of its own.",
        ));
    }
    None
}
