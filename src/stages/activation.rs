//! Activates environments: what their packages' scripts set, and the files that keep them active.

use std::collections::BTreeMap;

use buildkit_llb::{Input, Output};

use super::assembly::{Image, Progress};
use super::linked::Linked;
use crate::gateway::error::BuildError;
use condafront_graph::image::{FINISHED, RUNTIME, Stack};
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::reserved;
use condafront_model::source::Lines;
use condafront_step_spec::account::User;
use condafront_step_spec::activation::{ENTRYPOINT, RECORDED_FILE, RecordSpec, Recorded};
use condafront_step_spec::facts::PackageFacts;
use condafront_step_spec::failure_report::Culprit;
use condafront_steps::activation::{self, Activation};

impl Image<'_> {
    /// Adds the files that activate the environments and keep them active; returns the image's variables, and the files'
    /// paths.
    pub(super) async fn activate(
        &self,
        progress: &mut Progress,
    ) -> Result<(Vec<(String, String)>, Vec<String>), BuildError> {
        let base_env = activation::with_user(self.base.base.config.env(), &self.user);
        let mut activations = Vec::new();
        let mut variables = Vec::new();
        for environment in &self.environments {
            let recorded = match &progress.root {
                Input::Output(root) => {
                    let facts = &mut progress.facts;
                    environment
                        .recorded(root, &base_env, &self.user, facts)
                        .await?
                }
                Input::Scratch => None,
            };
            let recorded = recorded.as_ref();
            let active = environment.active(&base_env, recorded, &self.user).await?;
            activations.push(active.activation);
            variables.push(active.variables);
        }
        let Some(default) = activations.get(self.default) else {
            return Ok((base_env, Vec::new()));
        };
        let files = activation::runtime_files(&default.name, &activations);
        let environments = self.environments.iter().zip(&variables);
        let environments: Vec<_> = environments
            .map(|(one, variables)| one.in_image(variables))
            .collect();
        let owner = self.user.ownership();
        let runtime = self.tools.runtime(
            self.session.platform,
            &files,
            &environments,
            owner,
            &progress.facts,
        );
        let mut stack = Stack::default();
        if let Input::Output(runtime) = runtime {
            stack.push(&runtime, RUNTIME);
        }
        let stack = stack.through(&self.links, &self.tools);
        progress.root = stack.on(&progress.root, self.stacking, FINISHED);
        progress.history.extend(stack.names());
        let paths = files.iter().map(|file| file.path.clone());
        let paths = paths.chain([ENTRYPOINT.to_owned()]);
        Ok((default.env.clone(), paths.collect()))
    }
}

/// An environment's activation with everything that it sets.
pub(super) struct Active {
    pub(super) activation: Activation,
    /// The variables that its file sets.
    pub(super) variables: BTreeMap<String, String>,
}

impl Linked<'_> {
    /// Warns about packages whose activation scripts the builder cannot run.
    async fn warn_of_activation(&self) -> Result<(), BuildError> {
        let packages = self.facts.packages.iter().enumerate();
        let warnings = packages
            .filter(|(_, package)| !package.activate_d.is_empty())
            .map(|(index, package)| {
                let planned = self.environment.plan.packages.get(index);
                let name = format!("{} {}", package.name, package.version);
                self.session
                    .activation_at_start(&name, planned.map(|package| package.lines))
            });
        self.session.warn(&warnings.collect::<Vec<_>>()).await
    }

    /// The lines of the package that has the file `path`, relative to the prefix.
    fn owner_of(&self, path: &str) -> Option<Lines> {
        let has = |package: &PackageFacts| package.activate_d.iter().any(|script| script == path);
        let index = self.facts.packages.iter().rposition(has)?;
        Some(self.environment.plan.packages.get(index)?.lines)
    }

    /// The environment's activation as its scripts find it.
    pub(super) fn activation(&self, base_env: &[(String, String)]) -> Activation {
        self.activation_with(base_env, None, &[])
    }

    /// The environment's activation, with what its scripts set, and with the variables that its file sets after them.
    /// Warns about what these need and the image does not have.
    pub(super) async fn active(
        &self,
        base_env: &[(String, String)],
        recorded: Option<&Recorded>,
        user: &User,
    ) -> Result<Active, BuildError> {
        let activation = self.activation_with(base_env, recorded, &[]);
        let mut variables = self.file.input.variables.clone();
        let late = &self.file.input.late_variables;
        if late.is_empty() {
            return Ok(Active {
                activation,
                variables,
            });
        }
        let mut env = activation.env;
        if !env.iter().any(|(name, _)| name == reserved::HOME) {
            env.push((reserved::HOME.to_owned(), user.home.clone()));
        }
        let resolved = late.resolve(&self.file.file, &env, &self.environment.prefix)?;
        self.session.warn(&resolved.warnings).await?;
        let activation = self.activation_with(base_env, recorded, &resolved.values);
        let values = resolved.values.into_iter();
        variables.extend(values.filter(|(name, _)| !reserved::is_reserved(name)));
        Ok(Active {
            activation,
            variables,
        })
    }

    fn activation_with(
        &self,
        base_env: &[(String, String)],
        recorded: Option<&Recorded>,
        late: &[(String, String)],
    ) -> Activation {
        let env_vars: Vec<(String, String)> = self.facts.env_vars.clone().into_iter().collect();
        // Both have files in `condabin`.
        let condabin = self
            .facts
            .packages
            .iter()
            .any(|package| ["conda", "mamba"].contains(&package.name.as_str()));
        let variables = self.file.input.variables.clone();
        let variables: Vec<(String, String)> = variables.into_iter().collect();
        let environment = activation::Environment {
            name: self.environment.prefix.name(),
            prefix: self.environment.prefix.path(),
            root_prefix: ROOT_PREFIX,
            condabin,
            env_vars_d: &env_vars,
            variables: &variables,
            recorded,
            late,
        };
        activation::activate(base_env, &environment)
    }

    /// What the packages' activation scripts set in the image `root`, starting from the base's variables; `None` if there
    /// are no scripts, or the builder cannot run them. The output of the step that recorded it is added to `facts`.
    pub(super) async fn recorded(
        &self,
        root: &Output,
        base_env: &[(String, String)],
        user: &User,
        facts: &mut Vec<Output>,
    ) -> Result<Option<Recorded>, BuildError> {
        if self.facts.activate_d.is_empty() {
            return Ok(None);
        }
        if !self.session.can_run() {
            self.warn_of_activation().await?;
            return Ok(None);
        }
        let env = self.activation(base_env).env;
        let (recorded, output) = self.record_activation(root, env, user).await?;
        facts.push(output);
        Ok(Some(recorded))
    }

    /// What the packages' activation scripts set in the image `root`, starting from `env`, and the output of the step
    /// that recorded it.
    pub(super) async fn record_activation(
        &self,
        root: &Output,
        env: Vec<(String, String)>,
        user: &User,
    ) -> Result<(Recorded, Output), BuildError> {
        let spec = RecordSpec {
            prefix: self.environment.prefix.path().to_owned(),
            env,
            uid: user.uid,
            gid: user.gid,
        };
        let (facts, step) = self.environment.record_activation(root, &spec)?;
        let lines = |culprit: &Culprit| match culprit {
            Culprit::File(path) => self.owner_of(path),
            _ => None,
        };
        let reference = self.session.run(&facts, &step, lines).await?;
        let recorded = self.session.read_json(&reference, RECORDED_FILE).await?;
        Ok((recorded, facts))
    }
}
