//! From packages to layers: downloads, install steps, and what they found out.

use buildkit_llb::{Location, OpOptions, Options, Output, Range, SourceFile};

use super::downloads::{self, Addresses, Artifact};
use super::step::Step;
use crate::failure_report::Culprit;
use crate::fetch_failure::{Wanted, WantedKind};
use crate::install::args::StepSpec as _;
use crate::install::spec::{
    BASE_DIR, CollectSpec, FACTS_DIR, INPUT_DIR, InstallSpec, Installer, MICROMAMBA_DIR,
    OUTPUT_DIR, PYTHON_DIR, PackageSpec, PythonRuntimeSpec,
};
use crate::package::Package;
use crate::plan::groups::Group;
use crate::plan::place::Place;
use crate::plan::{Plan, package_spec};
use crate::source::Lines;
use crate::stamp::Owner;

/// All that an environment's graph is made from.
pub struct Environment<'a> {
    /// What is to be built.
    pub plan: &'a Plan,
    /// Where it lies in the image.
    pub place: &'a Place,
    /// The user's file, for places.
    pub file: SourceFile,
    /// The [`programs`](super::programs) of the frontend's own image, for the build platform.
    pub frontend: &'a Output,
    /// The base image, if it is not scratch.
    pub base: Option<&'a Output>,
    /// The package or folder with micromamba, if it is the installer.
    pub micromamba: Option<&'a Micromamba>,
    /// Who owns the prefix.
    pub user: Owner,
    /// Whether caches are to be ignored.
    pub no_cache: bool,
    /// Whether the engine can be told not to hash what its definition pins (BuildKit 0.13).
    pub content_cache: bool,
}

/// Where the micromamba that installs comes from.
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
    /// What the step found out.
    pub facts: Output,
    /// The step's name.
    pub name: String,
    /// The step, for the case that it fails.
    pub step: Step,
}

/// An environment's graph up to its layers.
pub struct Layers {
    /// Group `n`'s step.
    pub installed: Vec<Installed>,
    /// What all steps found out, in one file.
    pub facts: Output,
    /// The step that makes a python to compile modules with.
    python: Option<Python>,
}

/// The download of everything in [`Environment::fetched`].
struct Downloads {
    outputs: Vec<Output>,
    /// Which of them failed before in this build.
    retried: Vec<bool>,
}

impl Downloads {
    fn any_retried(&self, indices: &[usize]) -> bool {
        indices.iter().any(|index| self.retried[*index])
    }
}

/// A python for install steps.
struct Python {
    output: Output,
    step: Step,
    /// Whether one of its packages failed to download before.
    retried: bool,
}

impl Layers {
    /// The first step of those with the digests `failed`.
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

/// A failing argument list: more text than Linux passes to a program.
pub type ArgumentError = crate::install::error::Error;

impl Environment<'_> {
    /// Everything that is fetched from channels: the packages, then micromamba if it is one.
    pub fn fetched(&self) -> impl Iterator<Item = &Package> {
        let installer = match self.micromamba {
            Some(Micromamba::Package(package)) => Some(&**package),
            _ => None,
        };
        self.plan.packages.iter().chain(installer)
    }

    /// The downloads of [`Environment::fetched`].
    pub fn artifacts(&self) -> Vec<Artifact> {
        let fetched = self.fetched().enumerate();
        fetched
            .map(|(index, package)| self.artifact(index, package))
            .collect()
    }

    /// Builds the graph, with packages fetched from where `addresses` says.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn layers(&self, addresses: &Addresses) -> Result<Layers, ArgumentError> {
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

    /// Where the user's file has the package that made `step` fail.
    pub fn lines(&self, step: &Step, culprit: &Culprit) -> Option<Lines> {
        let Culprit::Package(index) = culprit else {
            return None;
        };
        let package = self.plan.packages.get(step.package(*index)?)?;
        Some(package.lines)
    }

    /// The place of a package in the user's file.
    pub(super) fn location(&self, lines: Lines) -> Location {
        let line = |number| i32::try_from(number).unwrap_or(i32::MAX);
        self.file
            .location([Range::lines(line(lines.first), line(lines.last))])
    }

    /// The download of package `index`, or of the installer after all packages.
    fn artifact(&self, index: usize, package: &Package) -> Artifact {
        let count = self.plan.packages.len();
        let kind = if index < count {
            WantedKind::Package
        } else {
            WantedKind::Installer
        };
        let mut options = Options::new();
        options
            .location(self.location(package.lines))
            .export_cache(false);
        if kind == WantedKind::Package {
            options
                .name(downloads::name(package, index, count))
                .group(&downloads::group(count));
        } else {
            options.name(format!("[conda] installer {}", package.id));
        }
        if self.no_cache {
            options.ignore_cache();
        }
        Artifact {
            wanted: Wanted {
                kind,
                label: package.id.to_string(),
                lines: package.lines,
            },
            file_name: package.id.file_name(),
            sha256: package.hashes.sha256.clone(),
            options,
            no_cache: self.no_cache,
        }
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

    /// A python that install steps can run to compile modules, if any of them has to.
    fn python_runtime(&self, downloads: &Downloads) -> Result<Option<Python>, ArgumentError> {
        let (Some(python), Some(base)) = (&self.plan.python, self.base) else {
            return Ok(None);
        };
        if !self
            .plan
            .groups
            .iter()
            .any(|group| self.plan.needs_python(group))
        {
            return Ok(None);
        }
        let spec = PythonRuntimeSpec {
            version: python.version.clone(),
        };
        let args = spec.to_args(&self.specs(&python.runtime))?;
        let mut step = Step::new(
            self.frontend,
            args,
            &self.options(format!(
                "[conda] python {} to compile modules with",
                python.version
            )),
        );
        step.input(BASE_DIR, base, self.content_cache);
        self.mount_packages(&mut step, &python.runtime, downloads);
        let out = step.output(OUTPUT_DIR);
        Ok(Some(Python {
            output: step.exec().build()[out].clone(),
            step,
            retried: downloads.any_retried(&python.runtime),
        }))
    }

    fn install(
        &self,
        index: usize,
        downloads: &Downloads,
        python: Option<&Python>,
    ) -> Result<Installed, ArgumentError> {
        let group = &self.plan.groups[index];
        let name = format!("[install {}/{}] {group}", index + 1, self.plan.groups.len());
        let needs_python = self.plan.needs_python(group);
        let python = python.filter(|_| needs_python);
        let spec = InstallSpec {
            prefix: self.place.prefix().to_owned(),
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
        };
        let args = spec.to_args(&self.specs(&group.packages))?;
        let mut options = self.options(name.clone());
        for location in self.locations(group) {
            options.location(location);
        }
        let mut step = Step::new(self.frontend, args, &options);
        self.mount_packages(&mut step, &group.packages, downloads);
        if let Some(python) = python {
            step.input(PYTHON_DIR, &python.output, false);
            if python.retried {
                step.retry(self.no_cache);
            }
        }
        match self.micromamba {
            Some(Micromamba::Given { from, pinned }) => {
                step.input(MICROMAMBA_DIR, from, *pinned && self.content_cache);
            }
            Some(Micromamba::Package(package)) => {
                let index = self.plan.packages.len();
                let retried = downloads.retried[index];
                if retried {
                    step.retry(self.no_cache);
                }
                let unpacked = downloads::unpacked(package, &downloads.outputs[index], retried);
                step.input(
                    MICROMAMBA_DIR,
                    &unpacked,
                    package.hashes.is_pinned() && self.content_cache,
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

    /// A failing step points at its packages, if they are few enough to be of help.
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

    fn collect(&self, installed: &[Installed], retried: bool) -> Result<Output, ArgumentError> {
        let spec = CollectSpec {
            groups: self
                .plan
                .groups
                .iter()
                .map(|group| group.packages.clone())
                .collect(),
        };
        let name = "[conda] gather what the packages bring".to_owned();
        let mut step = Step::new(self.frontend, spec.to_args(&[])?, &self.options(name));
        if retried {
            step.retry(self.no_cache);
        }
        for (index, group) in installed.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), &group.facts, false);
        }
        let out = step.output(OUTPUT_DIR);
        Ok(step.exec().build()[out].clone())
    }

    pub(super) fn options(&self, name: String) -> Options {
        let mut options = Options::new();
        options.name(name);
        if self.no_cache {
            options.ignore_cache();
        }
        options
    }

    fn specs(&self, indices: &[usize]) -> Vec<PackageSpec> {
        indices
            .iter()
            .map(|index| package_spec(&self.plan.packages[*index]))
            .collect()
    }

    /// Mounts each package by itself: merging them would cost more whenever one changes.
    fn mount_packages(&self, step: &mut Step, indices: &[usize], downloads: &Downloads) {
        step.concerns(indices);
        if downloads.any_retried(indices) {
            step.retry(self.no_cache);
        }
        for (position, index) in indices.iter().enumerate() {
            let package: &Package = &self.plan.packages[*index];
            step.input(
                &format!("{INPUT_DIR}/{position}"),
                &downloads.outputs[*index],
                package.hashes.is_pinned() && self.content_cache,
            );
        }
    }
}
