//! The downloads of PyPI packages.

use std::sync::Arc;

use buildkit_llb::{Location, OpOptions, Options, SourceFile as LlbFile};

use super::packages::PipPackages;
use crate::downloads::Artifact;
use crate::environment::Environment;
use crate::location::{location_in, source_file};
use crate::tools::Tools;
use crate::wanted::{Wanted, WantedKind};
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Lines, SourceFile};

impl Tools<'_> {
    /// The downloads of PyPI packages; `place` gives the lines that ask for each.
    pub(crate) fn pip_downloads(
        &self,
        packages: &[PipPackage],
        place: impl Fn(&PipPackage) -> Location,
    ) -> Vec<Artifact> {
        let count = packages.len();
        let group = self.downloads("pip", count);
        let artifact = |(index, package): (usize, &PipPackage)| {
            let label = package.label();
            let mut options = self.options(format!("[pip {}/{count}] {label}", index + 1));
            options
                .group(&group)
                .location(place(package))
                .export_cache(false);
            self.pip_artifact(package, WantedKind::Pip, options)
        };
        packages.iter().enumerate().map(artifact).collect()
    }

    fn pip_artifact(&self, package: &PipPackage, kind: WantedKind, options: Options) -> Artifact {
        Artifact {
            wanted: Wanted {
                kind,
                label: package.label(),
                lines: package.lines,
                file: package.file.clone(),
            },
            file_name: package.file_name(),
            sha256: package.hashes.sha256.clone(),
            size: package.size,
            options,
            no_cache: self.no_cache,
        }
    }
}

impl Environment<'_> {
    /// The lines that ask for each of `packages`, some of `all`.
    pub(super) fn pip_locations(
        &self,
        all: &[PipPackage],
        packages: &[&PipPackage],
    ) -> Vec<Location> {
        let files = SourceFiles::of(all);
        let packages = packages.iter();
        packages
            .map(|package| self.pip_location(&files, package))
            .collect()
    }

    fn pip_location(&self, files: &SourceFiles, package: &PipPackage) -> Location {
        let file = package.file.as_ref();
        file.and_then(|file| files.location(file, package.lines))
            .unwrap_or_else(|| self.location(package.lines))
    }

    /// The downloads of `wanted`; condafront's pip comes last.
    pub fn pip_artifacts(&self, wanted: &PipPackages<'_>) -> Vec<Artifact> {
        let packages = wanted.packages;
        let files = SourceFiles::of(packages);
        let found = |package: &PipPackage| self.pip_location(&files, package);
        let mut artifacts = self.tools.pip_downloads(packages, found);
        if let Some(pip) = &wanted.supplied {
            let label = pip.label();
            let mut options = self.tools.options(format!("[pip] installer {label}"));
            options.export_cache(false);
            artifacts.push(
                self.tools
                    .pip_artifact(pip, WantedKind::PipInstaller, options),
            );
        }
        artifacts
    }
}

/// The files that ask for the packages, each also in LLB form.
struct SourceFiles(Vec<(Arc<SourceFile>, LlbFile)>);

impl SourceFiles {
    fn of(packages: &[PipPackage]) -> Self {
        let mut files: Vec<(Arc<SourceFile>, LlbFile)> = Vec::new();
        for file in packages.iter().filter_map(|package| package.file.as_ref()) {
            if files.iter().any(|(known, _)| known == file) {
                continue;
            }
            let of_file = packages
                .iter()
                .filter(|package| package.file.as_ref() == Some(file));
            let shown = source_file(file, of_file.map(|package| package.lines));
            files.push((Arc::clone(file), shown));
        }
        Self(files)
    }

    fn location(&self, file: &Arc<SourceFile>, lines: Lines) -> Option<Location> {
        let (_, file) = self.0.iter().find(|(known, _)| known == file)?;
        Some(location_in(file, [lines]))
    }
}
