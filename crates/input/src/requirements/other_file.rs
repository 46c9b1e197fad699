//! Files that a list names as lists of requirements, and that are locks of another kind.

use std::sync::Arc;

use crate::explicit_lock::is_explicit;
use crate::python_files::{list_in_toml, lock_in_json, own_name};
use crate::{toml, yaml};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The error for such a file.
pub(super) fn error(file: &Arc<SourceFile>, text: &str) -> Option<Diagnostic> {
    let name = file.name();
    let error = |what: &str| {
        Diagnostic::new(format!("{name} is {what}, not a list for pip")).at(file, Lines::one(1))
    };
    if is_explicit(text) || is_of_conda(text) {
        let own = quoted(own_name(name));
        return Some(error("a lock of conda packages").help(format!(
            "Build from the lock itself, or name it in the environment file: `condafront: {{lock: {own}}}`."
        )));
    }
    let first = text.trim_start().chars().next();
    let found = if first == Some('{') {
        lock_in_json(&yaml::read(file, text).ok()?)
    } else if toml::is_likely(text) {
        list_in_toml(name, &toml::read(file, text).ok()?)
    } else {
        None
    }?;
    Some(error(found.what).help(found.help))
}

/// Whether a text is a conda-lock.yml or a pixi.lock: each has these keys, and no requirement has a colon after its name.
fn is_of_conda(text: &str) -> bool {
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    has("version:") && (has("package:") || has("environments:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_not_lists() {
        let shown = |name: &str, text: &str| {
            let error = error(&SourceFile::new(name, text), text);
            error.map(|error| error.to_string())
        };
        let mut all = String::new();
        for (name, text) in [
            (
                "env.lock",
                "# platform: linux-64\n@EXPLICIT\nhttps://c.example/linux-64/a-1-0.conda\n",
            ),
            ("conda-lock.yml", "version: 1\nmetadata: {}\npackage: []\n"),
            ("pixi.lock", "version: 6\nenvironments: {}\npackages: []\n"),
            ("a/uv.lock", "version = 1\nrequires-python = \">=3.12\"\n"),
            (
                "poetry.lock",
                "[[package]]\nname = \"idna\"\n[metadata]\ncontent-hash = \"0\"\n",
            ),
            ("mylock.toml", "lock-version = \"1.0\"\npackages = []\n"),
            (
                "Pipfile.lock",
                "{\n  \"_meta\": {\"pipfile-spec\": 6},\n  \"default\": {}\n}\n",
            ),
        ] {
            let error = shown(name, text).unwrap_or_else(|| panic!("{name}"));
            all.push_str(&format!("{error}\n\n"));
        }
        insta::assert_snapshot!(all);
        for (name, text) in [
            ("requirements.txt", "numpy==1.26\n"),
            ("requirements.txt", "version\nenvironments\n"),
            ("pyproject.toml", "[project]\nname = \"a\"\n"),
            ("a.json", "{\"a\": 1}"),
        ] {
            assert_eq!(shown(name, text), None, "{name}");
        }
    }
}
