//! The account and the conda packages of all environments, on the base image. A build and the command line put them
//! together here; the command line does so without facts.

use buildkit_llb::Input;

use crate::account::Account;
use crate::environment::Environment;
use crate::image::{PACKAGES, Stack, Stacking, shared_name};
use crate::install::{InstallGraph, part_name};
use crate::plan::groups;
use crate::plan::sharing::Shared;
use condafront_step_spec::account::LinkedDirectory;
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::facts::EnvironmentFacts;

/// An environment, and the graph of its layers.
#[derive(Clone, Copy)]
pub struct Layered<'a> {
    /// What the graph is made from.
    pub environment: &'a Environment<'a>,
    /// The graph.
    pub graph: &'a InstallGraph,
    /// What its steps found. The default is for steps that have not run: layers are then stacked in the order of the
    /// plan's groups, and no files clash.
    pub facts: &'a EnvironmentFacts,
}

impl Layered<'_> {
    /// The order in which the groups' layers are stacked, lowest first.
    fn order(&self) -> Vec<usize> {
        groups::stacking_order(&self.environment.plan.groups, |package| {
            let facts = self.facts.packages.get(package);
            facts.map_or(0, |facts| facts.size)
        })
    }
}

/// The name of the layer that holds each package: by environment, and by package in the order of its plan. `shared` are the
/// groups of packages that several environments share.
pub fn layer_names(environments: &[Layered<'_>], shared: &[Shared]) -> Vec<Vec<String>> {
    let names = environments.iter().enumerate().map(|(index, one)| {
        let plan = &one.environment.plan;
        let mut names = vec![String::new(); plan.packages.len()];
        for (number, (group, step)) in plan.groups.iter().zip(&one.graph.installed).enumerate() {
            let is_here = |it: &&Shared| it.groups.contains(&(index, number));
            let name = match shared.iter().find(is_here) {
                None => step.name.clone(),
                Some(shared) => {
                    let owners = shared.groups.iter();
                    let owners = owners.filter_map(|(index, _)| environments.get(*index));
                    let prefixes = owners.map(|owner| &owner.environment.prefix);
                    shared_name(&group.to_string(), prefixes)
                }
            };
            for package in &group.packages {
                if let Some(place) = names.get_mut(*package) {
                    place.clone_from(&name);
                }
            }
        }
        names
    });
    names.collect()
}

/// An image with its account and the conda packages of its environments.
pub struct CondaImage {
    /// Its file system.
    pub root: Input,
    /// The names of the layers on the base, lowest first.
    pub history: Vec<String>,
}

impl CondaImage {
    /// Puts the account and the layers of the environments on `base`, which has `links`; `shared` are the groups of
    /// packages that several environments share.
    ///
    /// # Errors
    /// When a step's arguments are too long.
    pub fn new(
        base: &Input,
        links: &[LinkedDirectory],
        account: &Account,
        environments: &[Layered<'_>],
        shared: &[Shared],
        stacking: Stacking,
    ) -> Result<Self, ArgsError> {
        let mut stack = Stack::default();
        stack.push(&account.layer, &account.name);
        let mut packages = Stack::default();
        packages.push_environments(environments, shared)?;
        let mut name = PACKAGES.to_owned();
        if let Some(one) = environments.first() {
            let tools = match environments {
                [_] => one.environment.tools,
                _ => one.environment.tools.of_image(),
            };
            stack.append(packages.prefix_through(links, &tools));
            name = tools.title(PACKAGES);
        }
        Ok(Self {
            root: stack.on(base, stacking, &name),
            history: stack.names(),
        })
    }
}

impl Stack {
    /// Adds the layers of an image's environments. Layers that several of them share are added once, in the place of
    /// the first.
    ///
    /// # Errors
    /// When a step's arguments are too long.
    pub fn push_environments(
        &mut self,
        environments: &[Layered<'_>],
        shared: &[Shared],
    ) -> Result<(), ArgsError> {
        for (index, one) in environments.iter().enumerate() {
            for group in one.order() {
                let Some(step) = one.graph.installed.get(group) else {
                    continue;
                };
                let is_here = |it: &&Shared| it.groups.contains(&(index, group));
                match shared.iter().find(is_here) {
                    None => {
                        for (layer, name) in step.named() {
                            self.push(layer, &name);
                        }
                    }
                    Some(shared) if shared.groups.first() == Some(&(index, group)) => {
                        let group = one.environment.plan.groups.get(group);
                        let title = group.map(ToString::to_string).unwrap_or_default();
                        let parts = step.layers.len();
                        for part in 0..parts {
                            let layers = shared.groups.iter().filter_map(|(index, group)| {
                                let owner = environments.get(*index)?;
                                let step = owner.graph.installed.get(*group)?;
                                Some((&owner.environment.prefix, step.layers.get(part)?))
                            });
                            let layers: Vec<_> = layers.collect();
                            let title = part_name(&title, part, parts);
                            let tools = one.environment.tools.of_image();
                            let (layer, name) = tools.share(&layers, &title)?;
                            self.push(&layer, &name);
                        }
                    }
                    Some(_) => {}
                }
            }
            let installed = &one.graph.installed;
            one.environment
                .stack_clashes(self, installed, &one.facts.clashes)?;
        }
        Ok(())
    }
}
