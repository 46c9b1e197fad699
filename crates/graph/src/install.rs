//! From packages to layers: install steps, and what they found.

use buildkit_llb::{Input, Location, Merge, OpOptions, Output};

use crate::downloads::{self, Addresses};
use crate::environment::{Environment, Micromamba};
use crate::packages::Downloads;
use crate::plan::groups::Group;
use crate::python_runtime::PythonRuntime;
use crate::step::{self, Step};
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::install::{CollectSpec, InstallSpec, Installer};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR, MICROMAMBA_DIR, OUTPUT_DIR, PYTHON_DIR};

/// One group's install step.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The layer: the prefix with the group's files. A large package has several.
    pub(crate) layers: Vec<Output>,
    /// What the step found.
    pub(crate) facts: Output,
    /// The step's name.
    pub name: String,
    /// The step, in case it fails.
    pub(crate) step: Step,
}

impl Installed {
    /// What `step` installs into this many layers.
    pub(crate) fn of(mut step: Step, parts: u16) -> Self {
        let layers = step.layers(parts);
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        Self {
            layers: layers.iter().map(|layer| built[*layer].clone()).collect(),
            facts: built[facts].clone(),
            name: step.name().to_owned(),
            step,
        }
    }

    /// Its files in one file system.
    pub(crate) fn whole(&self) -> Input {
        let name = format!("{}, its layers put together", self.name);
        Merge::new(&self.layers).name(name).build()
    }

    /// Its layers with their names.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&Output, String)> {
        let name = |part| part_name(&self.name, part, self.layers.len());
        let layers = self.layers.iter().enumerate();
        layers.map(move |(part, layer)| (layer, name(part)))
    }
}

/// The name of a layer: that of the step, and which of its layers it is, counted from 0, where there are several.
pub(crate) fn part_name(name: &str, part: usize, parts: usize) -> String {
    match parts {
        1 => name.to_owned(),
        _ => format!("{name} (part {} of {parts})", part + 1),
    }
}

/// An environment's graph up to its layers.
#[derive(Clone, Debug)]
pub struct InstallGraph {
    /// The install steps, in the order of the groups.
    pub installed: Vec<Installed>,
    /// What all steps found, in one file.
    pub facts: Output,
    /// The step that puts it together.
    collect: Step,
    /// The step that sets up a python to compile modules with.
    python: Option<PythonRuntime>,
}

impl InstallGraph {
    /// The python that compiles modules, if there is one.
    pub(crate) fn python(&self) -> Option<&PythonRuntime> {
        self.python.as_ref()
    }

    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        let installed = self.installed.iter().map(|step| (&step.facts, &step.step));
        let python = self.python.iter();
        let python = python.map(|python| (&python.output, &python.step));
        let collect = std::iter::once((&self.facts, &self.collect));
        step::failing(python.chain(installed).chain(collect), failed)
    }
}

impl Environment<'_> {
    /// Builds the graph, with packages fetched from `addresses`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn install(&self, addresses: &Addresses) -> Result<InstallGraph, ArgsError> {
        let downloads = self.downloads(addresses);
        let python = self.python_runtime(&downloads)?;
        let installed: Vec<Installed> = (0..self.plan.groups.len())
            .map(|index| self.install_group(index, &downloads, python.as_ref()))
            .collect::<Result<_, _>>()?;
        let all: Vec<usize> = (0..self.plan.packages.len()).collect();
        let name = "[conda] collect details of the packages";
        let is_retried = downloads.retried.contains(&true);
        let groups = self.groups().collect();
        let (facts, collect) = self.collect(&installed, groups, &all, name, is_retried)?;
        Ok(InstallGraph {
            installed,
            facts,
            collect,
            python,
        })
    }

    fn install_group(
        &self,
        index: usize,
        downloads: &Downloads,
        python: Option<&PythonRuntime>,
    ) -> Result<Installed, ArgsError> {
        let group = &self.plan.groups[index];
        let name = format!("[install {}/{}] {group}", index + 1, self.plan.groups.len());
        let needs_python = self.plan.needs_python(group);
        let python = python.filter(|_| needs_python);
        let spec = InstallSpec {
            prefix: self.prefix.path().to_owned(),
            uid: self.user.owner.uid,
            gid: self.user.owner.gid,
            group_writable: self.user.group_writable,
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
            further_parts: group.parts() - 1,
        };
        let args = spec.to_args(&self.specs(&group.packages))?;
        let mut options = self.tools.options(name);
        for location in self.locations(group) {
            options.location(location);
        }
        let mut step = self.tools.step_with(args, &options);
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
        Ok(Installed::of(step, group.parts()))
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

    /// The positions of the packages of each group.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Vec<usize>> {
        self.plan.groups.iter().map(|group| group.packages.clone())
    }

    /// The step that collects what `installed` found: `groups` are the positions of each step's packages among `all`.
    pub(crate) fn collect(
        &self,
        installed: &[Installed],
        groups: Vec<Vec<usize>>,
        all: &[usize],
        name: &str,
        retried: bool,
    ) -> Result<(Output, Step), ArgsError> {
        let spec = CollectSpec { groups };
        let mut step = self.tools.step(spec.to_args(&[])?, name);
        step.concerns(all);
        if retried {
            step.retry(self.tools.no_cache);
        }
        for (index, group) in installed.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), &group.facts, false);
        }
        let out = step.output(OUTPUT_DIR);
        Ok((step.exec().build()[out].clone(), step))
    }
}
