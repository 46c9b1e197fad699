//! Files of Python's packaging tools, which name no conda packages: whose they are, and how an environment gets what they
//! ask for.

use crate::yaml::Node;
use condafront_model::redact::quoted;

/// A file of such a tool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PythonFile {
    /// What it is: `a uv lock file`.
    pub(crate) what: &'static str,
    /// What to do.
    pub(crate) help: String,
}

/// Whether a file with this path is a `pylock.toml`, as its name says.
pub(crate) fn is_pylock(path: &str) -> bool {
    let inside = own_name(path).strip_prefix("pylock.");
    let inside = inside.and_then(|rest| rest.strip_suffix("toml"));
    match inside {
        Some("") => true,
        Some(rest) => {
            let part = rest.strip_suffix('.').unwrap_or_default();
            !part.is_empty() && !part.contains('.')
        }
        None => false,
    }
}

/// What the TOML file at `path` is, if it lists PyPI packages.
pub(crate) fn list_in_toml(path: &str, tree: &Node) -> Option<PythonFile> {
    let own = own_name(path);
    let has = |key: &str| tree.get(key).is_some();
    let is_list = |key: &str| tree.get(key).is_some_and(|node| node.list().is_some());
    let is_table = |key: &str| tree.get(key).is_some_and(|node| node.mapping().is_some());
    let metadata = |key: &str| {
        tree.get("metadata")
            .is_some_and(|node| node.get(key).is_some())
    };
    if has("lock-version") && is_list("packages") {
        let what = "a lock of PyPI packages";
        Some(PythonFile {
            what,
            help: if is_pylock(own) {
                let list = in_environment(&format!("-r {}", quoted(own)));
                format!("Name it in an environment file: {list}.")
            } else {
                let list = in_environment("-r pylock.toml");
                format!("Rename it to pylock.toml, and name it in an environment file: {list}.")
            },
        })
    } else if (is_list("package") && has("requires-python")) || own == "uv.lock" {
        Some(PythonFile {
            what: "a uv lock file",
            help: format!(
                "Write a pylock.toml with `uv export --format pylock.toml -o pylock.toml`, and name it in an environment file: {}.",
                in_environment("-r pylock.toml")
            ),
        })
    } else if (is_list("package") && metadata("content-hash")) || own == "poetry.lock" {
        Some(exported(
            "a Poetry lock file",
            "poetry export -o requirements.txt",
        ))
    } else if is_list("package") && metadata("content_hash") {
        Some(exported(
            "a PDM lock file",
            "pdm export -o requirements.txt",
        ))
    } else if is_table("packages") && (is_list("source") || own == "Pipfile") {
        Some(of_pipenv("a Pipfile"))
    } else {
        None
    }
}

/// What the JSON file `tree` is, if it is a lock of PyPI packages.
pub(crate) fn lock_in_json(tree: &Node) -> Option<PythonFile> {
    let meta = tree.get("_meta")?;
    let is_it = meta.get("pipfile-spec").is_some() || tree.get("default").is_some();
    is_it.then(|| of_pipenv("a Pipenv lock file"))
}

/// A file of Pipenv, which is `what`.
fn of_pipenv(what: &'static str) -> PythonFile {
    exported(what, "pipenv requirements > requirements.txt")
}

/// A file that `command` turns into a list for pip.
fn exported(what: &'static str, command: &str) -> PythonFile {
    PythonFile {
        what,
        help: format!(
            "Write a list for pip with `{command}`, and name it in an environment file: {}.",
            in_environment("-r requirements.txt")
        ),
    }
}

/// An environment file with `entry` for pip.
pub(crate) fn in_environment(entry: &str) -> String {
    format!("`dependencies: [python, pip, {{pip: [{entry}]}}]`")
}

/// How to build an environment with a project that needs `python`.
pub(crate) fn project_help(python: &str) -> String {
    format!(
        "Build from an environment file that installs it: `dependencies: [{python}, pip, {{pip: [.]}}]`."
    )
}

/// The last part of a path.
pub(crate) fn own_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{toml, yaml};
    use condafront_model::source::SourceFile;

    fn in_toml(path: &str, text: &str) -> Option<PythonFile> {
        let file = SourceFile::new(path, text);
        list_in_toml(path, &toml::read(&file, text).unwrap())
    }

    #[test]
    fn locks_are_told_apart() {
        let pylock = "lock-version = \"1.0\"\npackages = []\n";
        for (path, text, what) in [
            ("pylock.toml", pylock, "a lock of PyPI packages"),
            ("mylock.toml", pylock, "a lock of PyPI packages"),
            (
                "a/uv.lock",
                "version = 1\nrequires-python = \">=3.12\"\n",
                "a uv lock file",
            ),
            (
                "poetry.lock",
                "[metadata]\nlock-version = \"999.0\"\n",
                "a Poetry lock file",
            ),
            (
                "pdm.lock",
                "[metadata]\ncontent_hash = \"0\"\n[[package]]\nname = \"idna\"\n",
                "a PDM lock file",
            ),
            ("Pipfile", "[packages]\nidna = \"*\"\n", "a Pipfile"),
            (
                "other",
                "[[source]]\nname = \"pypi\"\n[packages]\nidna = \"*\"\n",
                "a Pipfile",
            ),
        ] {
            let found = in_toml(path, text).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(found.what, what, "{path}");
            let is_renamed = found.help.starts_with("Rename it to pylock.toml");
            assert_eq!(is_renamed, path == "mylock.toml", "{}", found.help);
        }
        for (path, text) in [
            ("Cargo.lock", "version = 4\n[[package]]\nname = \"a\"\n"),
            ("Project.toml", "name = \"a\"\n[deps]\nB = \"0\"\n"),
        ] {
            assert_eq!(in_toml(path, text), None, "{path}");
        }
    }

    #[test]
    fn the_lock_of_pipenv_is_json() {
        let read = |text: &str| {
            let file = SourceFile::new("Pipfile.lock", text);
            lock_in_json(&yaml::read(&file, text).unwrap())
        };
        let lock = "{\"_meta\": {\"pipfile-spec\": 6}, \"default\": {}, \"develop\": {}}";
        assert_eq!(read(lock).unwrap().what, "a Pipenv lock file");
        // That of Spack.
        assert_eq!(read("{\"_meta\": {\"lockfile-version\": 5}}"), None);
    }
}
