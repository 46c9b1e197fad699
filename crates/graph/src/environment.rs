//! From packages to layers: downloads, install steps, and what they found.

use condafront_step_spec::args::ArgsError;
use std::collections::BTreeSet;

use buildkit_llb::{Location, OpOptions, Options, Output, Range, SourceFile};

use super::Tools;
use super::compiler::Compiler;
use super::downloads::{self, Addresses, Artifact};
use super::step::Step;
use crate::plan::groups::Group;
use crate::plan::{Plan, package_spec};
use crate::wanted::WantedKind;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::package::Package;
use condafront_model::source::Lines;
use condafront_model::stamp::Owner;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::install::Trim;
use condafront_step_spec::install::{CollectSpec, InstallSpec, Installer, PackageSpec};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR, MICROMAMBA_DIR, OUTPUT_DIR, PYTHON_DIR};

/// Everything that an environment's graph is made from.
pub struct Environment<'a> {
    /// What to build.
    pub plan: Plan,
    /// Where it is in the image.
    pub prefix: EnvironmentPrefix,
    /// The user's file, for locations.
    pub file: SourceFile,
    /// What all steps share.
    pub tools: Tools<'a>,
    /// The base image, if it is not scratch.
    pub base: Option<&'a Output>,
    /// The package or folder with micromamba, if it is the installer.
    pub micromamba: Option<&'a Micromamba>,
    /// The python that compiles modules.
    pub compiler: &'a Compiler,
    /// Who owns the prefix.
    pub user: Owner,
    /// What to leave out of packages.
    pub trim: &'a BTreeSet<Trim>,
}

/// Where micromamba comes from, if it is the installer.
#[derive(Clone, Debug)]
pub enum Micromamba {
    /// A conda package, fetched like any other.
    Package(Box<Package>),
    /// A file system that holds the program, which the user gave as a named context.
    Given {
        /// The file system.
        from: Output,
        /// Whether its definition pins its content.
        pinned: bool,
    },
}

/// One group's install step.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The layer: the prefix with the group's files.
    pub layer: Output,
    /// What the step found.
    pub facts: Output,
    /// The step's name.
    pub name: String,
    /// The step, in case it fails.
    pub step: Step,
}

/// An environment's graph up to its layers.
pub struct Layers {
    /// The install steps, in the order of the groups.
    pub installed: Vec<Installed>,
    /// What all steps found, in one file.
    pub facts: Output,
    /// The step that sets up a python to compile modules with.
    python: Option<Python>,
}

/// The downloads of everything in [`Environment::fetched`].
pub(super) struct Downloads {
    outputs: Vec<Output>,
    /// Which of them have already failed in this build.
    retried: Vec<bool>,
}

impl Downloads {
    pub(super) fn any_retried(&self, indices: &[usize]) -> bool {
        indices.iter().any(|index| self.retried[*index])
    }
}

/// A python for install steps.
pub(super) struct Python {
    pub(super) output: Output,
    pub(super) step: Step,
    /// Whether the download of one of its packages has already failed.
    pub(super) retried: bool,
}

impl Layers {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        let installed = self.installed.iter().map(|step| (&step.layer, &step.step));
        let python = self
            .python
            .iter()
            .map(|python| (&python.output, &python.step));
        python
            .chain(installed)
            .find(|(output, _)| failed.contains(&output.digest().to_string()))
            .map(|(_, step)| step)
    }
}

impl Environment<'_> {
    /// Everything to fetch from channels: the packages, then micromamba if it is a package, then the packages of a
    /// python that is not in the environment.
    pub fn fetched(&self) -> impl Iterator<Item = &Package> {
        let installer = self.micromamba_package();
        let packages = self.plan.packages.iter().chain(installer);
        packages.chain(self.compiler.packages())
    }

    fn micromamba_package(&self) -> Option<&Package> {
        match self.micromamba {
            Some(Micromamba::Package(package)) => Some(package),
            _ => None,
        }
    }

    /// The downloads of [`Environment::fetched`].
    pub fn artifacts(&self) -> Vec<Artifact> {
        let fetched = self.fetched().enumerate();
        fetched
            .map(|(index, package)| self.artifact(index, package))
            .collect()
    }

    /// Builds the graph, with packages fetched from `addresses`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn layers(&self, addresses: &Addresses) -> Result<Layers, ArgsError> {
        let downloads = self.downloads(addresses);
        let python = self.python_runtime(&downloads)?;
        let installed: Vec<Installed> = (0..self.plan.groups.len())
            .map(|index| self.install(index, &downloads, python.as_ref()))
            .collect::<Result<_, _>>()?;
        let facts = self.collect(&installed, downloads.retried.contains(&true))?;
        Ok(Layers {
            installed,
            facts,
            python,
        })
    }

    /// The lines in the user's file of the package that made `step` fail.
    pub fn lines(&self, step: &Step, culprit: &Culprit) -> Option<Lines> {
        let Culprit::Package(index) = culprit else {
            return None;
        };
        let package = self.plan.packages.get(step.package(*index)?)?;
        Some(package.lines)
    }

    /// The location of a package in the user's file.
    pub(super) fn location(&self, lines: Lines) -> Location {
        let line = |number| i32::try_from(number).unwrap_or(i32::MAX);
        self.file
            .location([Range::lines(line(lines.first), line(lines.last))])
    }

    /// The download of package `index` of [`Environment::fetched`].
    fn artifact(&self, index: usize, package: &Package) -> Artifact {
        let count = self.plan.packages.len();
        let kind = match self.micromamba_package() {
            Some(_) if index == count => WantedKind::Installer,
            _ => WantedKind::Package,
        };
        let mut options = Options::new();
        options
            .location(self.location(package.lines))
            .export_cache(false);
        match kind {
            WantedKind::Package if index < count => options
                .name(downloads::name(package, index, count))
                .group(&downloads::group(count)),
            WantedKind::Package => options.name(format!(
                "[conda] for compiling modules: {} {} for {}",
                package.id.name, package.id.version, package.subdir
            )),
            _ => options.name(format!("[conda] installer {}", package.id)),
        };
        if self.tools.no_cache {
            options.ignore_cache();
        }
        Artifact::of_package(package, kind, options, self.tools.no_cache)
    }

    fn downloads(&self, addresses: &Addresses) -> Downloads {
        let artifacts = self.artifacts();
        let download = |(index, artifact): (usize, &Artifact)| {
            let address = addresses.get(index);
            (artifact.download(address), address.is_retried())
        };
        let (outputs, retried) = artifacts.iter().enumerate().map(download).unzip();
        Downloads { outputs, retried }
    }

    fn install(
        &self,
        index: usize,
        downloads: &Downloads,
        python: Option<&Python>,
    ) -> Result<Installed, ArgsError> {
        let group = &self.plan.groups[index];
        let name = format!("[install {}/{}] {group}", index + 1, self.plan.groups.len());
        let needs_python = self.plan.needs_python(group);
        let python = python.filter(|_| needs_python);
        let spec = InstallSpec {
            prefix: self.prefix.path().to_owned(),
            uid: self.user.uid,
            gid: self.user.gid,
            installer: self
                .micromamba
                .map_or(Installer::Native, |_| Installer::Micromamba),
            python: self
                .plan
                .python
                .as_ref()
                .filter(|_| needs_python)
                .map(|found| found.spec(python.is_some())),
            trim: self.trim.clone(),
        };
        let args = spec.to_args(&self.specs(&group.packages))?;
        let mut options = self.tools.options(name.clone());
        for location in self.locations(group) {
            options.location(location);
        }
        let mut step = Step::new(self.tools.programs, args, &options);
        self.mount_packages(&mut step, &group.packages, downloads);
        if let Some(python) = python {
            step.input(PYTHON_DIR, &python.output, false);
            if python.retried {
                step.retry(self.tools.no_cache);
            }
        }
        match self.micromamba {
            Some(Micromamba::Given { from, pinned }) => {
                step.input(MICROMAMBA_DIR, from, *pinned && self.tools.content_cache);
            }
            Some(Micromamba::Package(package)) => {
                let index = self.plan.packages.len();
                let retried = downloads.retried[index];
                if retried {
                    step.retry(self.tools.no_cache);
                }
                let unpacked = downloads::unpacked(package, &downloads.outputs[index], retried);
                step.input(
                    MICROMAMBA_DIR,
                    &unpacked,
                    package.hashes.is_pinned() && self.tools.content_cache,
                );
            }
            None => {}
        }
        let layer = step.output(OUTPUT_DIR);
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        Ok(Installed {
            layer: built[layer].clone(),
            facts: built[facts].clone(),
            name,
            step,
        })
    }

    /// A failing step points at its packages if they are few enough for that to help.
    fn locations(&self, group: &Group) -> Vec<Location> {
        const MOST: usize = 3;
        if group.packages.len() > MOST {
            return Vec::new();
        }
        group
            .packages
            .iter()
            .map(|index| self.location(self.plan.packages[*index].lines))
            .collect()
    }

    fn collect(&self, installed: &[Installed], retried: bool) -> Result<Output, ArgsError> {
        let spec = CollectSpec {
            groups: self
                .plan
                .groups
                .iter()
                .map(|group| group.packages.clone())
                .collect(),
        };
        let name = "[conda] collect details of the packages";
        let mut step = self.tools.step(spec.to_args(&[])?, name);
        if retried {
            step.retry(self.tools.no_cache);
        }
        for (index, group) in installed.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), &group.facts, false);
        }
        let out = step.output(OUTPUT_DIR);
        Ok(step.exec().build()[out].clone())
    }

    /// The specs for steps of these packages of [`Environment::fetched`].
    pub(super) fn specs(&self, indices: &[usize]) -> Vec<PackageSpec> {
        let fetched: Vec<&Package> = self.fetched().collect();
        let specs = indices.iter().map(|index| package_spec(fetched[*index]));
        specs.collect()
    }

    /// Mounts each package separately: merging them would cost more whenever one changes.
    pub(super) fn mount_packages(&self, step: &mut Step, indices: &[usize], downloads: &Downloads) {
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
