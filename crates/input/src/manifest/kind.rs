//! The kinds of manifests: whose they are, and where their tables are.

use crate::yaml::Node;
use condafront_model::source::SourceFile;

/// The table about the project, and what older manifests call it.
const WORKSPACE: &[&str] = &["workspace", "project"];

/// The tool that a manifest is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// pixi.
    Pixi,
    /// conda-workspaces.
    Conda,
}

impl Tool {
    /// The lock that it writes beside the manifest.
    pub(super) fn lock(self) -> &'static str {
        match self {
            Self::Pixi => "pixi.lock",
            Self::Conda => "conda.lock",
        }
    }

    /// The table of a pyproject.toml, below `tool`, that is the tool's.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Pixi => "pixi",
            Self::Conda => "conda",
        }
    }

    /// The command that writes the lock.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Pixi => "pixi lock",
            Self::Conda => "conda workspace lock",
        }
    }
}

/// The kind of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Whose it is.
    pub(super) tool: Tool,
    /// Whether it is also a Python project's pyproject.toml.
    pub(super) is_pyproject: bool,
}

/// Whether a text that is not TOML was meant to be a manifest: one of its lines begins one of the tables.
pub(super) fn is_meant(text: &str) -> bool {
    let tables = ["workspace", "project", "tool", "tool.pixi", "tool.conda"];
    text.lines().any(|line| {
        let is_mark = |c: &char| c.is_whitespace() || ['"', '\''].contains(c);
        let line: String = line.chars().filter(|c| !is_mark(c)).collect();
        let line = line.trim_start_matches('[');
        tables.iter().any(|table| {
            let rest = line.strip_prefix(table);
            rest.is_some_and(|rest| rest.starts_with([']', '.', '=']))
        })
    })
}

/// The kind of the manifest `file`, and its tables; `None` if it is not a manifest.
pub(super) fn find<'a>(file: &SourceFile, tree: &'a Node) -> Option<(Kind, &'a Node)> {
    // conda-workspaces looks for its own tables first.
    for (tool, name) in [(Tool::Conda, "conda"), (Tool::Pixi, "pixi")] {
        let root = tree.get("tool").and_then(|tools| tools.get(name));
        if let Some(root) = root.filter(|root| workspace(root).is_some()) {
            let is_pyproject = true;
            return Some((Kind { tool, is_pyproject }, root));
        }
    }
    // Other tools have tables of these names too, but no channels.
    workspace(tree)?.get("channels")?;
    let name = file.name().rsplit('/').next();
    let kind = Kind {
        tool: match name {
            Some("conda.toml") => Tool::Conda,
            _ => Tool::Pixi,
        },
        is_pyproject: false,
    };
    Some((kind, tree))
}

/// The table about the project.
pub(super) fn workspace(root: &Node) -> Option<&Node> {
    WORKSPACE.iter().find_map(|name| root.get(name))
}
