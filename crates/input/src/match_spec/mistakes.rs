//! Common mistakes in dependencies, and what was probably meant.

use rattler_conda_types::match_spec::matcher::StringMatcher;
use rattler_conda_types::{MatchSpec, VersionSpec};

use crate::mistake::Mistake;
use condafront_model::nearest::did_you_mean;
use condafront_model::redact;

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
];

/// Mistakes that can be recognised before parsing, some of which would be parsed as something else.
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
            format!("`{quoted}` is a pip package, not a conda package"),
            "Put it in a `- pip:` list under `dependencies:`.",
        ));
    }
    let is_path = text.starts_with(['.', '/', '~']) || text.starts_with("file:");
    if is_path && !text.contains("::") {
        return Some(Mistake::new(
            format!("`{quoted}` is a local path, which the build cannot see"),
            "Name a package from a channel, such as numpy=1.26.",
        ));
    }
    if text.starts_with(['=', '<', '>', '!', '~', '*', ',']) {
        return Some(Mistake::new(
            format!("`{quoted}` has no package name"),
            "Write the name first, as in numpy>=1.26. In a list separated by spaces, quote what belongs together: 'numpy >=1.26'.",
        ));
    }
    let unquoted = text.find('[').map_or(text, |bracket| &text[..bracket]);
    for (wrong, right) in [("=>", ">="), ("=<", "<="), ("=!", "!="), ("=~", "~=")] {
        if let Some(at) = unquoted.find(wrong)
            && !unquoted[..at].ends_with(['<', '>', '!', '~', '='])
        {
            return Some(Mistake::new(
                format!("`{quoted}` has `{wrong}` instead of `{right}`"),
                format!("Write {}.", redact::quoted(&text.replacen(wrong, right, 1))),
            ));
        }
    }
    if unquoted.contains('&') || unquoted.contains(" and ") || unquoted.contains(" or ") {
        return Some(Mistake::new(
            format!("`{quoted}` joins conditions with `&`, `and` or `or`"),
            "Join them with a comma if all must hold, with `|` if one is enough: numpy >=1.26,<2.",
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
            format!("`{quoted}` is a pip option, not a package"),
            "Put it in a `- pip:` list under `dependencies:`.",
        )
    } else if option.starts_with('-') || option.starts_with("c ") {
        Mistake::new(
            format!("`{quoted}` is a conda option, not a package"),
            "Name a package. Put channels in the `channels:` list.",
        )
    } else {
        Mistake::new(
            format!("`{quoted}` starts with an extra dash"),
            "Start each entry of a list with one dash and a space: `- numpy`.",
        )
    }
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
    let quoted = redact::quoted(text);
    let name_end = text.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)));
    let (name, rest) = text.split_at(name_end.unwrap_or(text.len()));
    if let Some(key) = error.strip_prefix("invalid bracket key: ") {
        let help = did_you_mean(key, BRACKET_KEYS.iter().copied())
            .unwrap_or_else(|| format!("Use one of {}.", BRACKET_KEYS.join(", ")));
        let key = redact::quoted(key);
        return Mistake::new(format!("`{quoted}` has the unknown key {key}"), help);
    }
    if rest.trim_start().starts_with('[') && !rest.contains('=') || rest.contains("]>") {
        return Mistake::new(
            format!("`{quoted}` has pip extras, which conda packages do not have"),
            format!(
                "Remove the brackets and list the packages that the extra adds, or write {name}{} under `- pip:`.",
                redact::quoted(rest)
            ),
        );
    }
    if rest.contains('[') && !rest.contains(']') {
        return Mistake::new(
            format!("`{quoted}` has an unclosed bracket"),
            "Add `]` at the end.",
        );
    }
    if error.contains("hash digest") {
        return Mistake::new(
            format!("`{quoted}` has an invalid hash"),
            "Write 32 hex digits for md5, 64 for sha256.",
        );
    }
    if error.contains("malformed version") {
        return Mistake::new(
            format!("`{quoted}` has an invalid version"),
            "Use letters and digits with `.`, `_` or `-` between them: 1.26.0rc1, 2024a.",
        );
    }
    if rest.trim_start().starts_with(';') {
        return Mistake::new(
            format!("`{quoted}` has a pip-style condition"),
            "For a platform, write a comment after the dependency, such as # [linux64].",
        );
    }
    if let Some(version) = rest.strip_prefix('@') {
        return Mistake::new(
            format!("`{quoted}` is not how conda versions are written"),
            format!("Write {name}={}.", redact::quoted(version)),
        );
    }
    if let Some(other) = rest.strip_prefix(',') {
        return Mistake::new(
            format!("`{quoted}` names several packages"),
            format!(
                "Write {name} and {} as separate entries.",
                redact::quoted(other.trim())
            ),
        );
    }
    if let Some(version) = rest.trim_start().strip_prefix("===") {
        return Mistake::new(
            format!("`{quoted}` has `===`, which conda does not support"),
            format!("Write {name}=={}.", redact::quoted(version.trim())),
        );
    }
    if text.ends_with(['=', '<', '>', '~', '!', ',', '|']) {
        return Mistake::new(
            format!("`{quoted}` ends without a version"),
            format!("Add a version after it, or write `{name}` alone for any version."),
        );
    }
    if text.starts_with(['"', '\'', '`']) {
        return Mistake::new(
            format!("`{quoted}` has quotes inside quotes"),
            "Write the dependency without them.",
        );
    }
    if error.contains("looks like a glob") || error.contains("looks like a regex") {
        return several_packages(text);
    }
    if rest.contains(['{', '$', '%']) || text.starts_with(['{', '$', '%']) {
        return Mistake::new(
            format!("`{quoted}` contains a placeholder that is not filled in"),
            "Write the name and version themselves: dependencies are used as written.",
        );
    }
    Mistake::new(
        format!("`{quoted}` is not a valid dependency: {error}"),
        "Write a package name and, if needed, a version: numpy, numpy=1.26, numpy >=1.26,<2, conda-forge::numpy.",
    )
}

/// A name, and brackets with the URL or file of another package.
pub(super) fn another_package(text: &str, found: &str) -> Mistake {
    Mistake::new(
        format!(
            "`{}` names two packages: the one in its brackets is {found}",
            redact::quoted(text)
        ),
        "Write the name, the version and the channel of the one you mean.",
    )
}

/// A pattern instead of a name.
pub(super) fn several_packages(text: &str) -> Mistake {
    Mistake::new(
        format!("`{}` may match several packages", redact::quoted(text)),
        "Name one package; patterns are for versions and builds.",
    )
}

/// Specs that are valid, but mean something that nobody intends.
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
                "Write two colons for a channel: {}::{name}.",
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
            format!("`{quoted}` names two packages: conda would read {other} as a version"),
            "Write each package as a separate entry.",
        ));
    }
    let build = match &spec.build {
        Some(StringMatcher::Regex(_)) | None => return None,
        Some(build) => build.to_string(),
    };
    if build.contains(['<', '>', '=', '!', '~']) {
        return Some(Mistake::new(
            format!("`{quoted}` has two conditions without a comma"),
            "Write a comma between conditions: numpy >=1.26,<2.",
        ));
    }
    if build.contains(char::is_whitespace) {
        return Some(Mistake::new(
            format!("`{quoted}` has more than a name, a version and a build"),
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
