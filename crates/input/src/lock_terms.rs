//! What a manifest of pixi says that its lock must have been written for, besides the dependencies.
//!
//! pixi solves again if a lock was written for something else (`verify_environment_satisfiability` in
//! `crates/pixi_core/src/lock_file/satisfiability/environment.rs` of its source).

use std::collections::{BTreeMap, BTreeSet};

use crate::section::image_section::Located;
use condafront_model::cutoff::Limit;
use condafront_model::source::Lines;
use condafront_step_spec::solve::ExcludeNewer;

/// The index that pixi asks unless a manifest names another.
pub(crate) const PYPI_ORG: &str = "https://pypi.org/simple";

/// What the lock of one environment must have been written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockTerms {
    /// The lines of the table about the project, for what the manifest does not say.
    pub lines: Lines,
    /// The addresses of the channels, the most important first; `None` if a build-arg replaces them.
    pub channels: Option<Located<Vec<String>>>,
    /// The lines of the platforms.
    pub platforms: Lines,
    /// How packages are chosen.
    pub options: Vec<OptionTerm>,
    /// Which conda packages are too new.
    pub exclude_newer: Option<CutoffTerm>,
    /// What concerns PyPI packages; `None` if the environment asks for none on any platform.
    pub pypi: Option<PypiTerms>,
    /// Whether the environment has what packages of the workspace need to be built, which only pixi knows.
    pub has_dev: bool,
    /// The manifest's own project, if pixi can tell what it needs without building it.
    pub project: Option<ProjectTerms>,
    /// The names of the other environments that are solved together with this one.
    pub group: Vec<String>,
}

/// The settings of a solve that a lock records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Which versions are chosen.
    Strategy,
    /// What the order of channels means.
    ChannelPriority,
    /// How prereleases of PyPI packages count.
    PrereleaseMode,
}

impl OptionKind {
    /// Its key in a manifest.
    pub fn key(self) -> &'static str {
        match self {
            Self::Strategy => "solve-strategy",
            Self::ChannelPriority => "channel-priority",
            Self::PrereleaseMode => "prerelease-mode",
        }
    }

    /// The word for what is so if a manifest does not say it.
    pub fn default_word(self) -> &'static str {
        match self {
            Self::Strategy => "highest",
            Self::ChannelPriority => "strict",
            Self::PrereleaseMode => "if-necessary-or-explicit",
        }
    }
}

/// A setting of a solve, as a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionTerm {
    /// Which one.
    pub kind: OptionKind,
    /// The words that a lock may have been written with.
    pub words: Vec<String>,
    /// Where the manifest says it; `None` if it has the default.
    pub lines: Option<Lines>,
}

/// Cutoffs, as a solve with the environment's channels has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutoffTerm {
    /// The cutoffs; channels are meant by their index into [`LockTerms::channels`].
    pub limits: ExcludeNewer<Limit>,
    /// The lines of the general one.
    pub lines: Lines,
    /// Those of a package's own, by name.
    pub by_name: BTreeMap<String, Lines>,
    /// Those of a channel's own, by index.
    pub channels: BTreeMap<usize, Lines>,
}

/// What concerns the PyPI packages of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PypiTerms {
    /// The indexes, the first one first; `None` if platforms have their own.
    pub indexes: Option<Places>,
    /// Where else files are.
    pub links: Option<Places>,
    /// Packages that must not be built.
    pub no_build: Selected,
    /// Packages that must be built.
    pub no_binary: Selected,
    /// Packages whose builds are to see the environment.
    pub unisolated: Selected,
    /// The normalized names of projects that are installed as editable, which may be built in any case.
    pub editable: BTreeSet<String>,
    /// The versions that replace those that packages ask for, by normalized name; `None` for any.
    pub overrides: BTreeMap<String, Located<Option<String>>>,
    /// The packages that the environment asks an index for, by normalized name.
    pub asked: BTreeMap<String, Asked>,
}

/// Where the files of PyPI packages are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Addresses and paths.
    pub all: Vec<String>,
    /// Whether their order is certain: that of lists in several tables is not.
    pub is_ordered: bool,
    /// Where the manifest says it; `None` if it does not.
    pub lines: Option<Lines>,
}

/// All packages, or some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// Where the manifest says so for all of them.
    pub all: Option<Lines>,
    /// Where it says so for some, by normalized name.
    pub named: BTreeMap<String, Lines>,
}

impl Selected {
    /// Where the manifest says so for this package, which has a normalized name.
    pub fn lines_of(&self, name: &str) -> Option<Lines> {
        self.named.get(name).copied().or(self.all)
    }
}

/// How an index is asked for a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The indexes that lines name for it.
    pub indexes: Vec<Located<String>>,
    /// The lines that name none.
    pub any: Vec<Lines>,
}

/// What the project of a pyproject.toml says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectTerms {
    /// Its normalized name.
    pub name: String,
    /// What it needs, with its extras; `None` if that is not certain.
    pub requires_dist: Option<Vec<Located<String>>>,
    /// The versions of python that it works with, if it says so.
    pub requires_python: Option<Located<String>>,
    /// The lines of its table.
    pub lines: Lines,
}
