//! What to build, decided without any I/O: which packages share a layer, and what it takes to link them.

pub mod groups;
mod layer_tree;
pub mod micromamba;
pub mod mirrors;
mod package_size;
pub mod pip;
pub mod python;
pub(crate) mod resolving;
pub mod sharing;
mod wheel_tags;
pub mod wheels;

pub use wheel_tags::{WheelRank, WheelTarget};

use crate::downloads::unpinned_md5;
use condafront_model::layers::Layers;
use condafront_model::package::Package;
use condafront_step_spec::install::PackageSpec;
use groups::Group;
use python::Python;

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its packages, in the order in which they are linked.
    pub packages: Vec<Package>,
    /// The layers that they are spread over.
    pub groups: Vec<Group>,
    /// The environment's python, if it has one. It is a package of the environment below, if this is one on top.
    pub python: Option<Python>,
    /// Whether wheels may be linked too.
    pub has_wheels: bool,
}

impl Plan {
    /// Plans an environment.
    pub fn new(packages: Vec<Package>, layers: Layers) -> Self {
        let groups = groups::deal(&packages, layers);
        Self::with_groups(packages, groups)
    }

    fn with_groups(packages: Vec<Package>, groups: Vec<Group>) -> Self {
        Self {
            groups,
            python: Python::find(&packages),
            packages,
            has_wheels: false,
        }
    }

    /// Plans packages that are linked on top of this environment, with its python and without compiling modules.
    #[must_use]
    pub fn on_top(&self, packages: Vec<Package>) -> Self {
        let mut plan = Self::new(packages, Layers::Auto);
        plan.python = self.python.clone().map(|python| Python {
            runtime: Vec::new(),
            ..python
        });
        plan
    }

    /// The same for an environment with PyPI packages, if `has_wheels`.
    #[must_use]
    pub fn with_wheels(self, has_wheels: bool) -> Self {
        Self { has_wheels, ..self }
    }

    /// Whether there may be modules to compile: any group may contain some, or there are wheels.
    pub fn has_modules(&self) -> bool {
        let may_compile = self.python.as_ref().is_none_or(Python::compiles);
        may_compile && (self.has_wheels || self.groups.iter().any(|group| self.needs_python(group)))
    }

    /// Whether linking the group depends on python: its `noarch` packages may contain python modules.
    pub(crate) fn needs_python(&self, group: &Group) -> bool {
        group
            .packages
            .iter()
            .any(|index| self.packages[*index].is_noarch())
    }
}

/// The spec of a package for an install step.
pub fn package_spec(package: &Package) -> PackageSpec {
    PackageSpec {
        label: format!("{} {}", package.id.name, package.id.version),
        archive: package.id.file_name(),
        channel: package.url.channel(),
        subdir: package.subdir.clone(),
        sha256: package.hashes.sha256.clone(),
        md5: unpinned_md5(&package.hashes),
        url: package.url.recorded().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_hashes_in_a_lock_do_not_change_a_step() {
        let one = Package::example("numpy");
        let mut both = one.clone();
        both.hashes.md5 = Some("0".repeat(32));
        assert_eq!(package_spec(&one), package_spec(&both));
        both.hashes.sha256 = None;
        assert_eq!(package_spec(&both).md5, both.hashes.md5);
    }

    #[test]
    fn the_channel_comes_before_subdir_and_archive() {
        let spec = package_spec(&Package::example("numpy"));
        assert_eq!(spec.channel, "https://c.example/conda-forge");
        assert_eq!(spec.label, "numpy 1.0");
    }
}
