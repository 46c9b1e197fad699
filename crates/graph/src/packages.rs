//! The downloads of an environment's packages, and how steps get them.

use buildkit_llb::{OpOptions, Output};

use crate::downloads::{self, Addresses, Artifact};
use crate::environment::Environment;
use crate::plan::package_spec;
use crate::step::Step;
use crate::wanted::WantedKind;
use condafront_model::package::Package;
use condafront_step_spec::install::PackageSpec;
use condafront_step_spec::mounts::INPUT_DIR;

/// The downloads of everything in [`Environment::fetched`].
pub(crate) struct Downloads {
    pub(crate) outputs: Vec<Output>,
    /// Which of them have already failed in this build.
    pub(crate) retried: Vec<bool>,
}

impl Downloads {
    /// Whether one of these has already failed in this build.
    pub(crate) fn any_retried(&self, indices: &[usize]) -> bool {
        indices.iter().any(|index| self.retried[*index])
    }
}

impl Environment<'_> {
    /// The downloads of [`Environment::fetched`].
    pub fn artifacts(&self) -> Vec<Artifact> {
        let fetched = self.fetched().enumerate();
        fetched
            .map(|(index, package)| self.artifact(index, package))
            .collect()
    }

    /// The download of package `index` of [`Environment::fetched`].
    fn artifact(&self, index: usize, package: &Package) -> Artifact {
        let count = self.plan.packages.len();
        let kind = match self.micromamba_package() {
            Some(_) if index == count => WantedKind::Installer,
            _ => WantedKind::Package,
        };
        let name = match kind {
            WantedKind::Package if index < count => downloads::name(package, index, count),
            WantedKind::Package => format!(
                "[conda] for compiling modules: {} {} for {}",
                package.id.name, package.id.version, package.subdir
            ),
            _ => format!("[conda] installer {}", package.id),
        };
        let mut options = self.tools.options(name);
        options
            .location(self.location(package.lines))
            .export_cache(false);
        if index < count {
            options.group(&self.tools.downloads("conda", count));
        }
        Artifact::of_package(package, kind, options, self.tools.no_cache)
    }

    /// The downloads, from `addresses`.
    pub(crate) fn downloads(&self, addresses: &Addresses) -> Downloads {
        let artifacts = self.artifacts();
        let download = |(index, artifact): (usize, &Artifact)| {
            let address = addresses.get(index);
            (artifact.download(address), address.is_retried())
        };
        let (outputs, retried) = artifacts.iter().enumerate().map(download).unzip();
        Downloads { outputs, retried }
    }

    /// The specs for steps of these packages of [`Environment::fetched`].
    pub(crate) fn specs(&self, indices: &[usize]) -> Vec<PackageSpec> {
        let fetched: Vec<&Package> = self.fetched().collect();
        let specs = indices.iter().map(|index| package_spec(fetched[*index]));
        specs.collect()
    }

    /// Mounts each package separately: merging them would cost more whenever one changes.
    pub(crate) fn mount_packages(&self, step: &mut Step, indices: &[usize], downloads: &Downloads) {
        step.concerns(indices);
        if downloads.any_retried(indices) {
            step.retry(self.tools.no_cache);
        }
        let fetched: Vec<&Package> = self.fetched().collect();
        for (position, index) in indices.iter().enumerate() {
            let package = fetched[*index];
            step.input(
                &format!("{INPUT_DIR}/{position}"),
                &downloads.outputs[*index],
                package.hashes.is_pinned() && self.tools.content_cache,
            );
        }
    }
}
