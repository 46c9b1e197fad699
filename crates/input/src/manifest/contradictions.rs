//! Keys of a manifest, and in the table of a dependency, that contradict each other. What pixi refuses is refused here
//! (`crates/pixi_spec/src/toml.rs` and `crates/pixi_pypi_spec/src/toml.rs` of its source), and for `[tool.uv.sources]` what uv
//! refuses.

use super::kind::Tool;
use super::workspace::Workspace;
use crate::place::Place;
use crate::yaml::{Key, Node, ScalarKind, Value};
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::PackageId;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// Where a package comes from, if not from a channel or an index.
const PLACES: &[&str] = &["path", "git", "url"];

/// Which commit of a repository is meant, the most exact first.
const COMMITS: &[&str] = &["rev", "tag", "branch"];

/// What a dependency in a channel has and one from elsewhere does not.
const OF_CHANNEL: &[&str] = &["channel", "file-name", "license-family"];

/// What chooses among packages.
const CHOOSING: &[&str] = &[
    "version",
    "build",
    "build-number",
    "extras",
    "flags",
    "subdir",
    "license",
    "when",
    "track-features",
];

/// Checks that the table about the project does not have its old name as well, which conda-workspaces does not read then.
///
/// # Errors
/// If it has, and pixi would refuse that.
pub(super) fn check_headers(workspace: &Workspace<'_>) -> Result<Option<Warning>, Diagnostic> {
    let keys = workspace.root.mapping().unwrap_or_default().iter();
    let mut old = keys.filter(|(key, _)| key.name == "project");
    let (Some((old, _)), Some(_)) = (old.next(), workspace.root.get("workspace")) else {
        return Ok(None);
    };
    let error = workspace
        .at(Lines::one(old.lines.first as usize))
        .error("`project` is the old name of `workspace`, and has no effect beside it")
        .help("Move what it says to `workspace`, and remove it.");
    match workspace.kind.tool {
        Tool::Pixi => Err(error),
        Tool::Conda => Ok(Some(Warning {
            rule: Rule::Ignored,
            diagnostic: error,
        })),
    }
}

/// The table of the dependency `name`.
pub(super) struct Table<'a> {
    /// The package's name.
    pub(super) name: &'a str,
    /// Where it is asked for.
    pub(super) place: Place<'a>,
    /// Its fields.
    pub(super) fields: &'a [&'a (Key, Node)],
}

impl<'a> Table<'a> {
    fn get(&self, name: &str) -> Option<&'a (Key, Node)> {
        self.fields
            .iter()
            .find(|(key, _)| key.name == name)
            .copied()
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The first of `names` that the table has.
    fn first<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    fn error(&self, key: &str, message: String) -> Diagnostic {
        let lines = self.get(key).map_or(self.place.lines, |(key, _)| key.lines);
        Place {
            lines,
            ..self.place
        }
        .error(message)
    }

    /// Refuses the keys `others` beside `key`.
    fn refuse(&self, key: &str, others: &[&str], why: &str) -> Result<(), Diagnostic> {
        match self.first(others) {
            None => Ok(()),
            Some(other) => Err(self
                .error(
                    other,
                    format!(
                        "`{}` cannot have `{other}` beside `{key}`: {why}",
                        self.shown()
                    ),
                )
                .help(format!("Remove `{other}`, or `{key}`."))),
        }
    }

    fn shown(&self) -> String {
        quoted(self.name)
    }

    /// What applies to all tables. `places` are the keys of which a table can have one.
    fn check_place(&self, places: &[&str]) -> Result<(), Diagnostic> {
        let mut found = places.iter().filter(|place| self.has(place));
        if let (Some(first), Some(second)) = (found.next(), found.next()) {
            return Err(self
                .error(
                    second,
                    format!(
                        "`{}` comes from two places: `{first}` and `{second}`",
                        self.shown()
                    ),
                )
                .help(format!("Remove `{second}`, or `{first}`.")));
        }
        if !self.has("git")
            && let Some(commit) = self.first(&[COMMITS, &["lfs"]].concat())
        {
            return Err(self
                .error(
                    commit,
                    format!(
                        "`{commit}` is about a repository, but `{}` has no `git`",
                        self.shown()
                    ),
                )
                .help(format!(
                    "Add `git` with the repository's address, or remove `{commit}`."
                )));
        }
        let mut commits = COMMITS.iter().filter(|commit| self.has(commit));
        if let (Some(exact), Some(other)) = (commits.next(), commits.next()) {
            return Err(self
                .error(
                    other,
                    format!(
                        "both `{exact}` and `{other}` say which commit of `{}` is meant",
                        self.shown()
                    ),
                )
                .help(format!("Remove `{other}`: `{exact}` is more exact.")));
        }
        self.check_inherited()
    }

    /// Refuses `workspace = false`.
    ///
    /// # Errors
    /// A diagnostic at the key.
    pub(super) fn check_inherited(&self) -> Result<(), Diagnostic> {
        match self.get("workspace") {
            Some((_, node)) if !is_true(node) => Err(self
                .error(
                    "workspace",
                    format!("`workspace` of `{}` can only be true", self.shown()),
                )
                .help("Remove `workspace`.")),
            _ => Ok(()),
        }
    }

    /// Checks a conda package.
    ///
    /// # Errors
    /// A diagnostic at the key that is one too many.
    pub(super) fn check_conda(&self) -> Result<(), Diagnostic> {
        self.check_place(PLACES)?;
        let Some(place) = self.first(PLACES) else {
            if self
                .fields
                .iter()
                .all(|(key, _)| key.name == "subdirectory" || key.name == "workspace")
            {
                return Err(self
                    .place
                    .error(format!(
                        "the table of `{}` says nothing about the package",
                        self.shown()
                    ))
                    .help("Write \"*\" instead, which stands for any version."));
            }
            return Ok(());
        };
        self.refuse(place, OF_CHANNEL, "it is about packages of channels")?;
        let value = self
            .get(place)
            .and_then(|(_, node)| node.text())
            .unwrap_or_default();
        let file = file_name(value);
        if [".conda", ".tar.bz2"].iter().any(|end| file.ends_with(end)) {
            self.refuse(place, CHOOSING, "the file is already one exact package")?;
            if let Ok(id) = PackageId::from_file_name(file)
                && !id.name.eq_ignore_ascii_case(self.name)
            {
                return Err(self.another(place, file, &id.name));
            }
        }
        if place != "url" {
            self.refuse(place, &["sha256", "md5"], "only a file has a hash")?;
        }
        Ok(())
    }

    /// Checks a PyPI package.
    ///
    /// # Errors
    /// A diagnostic at the key that is one too many.
    pub(super) fn check_pypi(&self) -> Result<(), Diagnostic> {
        self.check_place(PLACES)?;
        let Some(place) = self.first(PLACES) else {
            return Ok(());
        };
        self.refuse(
            place,
            &["version", "index"],
            "it is about packages of an index",
        )?;
        let value = self
            .get(place)
            .and_then(|(_, node)| node.text())
            .unwrap_or_default();
        let file = file_name(value);
        if place != "git"
            && let Some((name, _)) = file
                .strip_suffix(".whl")
                .and_then(|stem| stem.split_once('-'))
            && normalized(name) != normalized(self.name)
        {
            return Err(self.another(place, file, name));
        }
        Ok(())
    }

    /// Checks an entry of `[tool.uv.sources]`.
    ///
    /// # Errors
    /// A diagnostic at the key that is one too many.
    pub(super) fn check_uv(&self) -> Result<(), Diagnostic> {
        self.check_place(&["path", "git", "url", "index", "workspace"])
    }

    fn another(&self, place: &str, file: &str, name: &str) -> Diagnostic {
        self.error(
            place,
            format!(
                "`{place}` of `{}` points to a different package: {}",
                self.shown(),
                quoted(file)
            ),
        )
        .help(format!(
            "Name the dependency `{}`, or write where {} is.",
            quoted(name),
            self.shown()
        ))
    }
}

fn is_true(node: &Node) -> bool {
    let is_bool = matches!(
        &node.value,
        Value::Scalar {
            kind: ScalarKind::Bool,
            ..
        }
    );
    is_bool && node.text() == Some("true")
}

/// The last part of a path or an address.
fn file_name(text: &str) -> &str {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}
