//! `${NAME}` in lines of requirement lists, as pip reads it.

use std::collections::BTreeSet;

/// Replaces each `${NAME}` in `text` that has a value.
pub fn with_values(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = variable(rest) {
        filled.push_str(before);
        match value(name).filter(|value| !value.is_empty()) {
            Some(value) => filled.push_str(&value),
            None => filled.extend(["${", name, "}"]),
        }
        rest = after;
    }
    filled + rest
}

/// Whether a build-arg gives the version of a package that otherwise asks git for it: builds of packages see it, as
/// they would outside.
pub fn is_version(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "PBR_VERSION",
        "PDM_BUILD_SCM_VERSION",
        "POETRY_DYNAMIC_VERSIONING_BYPASS",
        "SETUPTOOLS_SCM_PRETEND_VERSION",
        "UV_DYNAMIC_VERSIONING_BYPASS",
    ];
    NAMES.contains(&name) || name.starts_with("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_")
}

/// The names of the variables in `text`.
pub fn variables(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some((_, name, after)) = variable(rest) {
        names.insert(name);
        rest = after;
    }
    names
}

/// The first variable in `text`, with the text before and after it. pip only knows `${NAME}`, in capitals.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("${") {
        let (before, inside) = (&text[..from + at], &text[from + at + 2..]);
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let end = inside.find(|c| !is_name(c)).unwrap_or(inside.len());
        if end > 0 && inside[end..].starts_with('}') {
            return Some((before, &inside[..end], &inside[end + 1..]));
        }
        from += at + 2;
    }
    None
}
