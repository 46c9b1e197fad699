//! TOML files that are not manifests of workspaces: what they are, and what a build can do with them.

use std::sync::Arc;

use super::kind;
use crate::python_files::{self, own_name, project_help};
use crate::yaml::{Key, Node};
use condafront_model::nearest::{nearest, suggestion};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The message for the TOML file `file`.
pub(super) fn explained(file: &Arc<SourceFile>, tree: &Node) -> Diagnostic {
    let name = file.name();
    let own = own_name(name);
    let list = list_of_pypi(name, tree);
    let is_list = list.is_some();
    let found = list
        .or_else(|| misspelt(tree))
        .or_else(|| without_workspace(name, tree))
        .or_else(|| python_project(name, own, tree))
        .or_else(|| without_channels(tree))
        .or_else(|| package_alone(name, own, tree));
    let found = found.unwrap_or_else(|| Found {
        message: format!("{name} is a TOML file, but not the manifest of a workspace with channels"),
        help: "Build from an environment file (with `dependencies:`), a lock, a pixi.toml or a conda.toml.".to_owned(),
        lines: tree.mapping().and_then(|all| all.first()).map_or(Lines::one(1), |(key, _)| key.lines),
    });
    let error = Diagnostic::new(found.message)
        .at(file, Lines::one(found.lines.first as usize))
        .help(found.help);
    if is_list { error.settled() } else { error }
}

/// What to do with the manifest of a package.
const OF_PACKAGE: &str = "Build the manifest of the workspace that has the package.";

struct Found {
    message: String,
    help: String,
    lines: Lines,
}

/// The tables of pixi or conda-workspaces in a pyproject.toml, of which the one about the workspace is missing.
fn without_workspace(name: &str, tree: &Node) -> Option<Found> {
    let tools = tree.get("tool")?.mapping()?;
    let (key, own) = tools.iter().find(|(key, node)| {
        ["pixi", "conda"].contains(&key.name.as_str()) && node.mapping().is_some()
    })?;
    let table = format!("tool.{}", key.name);
    let add = |word: &str| {
        format!(
            "{word} [{table}.workspace] with channels = [\"conda-forge\"] and platforms = [\"linux-64\"]."
        )
    };
    Some(if own.get("package").is_some() {
        Found {
            message: format!("{name} describes a package, but no workspace"),
            help: format!("{OF_PACKAGE} {}", add("Or add")),
            lines: key.lines,
        }
    } else {
        Found {
            message: format!("`[{table}]` has no table `workspace`"),
            help: add("Add"),
            lines: key.lines,
        }
    })
}

/// A manifest whose table about the workspace is misspelt or is no table.
fn misspelt(tree: &Node) -> Option<Found> {
    let is_header = |(key, node): &&(Key, Node)| {
        if key.name == "workspace" {
            node.mapping().is_none()
        } else {
            node.get("channels").is_some() && nearest(&key.name, ["workspace"]).is_some()
        }
    };
    let (key, node) = tree.mapping()?.iter().find(is_header)?;
    let (message, help) = if key.name == "workspace" {
        (
            format!("`workspace` must be a table, not {}", node.what()),
            "Write [workspace], and channels = [\"conda-forge\"] below it.".to_owned(),
        )
    } else {
        (
            format!("a manifest has no table `[{}]`", quoted(&key.name)),
            suggestion("[workspace]"),
        )
    };
    Some(Found {
        message,
        help,
        lines: key.lines,
    })
}

/// The same of a manifest of its own.
fn without_channels(tree: &Node) -> Option<Found> {
    let table = kind::workspace(tree)?;
    // Cargo's workspaces have tables of this name too.
    if table.get("members").is_some() || table.mapping().is_none() {
        return None;
    }
    let is_it = |name: &str| tree.get(name).is_some();
    let name = if is_it("workspace") {
        "workspace"
    } else {
        "project"
    };
    Some(Found {
        message: format!("`[{name}]` has no `channels`"),
        help: "Add channels = [\"conda-forge\"].".to_owned(),
        lines: table.lines,
    })
}

/// A package of a workspace, whose manifest is another file.
fn package_alone(name: &str, own: &str, tree: &Node) -> Option<Found> {
    let keys = tree.mapping()?.iter();
    let (key, package) = keys.into_iter().find(|(key, _)| key.name == "package")?;
    // Cargo's packages have a table of this name too.
    let build = package.get("build");
    let is_built = build.is_some_and(|build| build.get("backend").is_some());
    (is_built || own == "pixi.toml").then(|| Found {
        message: format!("{name} describes a package, but no workspace"),
        help: format!(
            "{OF_PACKAGE} Or add [workspace] with channels = [\"conda-forge\"] and platforms = [\"linux-64\"]."
        ),
        lines: key.lines,
    })
}

/// A Python project, whose metadata name PyPI packages alone (PEP 621, or those of Poetry).
fn python_project(name: &str, own: &str, tree: &Node) -> Option<Found> {
    let poetry = tree.get("tool").and_then(|tools| tools.get("poetry"));
    let project = tree.get("project").filter(|table| {
        let has = |key: &str| table.get(key).is_some();
        own == "pyproject.toml" || (has("name") && !has("platforms"))
    });
    let table = poetry.or(project).or_else(|| tree.get("build-system"))?;
    let what = if poetry.is_some() {
        "a Poetry project"
    } else {
        "a Python project"
    };
    let project = project.or(poetry);
    let python = project
        .and_then(|table| table.get("requires-python")?.text())
        .map(|version| {
            version
                .chars()
                .filter(|c| !c.is_whitespace())
                .collect::<String>()
        })
        .filter(|version| !version.contains(['"', '\'']))
        .map_or("python".to_owned(), |version| {
            format!("\"python {}\"", quoted(&version))
        });
    Some(Found {
        message: format!("{name} is {what}, which asks for no conda packages"),
        help: format!(
            "{} With a pylock.toml, {{pip: [-r pylock.toml]}} installs what it needs. Or add [tool.pixi.workspace] with channels = [\"conda-forge\"] here.",
            project_help(&python)
        ),
        lines: table.lines,
    })
}

/// A list of PyPI packages: a lock, or a Pipfile.
fn list_of_pypi(name: &str, tree: &Node) -> Option<Found> {
    let found = python_files::list_in_toml(name, tree)?;
    let first = tree.mapping().and_then(|all| all.first());
    Some(Found {
        message: format!("{name} is {}", found.what),
        help: found.help,
        lines: first.map_or(Lines::one(1), |(key, _)| key.lines),
    })
}
