//! The image, put together from layers and from what the steps found out.

use super::{Session, as_diagnostic};
use std::collections::BTreeMap;

use buildkit_llb::{Input, Output};
use buildkit_proto::gateway;
use serde_json::json;

use crate::account::User;
use crate::activation::{self, RecordSpec, Recorded};
use crate::context::named::Found;
use crate::failure_report::Culprit;
use crate::gateway::client::Evaluate;
use crate::gateway::error::BuildError;
use crate::graph::account::Account;
use crate::graph::environment::{Environment, Layers};
use crate::graph::image::{self, Stacking};
use crate::image::config::ImageConfig;
use crate::image::section;
use crate::input::Pip;
use crate::install::facts::{EnvironmentFacts, PackageFacts};
use crate::install::spec::PostLinkPackage;
use crate::plan::groups;
use crate::plan::place::ROOT_PREFIX;
use crate::section::ImageSection;
use crate::source::Lines;

/// The image of an environment whose packages are linked.
pub(super) struct Image<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) environment: &'a Environment<'a>,
    pub(super) base: &'a Found,
    pub(super) stacking: Stacking,
    pub(super) layers: &'a Layers,
    pub(super) facts: &'a EnvironmentFacts,
    /// What the solve left, if there was one.
    pub(super) solved: &'a [Output],
    /// The environment file's variables.
    pub(super) variables: &'a BTreeMap<String, String>,
    /// The PyPI packages.
    pub(super) pip: &'a Pip,
    /// What the file says of the image.
    pub(super) section: &'a ImageSection,
    /// The image's working directory, if it is not the base's.
    pub(super) workdir: Option<&'a str>,
}

impl Image<'_> {
    /// The image with its conda packages and nothing on top of them, and what its layers are.
    pub(super) async fn linked(
        &self,
        account: &Account,
    ) -> Result<(Input, Vec<String>), BuildError> {
        let environment = self.environment;
        let order = groups::stacking_order(&environment.plan.groups, |package| {
            self.facts
                .packages
                .get(package)
                .map_or(0, |facts| facts.size)
        });
        let stack = environment
            .stack(account, &self.layers.installed, order, &self.facts.clashes)
            .map_err(as_diagnostic)?;
        let mut history = stack.names();
        let mut root = stack.on(&self.base.state, self.stacking);
        if let Input::Output(below) = &root
            && !self.facts.post_link.is_empty()
        {
            root = self.post_link(below).await?.into();
            history.push(image::POST_LINK.to_owned());
        }
        Ok((root, history))
    }

    /// Puts everything together.
    pub(super) async fn finish(
        &self,
        account: &Account,
        user: &User,
    ) -> Result<gateway::Result, BuildError> {
        let (mut root, mut history) = self.linked(account).await?;
        let mut facts = vec![self.layers.facts.clone(), account.facts.clone()];
        facts.extend_from_slice(self.solved);
        if let Input::Output(below) = &root
            && let Some(pip) = self.pip(below).await?
        {
            root = pip.root.into();
            history.extend(pip.layer);
            facts.extend(pip.facts);
        }
        let recorded = match &root {
            Input::Output(root) if !self.facts.activate_d.is_empty() => {
                let (recorded, output) = self.record_activation(root, user).await?;
                facts.push(output);
                Some(recorded)
            }
            _ => None,
        };
        let activation = self.activation(user, recorded.as_ref());
        let files = activation::runtime_files(&activation.name, std::slice::from_ref(&activation));
        if let Input::Output(runtime) = self.environment.runtime(&files, self.variables, &facts) {
            root = self.stacking.stack(
                root,
                &[(runtime, image::RUNTIME.to_owned())],
                "[image] put the layers together",
            );
            history.push(image::RUNTIME.to_owned());
        }
        let mut config = self.base.config.clone();
        config.set_env(&activation.env);
        config.set_user(user.uid, user.gid);
        section::apply(
            &mut config,
            self.section,
            &self.session.build_file.file,
            activation::ENTRYPOINT,
            self.workdir,
        )?;
        config.add_labels(self.session.options.labels());
        config.add_history(&history);
        self.session.result(&root, &config).await
    }

    /// Runs the packages' post-link scripts now, so that what they say is seen if one fails.
    async fn post_link(&self, below: &Output) -> Result<Output, BuildError> {
        let indices = &self.facts.post_link;
        let packages = indices
            .iter()
            .filter_map(|index| self.facts.packages.get(*index));
        let packages = packages
            .map(|package| PostLinkPackage {
                name: package.name.clone(),
                version: package.version.clone(),
                build_number: package.build_number,
            })
            .collect();
        let (linked, step) = self
            .environment
            .post_link(below, packages, indices)
            .map_err(as_diagnostic)?;
        let lines = |culprit: &Culprit| self.environment.lines(&step, culprit);
        self.session.run(&linked, &step, lines).await?;
        Ok(linked)
    }

    /// The lines of the package that has the file `path`, relative to the prefix.
    fn owner_of(&self, path: &str) -> Option<Lines> {
        let has = |package: &PackageFacts| package.activate_d.iter().any(|script| script == path);
        let index = self.facts.packages.iter().rposition(has)?;
        Some(self.environment.plan.packages.get(index)?.lines)
    }

    /// The variables of the active environment, with what its scripts set.
    fn activation(&self, user: &User, recorded: Option<&Recorded>) -> activation::Activation {
        let env_vars: Vec<(String, String)> = self.facts.env_vars.clone().into_iter().collect();
        // These two put themselves there.
        let condabin = self
            .facts
            .packages
            .iter()
            .any(|package| ["conda", "mamba"].contains(&package.name.as_str()));
        let variables: Vec<(String, String)> = self.variables.clone().into_iter().collect();
        let environment = activation::Environment {
            name: self.environment.place.name(),
            prefix: self.environment.place.prefix(),
            root_prefix: ROOT_PREFIX,
            condabin,
            env_vars_d: &env_vars,
            variables: &variables,
            recorded,
        };
        let base_env = activation::with_user(self.base.config.env(), user);
        activation::activate(&base_env, &environment)
    }

    /// What the packages' activation scripts set in the image `root`, and the step that found it out.
    async fn record_activation(
        &self,
        root: &Output,
        user: &User,
    ) -> Result<(Recorded, Output), BuildError> {
        let spec = RecordSpec {
            prefix: self.environment.place.prefix().to_owned(),
            env: self.activation(user, None).env,
            uid: user.uid,
            gid: user.gid,
        };
        let (facts, step) = self
            .environment
            .record_activation(root, &spec)
            .map_err(as_diagnostic)?;
        let lines = |culprit: &Culprit| match culprit {
            Culprit::File(path) => self.owner_of(path),
            _ => None,
        };
        let reference = self.session.run(&facts, &step, lines).await?;
        let recorded = self
            .session
            .read_json(&reference, activation::RECORDED_FILE)
            .await?;
        Ok((recorded, facts))
    }
}

impl Session<'_> {
    /// The result as BuildKit takes it.
    async fn result(
        &self,
        root: &Input,
        config: &ImageConfig,
    ) -> Result<gateway::Result, BuildError> {
        let reference = match root {
            Input::Output(output) => self.solve(output, Evaluate::Lazily).await?.to_proto(),
            Input::Scratch => gateway::Ref::default(),
        };
        let platform = self.platform;
        let id = platform.to_string();
        let platforms = json!({"Platforms": [{
            "ID": id,
            "Platform": {"os": platform.os(), "architecture": platform.architecture()},
        }]});
        let mut metadata = BTreeMap::from([(
            "refs.platforms".to_owned(),
            platforms.to_string().into_bytes(),
        )]);
        let (result, suffix) = if self.options.is_multi_platform() {
            let refs = gateway::RefMap {
                refs: BTreeMap::from([(id.clone(), reference)]),
            };
            (gateway::result::Result::Refs(refs), format!("/{id}"))
        } else {
            (gateway::result::Result::Ref(reference), String::new())
        };
        metadata.insert(format!("containerimage.config{suffix}"), config.to_json());
        Ok(gateway::Result {
            result: Some(result),
            metadata,
            ..Default::default()
        })
    }
}
