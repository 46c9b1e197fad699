//! Wheels in layers of their own.

use buildkit_llb::{Location, OpOptions, Output};

use super::fetched::direct_url;
use super::packages::{OwnWheel, PipPackages};
use crate::downloads::{Address, Addresses, Artifact};
use crate::environment::Environment;
use crate::image::Stack;
use crate::install::{InstallGraph, Installed};
use crate::plan::WheelTarget;
use crate::plan::wheels::{OwnFile, WheelPlan, all_run_with};
use crate::step::{self, Step};
use condafront_model::layers::Layers;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::facts::{Clash, EnvironmentFacts};
use condafront_step_spec::install::PythonSpec;
use condafront_step_spec::mounts::{INPUT_DIR, PYTHON_DIR};
use condafront_step_spec::solve::Glibc;
use condafront_step_spec::wheel::{WheelSpec, WheelsSpec};

/// An environment's graph up to the layers of its wheels.
pub struct WheelGraph {
    /// The install steps of the conda packages, then those of the wheels.
    installed: Vec<Installed>,
    /// How many of them are for conda packages.
    conda: usize,
    /// What all these steps found, in one file: first the conda packages, then the wheels in the order of the plan.
    pub facts: Output,
    /// The step that puts it together.
    collect: Step,
    /// The step that sets up a python to compile modules with.
    python: Option<(Output, Step)>,
}

/// The name, in the progress, of the operation that adds the layers.
pub const ADD_WHEELS: &str = "[pip] put the wheels on top";

impl WheelGraph {
    /// The name of the layer that holds each wheel, in the order of the list of packages.
    pub fn layer_names(&self, plan: &WheelPlan) -> Vec<String> {
        let mut names = vec![String::new(); plan.order.len()];
        for (group, step) in plan.groups.iter().zip(self.wheels()) {
            for position in &group.positions {
                let index = plan.order.get(*position);
                if let Some(name) = index.and_then(|index| names.get_mut(*index)) {
                    name.clone_from(&step.name);
                }
            }
        }
        names
    }

    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        let wheels = self.wheels().iter().map(|it| (&it.facts, &it.step));
        let python = self.python.iter().map(|(output, step)| (output, step));
        let collect = std::iter::once((&self.facts, &self.collect));
        step::failing(python.chain(wheels).chain(collect), failed)
    }

    fn wheels(&self) -> &[Installed] {
        &self.installed[self.conda..]
    }
}

impl Environment<'_> {
    /// How to link the wheels `packages`, followed by those that the build has, into an image for `platform` with this C
    /// library, in at most so many `layers`. `conda` are the facts about the conda packages. `None` if pip must install them.
    pub fn wheel_plan(
        &self,
        packages: &[PipPackage],
        own: &[OwnWheel],
        conda: &EnvironmentFacts,
        platform: Platform,
        glibc: Option<&Glibc>,
        layers: Layers,
    ) -> Option<WheelPlan> {
        let target = WheelTarget {
            python: self.plan.python.as_ref()?,
            platform,
            glibc,
        };
        let distributions = conda.packages.iter().flat_map(|it| &it.distributions);
        let distributions = distributions.map(String::as_str).collect();
        let own = own.iter().map(|wheel| OwnFile {
            name: &wheel.file_name,
            is_built: wheel.is_built,
        });
        let own: Vec<OwnFile<'_>> = own.collect();
        WheelPlan::new(packages, &own, &target, &distributions, layers)
    }

    /// Whether all packages of `facts` run with the environment's python. What is in doubt does not count.
    pub fn runs_all(&self, facts: &EnvironmentFacts) -> bool {
        let python = self.plan.python.as_ref();
        let python = python.and_then(|python| self.plan.packages.get(python.package));
        python.is_some_and(|python| all_run_with(&facts.packages, &python.id.version))
    }

    /// Links all wheels of `wanted`, fetched from `addresses` where they must be, as `plan` says. `conda` is the graph of the conda packages.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn link_wheels(
        &self,
        conda: &InstallGraph,
        wanted: &PipPackages<'_>,
        plan: &WheelPlan,
        addresses: &Addresses,
    ) -> Result<WheelGraph, ArgsError> {
        let artifacts = self.pip_artifacts(wanted);
        let mut installed = conda.installed.clone();
        let count = installed.len();
        for index in 0..plan.groups.len() {
            let group = self.link_group(index, plan, conda, wanted, &artifacts, addresses)?;
            installed.push(group);
        }
        let is_retried = addresses.iter().any(Address::is_retried);
        let first = self.plan.packages.len();
        let wheels = plan.groups.iter();
        let wheels = wheels.map(|group| group.positions.iter().map(|at| first + at).collect());
        let mut packages: Vec<usize> = (0..first).collect();
        packages.extend(plan.order.iter().map(|index| first + index));
        let name = "[pip] collect details of the packages";
        let groups = self.groups().chain(wheels).collect();
        let (facts, collect) = self.collect(&installed, groups, &packages, name, is_retried)?;
        Ok(WheelGraph {
            installed,
            conda: count,
            facts,
            collect,
            python: conda
                .python()
                .map(|python| (python.output.clone(), python.step.clone())),
        })
    }

    fn link_group(
        &self,
        index: usize,
        plan: &WheelPlan,
        conda: &InstallGraph,
        wanted: &PipPackages<'_>,
        artifacts: &[Artifact],
        addresses: &Addresses,
    ) -> Result<Installed, ArgsError> {
        let group = &plan.groups[index];
        let members: Vec<usize> = group.positions.iter().map(|at| plan.order[*at]).collect();
        let python = conda.python();
        let spec = WheelsSpec {
            prefix: self.prefix.path().to_owned(),
            uid: self.user.owner.uid,
            gid: self.user.owner.gid,
            group_writable: self.user.group_writable,
            python: PythonSpec {
                runtime: python.is_some(),
                ..wanted.python.clone()
            },
            further_parts: group.parts - 1,
        };
        let wheels: Vec<WheelSpec> = members
            .iter()
            .map(|member| wheel(wanted, *member))
            .collect();
        let name = format!(
            "[pip install {}/{}] {}",
            index + 1,
            plan.groups.len(),
            group.title
        );
        let mut options = self.tools.options(name);
        for location in self.wheel_locations(wanted, &members) {
            options.location(location);
        }
        let mut step = self.tools.step_with(spec.to_args(&wheels)?, &options);
        let first = self.plan.packages.len();
        step.concerns(
            &members
                .iter()
                .map(|member| first + member)
                .collect::<Vec<_>>(),
        );
        for (position, member) in members.iter().enumerate() {
            let place = format!("{INPUT_DIR}/{position}");
            if let Some(wheel) = own(wanted, *member) {
                step.input(&place, &wheel.output, false);
                continue;
            }
            let address = addresses.get(*member);
            if address.is_retried() {
                step.retry(self.tools.no_cache);
            }
            let output = artifacts[*member].download(address);
            step.input(&place, &output, self.tools.content_cache);
        }
        if let Some(python) = python {
            step.input(PYTHON_DIR, &python.output, false);
            if python.retried {
                step.retry(self.tools.no_cache);
            }
        }
        Ok(Installed::of(step, group.parts))
    }

    /// A failing step points at its wheels if they are few enough for that to help.
    fn wheel_locations(&self, wanted: &PipPackages<'_>, members: &[usize]) -> Vec<Location> {
        const MOST: usize = 3;
        if members.len() > MOST {
            return Vec::new();
        }
        let packages: Vec<&PipPackage> = members
            .iter()
            .filter_map(|member| wanted.packages.get(*member))
            .collect();
        self.pip_locations(wanted.packages, &packages)
    }

    /// The layers of the wheels, and one for what the layers of all packages together do not show as a single install
    /// leaves it. `facts` are those of `graph`, and `conda` are those of the conda packages alone, whose clashes are already
    /// settled.
    ///
    /// # Errors
    /// When a path does not fit into a program's arguments.
    pub fn stack_wheels(
        &self,
        graph: &WheelGraph,
        facts: &EnvironmentFacts,
        conda: &EnvironmentFacts,
    ) -> Result<Stack, ArgsError> {
        let mut stack = Stack::default();
        for wheel in graph.wheels() {
            for (layer, name) in wheel.named() {
                stack.push(layer, &name);
            }
        }
        let clashes = facts.clashes.iter();
        let new: Vec<Clash> = clashes
            .filter(|clash| !conda.clashes.contains(clash))
            .cloned()
            .collect();
        self.stack_clashes(&mut stack, &graph.installed, &new)?;
        Ok(stack)
    }
}

/// The wheel at `member`, if it is one that the build has.
fn own<'a>(wanted: &'a PipPackages<'_>, member: usize) -> Option<&'a OwnWheel> {
    let index = member.checked_sub(wanted.packages.len())?;
    wanted.wheels.get(index)
}

/// The step's arguments for the wheel at `member`.
fn wheel(wanted: &PipPackages<'_>, member: usize) -> WheelSpec {
    let (label, file, direct_url) = match own(wanted, member) {
        Some(wheel) => {
            let direct_url = wheel.direct_url.clone();
            (wheel.label.clone(), wheel.file_name.clone(), direct_url)
        }
        None => {
            let package = &wanted.packages[member];
            (package.label(), package.file_name(), direct_url(package))
        }
    };
    WheelSpec {
        label,
        file,
        // A lock does not say which packages only others need, and must give the same layer as the list that it is from.
        requested: true,
        direct_url,
    }
}
