//! The image in which wheels are built: the one so far, with conda packages on top that only builds see.

use buildkit_llb::Output;
use condafront_graph::install::InstallGraph;
use condafront_graph::plan::Plan;
use condafront_step_spec::facts::EnvironmentFacts;

/// The conda packages that only builds see.
pub(super) struct BuildPackages {
    /// What is linked, if the environment does not have all of them.
    pub(super) linked: Option<(Plan, InstallGraph, EnvironmentFacts)>,
    /// The outputs of their solve.
    pub(super) solved: Vec<Output>,
}

/// An image in which wheels are built.
#[derive(Clone)]
pub(super) struct BuildRoot {
    /// The image.
    pub(super) root: Output,
    /// The same without the metadata of PyPI packages that only builds see: pip must not take them for installed.
    pub(super) for_pip: Output,
    /// The outputs that the frontend reads.
    pub(super) facts: Vec<Output>,
}

impl BuildRoot {
    /// The image `root` with nothing on top.
    pub(super) fn plain(root: &Output) -> Self {
        Self {
            root: root.clone(),
            for_pip: root.clone(),
            facts: Vec::new(),
        }
    }
}
