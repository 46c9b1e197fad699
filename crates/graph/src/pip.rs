//! PyPI packages on top of the conda packages.

mod list;
mod network;

use condafront_model::pypi_package::{FileKind, PipPackage};
use std::sync::Arc;

use buildkit_llb::{
    Location, OpOptions, Options as LlbOptions, Output, ProgressGroup, Range, SourceFile as LlbFile,
};

use super::Tools;
use super::downloads::{Addresses, Artifact};
use super::environment::Environment;
use super::step::Step;
use crate::plan::mirrors::Mirrors;
use crate::plan::pip::{has_pip, wheel};
use crate::wanted::{Wanted, WantedKind};
use condafront_input::requirements::BuildOptions;
use condafront_model::source::{Diagnostic, Lines, Location as Place, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::pip::{PipFetchedSpec, PipFile, PipInstallSpec};

use list::Build;
pub use list::{Local, LocalKind, PipResolved, Wheel, from_context, from_repository};
pub use network::Network;

/// Where the pip that condafront provides is mounted; no base image has a directory of this name.
const PIP_DIR: &str = "/.condafront-pip";

/// The image with PyPI packages.
pub struct PipInstalled {
    /// The image.
    pub root: Output,
    /// The output of the step that fetches all files, if there are any. Build it before the image.
    pub fetched: Option<Output>,
    /// What the step found.
    pub facts: Output,
    /// The layer's name.
    pub name: String,
    /// The steps that may fail, each with one of its outputs.
    steps: Vec<(Output, Step)>,
}

impl PipInstalled {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        failing(&self.steps, failed)
    }
}

/// What an environment's PyPI packages are fetched and installed from.
pub struct PipPackages<'a> {
    packages: &'a [PipPackage],
    /// The pip that condafront provides, if the environment has none.
    brought: Option<PipPackage>,
    /// Wheels that need not be fetched, each with its name in messages.
    wheels: Vec<(String, Output)>,
    /// Options for pip when it builds source archives.
    build_options: BuildOptions,
    /// Where the environment's python keeps its modules, relative to the prefix.
    site_packages: &'a str,
    mirrors: &'a Mirrors,
}

impl PipPackages<'_> {
    /// Also installs these wheels, each given with its name in messages.
    #[must_use]
    pub fn with_wheels(mut self, wheels: Vec<(String, Output)>) -> Self {
        self.wheels = wheels;
        self
    }

    /// Builds source archives with these options.
    #[must_use]
    pub fn with_build_options(mut self, options: BuildOptions) -> Self {
        self.build_options = options;
        self
    }

    /// Everything to fetch; condafront's pip comes last.
    pub fn fetched(&self) -> impl Iterator<Item = &PipPackage> {
        self.packages.iter().chain(&self.brought)
    }

    /// The first address of everything to fetch, at its first attempt.
    pub fn addresses(&self) -> Addresses {
        Addresses::new(
            self.fetched()
                .map(|package| self.mirrors.candidates(&package.url)),
        )
    }
}

/// The pip that condafront provides, as a file to mount.
struct Brought {
    output: Output,
    file_name: String,
    retried: bool,
    trusted: bool,
}

impl Brought {
    /// The artifact at `index`, if there is one.
    fn new(
        index: usize,
        artifacts: &[Artifact],
        addresses: &Addresses,
        content_cache: bool,
    ) -> Option<Self> {
        let artifact = artifacts.get(index)?;
        let address = addresses.get(index);
        Some(Self {
            output: artifact.download(address),
            file_name: artifact.file_name.clone(),
            retried: address.is_retried(),
            trusted: content_cache && artifact.sha256.is_some(),
        })
    }

    /// The path for python to run: pip's wheel is also a program.
    fn path(&self) -> String {
        format!("{PIP_DIR}/{}/pip", self.file_name)
    }

    fn mount(&self, step: &mut Step, no_cache: bool) {
        step.input(PIP_DIR, &self.output, self.trusted);
        if self.retried {
            step.retry(no_cache);
        }
    }
}

impl Tools<'_> {
    /// The downloads of PyPI packages; `place` gives the lines that ask for each.
    pub(super) fn pip_downloads(
        &self,
        packages: &[PipPackage],
        place: impl Fn(&PipPackage) -> Location,
    ) -> Vec<Artifact> {
        let count = packages.len();
        let group = ProgressGroup {
            id: "condafront-pip".to_owned(),
            name: format!("[pip] download {count} packages"),
            weak: false,
        };
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

    fn pip_artifact(
        &self,
        package: &PipPackage,
        kind: WantedKind,
        options: LlbOptions,
    ) -> Artifact {
        Artifact {
            wanted: Wanted {
                kind,
                label: package.label(),
                lines: package.lines,
                file: package.file.clone(),
            },
            file_name: package.file_name(),
            sha256: package.hashes.sha256.clone(),
            options,
            no_cache: self.no_cache,
        }
    }
}

impl Environment<'_> {
    /// What `packages` are fetched and installed from.
    ///
    /// # Errors
    /// When nothing in the environment can install them.
    pub fn pip_packages<'a>(
        &'a self,
        packages: &'a [PipPackage],
        mirrors: &'a Mirrors,
    ) -> Result<PipPackages<'a>, Diagnostic> {
        let Some(python) = &self.plan.python else {
            return Err(Diagnostic::new(
                "the environment has PyPI packages but no python to install them with",
            ));
        };
        let brought = match has_pip(&self.plan.packages) {
            true => None,
            false => Some(wheel(&python.version)?),
        };
        Ok(PipPackages {
            packages,
            brought,
            wheels: Vec::new(),
            build_options: BuildOptions::default(),
            site_packages: &python.site_packages,
            mirrors,
        })
    }

    /// The downloads of `wanted`; condafront's pip comes last.
    pub fn pip_artifacts(&self, wanted: &PipPackages<'_>) -> Vec<Artifact> {
        let packages = wanted.packages;
        let files = SourceFiles::of(packages);
        let found = |package: &PipPackage| {
            let file = package.file.as_ref();
            file.and_then(|file| files.location(file, package.lines))
                .unwrap_or_else(|| self.location(package.lines))
        };
        let mut artifacts = self.tools.pip_downloads(packages, found);
        if let Some(pip) = &wanted.brought {
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

    /// Installs the packages of `wanted`, fetched from `addresses`, into the image `root`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn pip_install(
        &self,
        root: &Output,
        wanted: &PipPackages<'_>,
        addresses: &Addresses,
        network: &Network,
    ) -> Result<PipInstalled, ArgsError> {
        let packages = wanted.packages;
        let artifacts = self.pip_artifacts(wanted);
        let brought = Brought::new(
            packages.len(),
            &artifacts,
            addresses,
            self.tools.content_cache,
        );
        let spec = PipInstallSpec {
            prefix: self.prefix.path().to_owned(),
            site_packages: wanted.site_packages.to_owned(),
            pip: brought.as_ref().map(Brought::path),
            uid: self.user.uid,
            gid: self.user.gid,
        };
        let name = match packages.len() + wanted.wheels.len() {
            1 => "[pip] install 1 package".to_owned(),
            count => format!("[pip] install {count} packages"),
        };
        let fetched: Vec<PipFile> = packages.iter().map(file).collect();
        let mut files = fetched.clone();
        files.extend(wanted.wheels.iter().map(|(label, _)| PipFile {
            label: label.clone(),
            md5: None,
        }));
        let mut step = self.tools.step_in(root, spec.to_args(&files)?, &name);
        step.concerns(&(0..files.len()).collect::<Vec<_>>());
        if let Some(brought) = &brought {
            brought.mount(&mut step, self.tools.no_cache);
        }
        let mut check = Step::new(
            self.tools.programs,
            PipFetchedSpec {}.to_args(&fetched)?,
            &self.tools.options("[pip] check the downloads".to_owned()),
        );
        check.concerns(&(0..packages.len()).collect::<Vec<_>>());
        if let Some(brought) = &brought {
            brought.mount(&mut check, self.tools.no_cache);
        }
        let mut steps = Vec::new();
        for (index, (package, artifact)) in packages.iter().zip(&artifacts).enumerate() {
            let address = addresses.get(index);
            if address.is_retried() {
                step.retry(self.tools.no_cache);
                check.retry(self.tools.no_cache);
            }
            let mut output = artifact.download(address);
            let mut trusted = package.hashes.is_pinned() && self.tools.content_cache;
            check.input(&format!("{INPUT_DIR}/{index}"), &output, trusted);
            if package.kind() == Some(FileKind::Source) {
                let source = Build {
                    file: file(package),
                    kind: LocalKind::Archive,
                    output: &output,
                    trusted,
                    brought: brought.as_ref(),
                    options: &wanted.build_options.indexes,
                    own_options: wanted.build_options.own(&package.name),
                };
                let mut build = self.pip_build(root, &source, network)?;
                build.concerns(&[index]);
                if address.is_retried() {
                    build.retry(self.tools.no_cache);
                }
                let wheel = build.output(OUTPUT_DIR);
                output = build.exec().build()[wheel].clone();
                trusted = false;
                steps.push((output.clone(), build));
            }
            step.input(&format!("{INPUT_DIR}/{index}"), &output, trusted);
        }
        for (index, (_, wheel)) in wanted.wheels.iter().enumerate() {
            let place = format!("{INPUT_DIR}/{}", packages.len() + index);
            step.input(&place, wheel, false);
        }
        let changed = step.exec().write_root();
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        let root = built[changed].clone();
        let facts = built[facts].clone();
        steps.push((root.clone(), step));
        let fetched = (!artifacts.is_empty()).then(|| {
            let fetched = check.output(FACTS_DIR);
            let fetched = check.exec().build()[fetched].clone();
            steps.push((fetched.clone(), check));
            fetched
        });
        Ok(PipInstalled {
            root,
            fetched,
            facts,
            name,
            steps,
        })
    }
}

/// The first step whose digest is in `failed`.
fn failing<'a>(steps: &'a [(Output, Step)], failed: &[String]) -> Option<&'a Step> {
    let mut steps = steps.iter();
    let is_it = |output: &Output| failed.contains(&output.digest().to_string());
    Some(&steps.find(|(output, _)| is_it(output))?.1)
}

/// A place in a user's file, in LLB form.
pub fn located(place: &Place) -> Location {
    let mut file = LlbFile::new(place.file.name(), place.file.excerpt(place.lines));
    range(file.language(place.file.language()), place.lines)
}

fn range(file: &LlbFile, lines: Lines) -> Location {
    let line = |number| i32::try_from(number).unwrap_or(i32::MAX);
    file.location([Range::lines(line(lines.first), line(lines.last))])
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
            let excerpt = file.excerpt_of(of_file.map(|package| package.lines));
            let mut graphs = LlbFile::new(file.name(), excerpt);
            graphs.language(file.language());
            files.push((Arc::clone(file), graphs));
        }
        Self(files)
    }

    fn location(&self, file: &Arc<SourceFile>, lines: Lines) -> Option<Location> {
        let (_, file) = self.0.iter().find(|(known, _)| known == file)?;
        Some(range(file, lines))
    }
}

fn file(package: &PipPackage) -> PipFile {
    PipFile {
        label: package.label(),
        md5: match package.hashes.is_pinned() {
            true => None,
            false => package.hashes.md5.clone(),
        },
    }
}

#[cfg(test)]
mod tests;
