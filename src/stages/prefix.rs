//! The target `prefix`: the environments' files and nothing else, to copy into other images.

use super::assembly::{Built, Image};
use super::linked::Linked;

use std::collections::BTreeMap;

use buildkit_llb::{Input, Output};

use crate::gateway::error::BuildError;
use crate::image::config::ImageConfig;
use crate::inventory::Inventory;
use condafront_graph::image::{PACKAGES, Stack};
use condafront_steps::activation;

/// The name of the layer with the prefix as scripts and pip left it.
const TAKEN: &str = "[prefix] take the environment out of the image";
/// The name of the layer with the files that are not from packages.
const RECORDS: &str = "[prefix] history and variables";

impl Image<'_> {
    /// The environments alone.
    ///
    /// Post-link scripts and pip need an image to run in, so they run in the one that the target `image` builds, and the
    /// prefix is taken out of it. Without them, the layers are those of the image.
    pub(super) async fn prefix(&self) -> Result<Built, BuildError> {
        let environments = self.environments.iter();
        let changes =
            |one: &Linked<'_>| !one.facts.post_link.is_empty() || !one.file.pip.asked.is_empty();
        let is_changed = environments.clone().any(changes);
        let mut facts = Vec::new();
        let mut stack = Stack::default();
        let mut inside = None;
        let mut pypi = Vec::new();
        let has_scripts = |one: &Linked<'_>| !one.facts.activate_d.is_empty();
        if is_changed || environments.clone().any(has_scripts) {
            let found = self.installed().await?;
            facts = found.facts;
            pypi = found.pypi;
            inside = found.root.output().cloned();
        }
        if let Some(root) = inside.as_ref().filter(|_| is_changed) {
            let prefixes = environments.clone().map(|one| &one.environment.prefix);
            if let Input::Output(taken) =
                self.tools
                    .take_prefixes(root, prefixes, self.user.ownership(), TAKEN)
            {
                stack.push(&taken, TAKEN);
            }
        } else {
            stack.push_environments(&self.layered(), self.shared)?;
        }
        let (env, variables) = self.variables_alone(inside.as_ref(), &mut facts).await?;
        let in_image = environments.zip(&variables);
        let in_image: Vec<_> = in_image
            .map(|(one, variables)| one.in_image(variables))
            .collect();
        let records = self
            .tools
            .records(&in_image, self.user.ownership(), &facts, RECORDS);
        if let Input::Output(records) = records {
            stack.push(&records, RECORDS);
        }
        // Neither a base image nor packages of its distribution are in it.
        let mut inventory = Inventory {
            environments: self.components(&pypi),
            ..Inventory::default()
        };
        if is_changed {
            inventory.forget_layers();
        }
        self.push_inventory(&inventory, &[], &mut stack);
        let mut config = ImageConfig::scratch(self.session.platform);
        config.set_env(&env);
        config.add_labels(self.session.options.labels());
        config.add_history(&stack.names());
        Ok(Built {
            root: stack.on(&Input::Scratch, self.stacking, PACKAGES),
            config,
            base_config: None,
            inventory: Some(inventory),
            own_files: Vec::new(),
        })
    }

    /// The variables of the default environment, for images that are built from this one, and those that the files of all
    /// environments set. `inside` is an image in which scripts can run.
    async fn variables_alone(
        &self,
        inside: Option<&Output>,
        facts: &mut Vec<Output>,
    ) -> Result<(Vec<(String, String)>, Vec<BTreeMap<String, String>>), BuildError> {
        let mut env = Vec::new();
        let mut variables = Vec::new();
        for (index, environment) in self.environments.iter().enumerate() {
            let is_default = index == self.default;
            let needs_scripts = is_default || environment.file.input.late_variables.need_image();
            let recorded = match inside.filter(|_| needs_scripts) {
                Some(root) => {
                    let base_env = activation::with_user(self.base.base.config.env(), &self.user);
                    environment
                        .recorded(root, &base_env, &self.user, facts)
                        .await?
                }
                None => None,
            };
            let recorded = recorded.as_ref();
            let active = environment.active(&[], recorded, &self.user).await?;
            variables.push(active.variables);
            if is_default {
                env = active.activation.env;
            }
        }
        Ok((env, variables))
    }
}
