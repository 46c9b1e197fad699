//! The tools that write this layout.

use crate::yaml::Node;

/// What wrote a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// pixi.
    Pixi,
    /// conda-workspaces. Its `conda.lock` has the layout of a pixi.lock of version 6 and says `version: 1`
    /// (<https://github.com/conda-incubator/conda-workspaces>, `conda_workspaces/lockfile.py`).
    CondaWorkspaces,
}

impl Maker {
    /// What wrote the lock. A lock of pixi's own version 1 has the layout of a conda-lock.yml.
    pub(super) fn of(tree: &Node) -> Self {
        match tree.get("version").and_then(Node::text) {
            Some("1") if tree.get("package").is_none() => Self::CondaWorkspaces,
            _ => Self::Pixi,
        }
    }

    /// Help for an inconsistent lock.
    pub(super) fn again(self) -> &'static str {
        match self {
            Self::Pixi => "Regenerate the lock file with `pixi lock`.",
            Self::CondaWorkspaces => "Regenerate the lock file with `conda workspace lock`.",
        }
    }
}
