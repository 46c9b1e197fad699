//! The target `image`: turns packages into an image with the environments.

use super::assembly::{Built, Image};
use super::input::ImageInput;
use super::linked::Ground;
use super::{Session, as_diagnostic, native};

use std::collections::BTreeMap;

use buildkit_llb::Input;
use buildkit_proto::gateway;
use futures_util::future::try_join_all;
use serde_json::json;

use crate::context::named::{Finder, Found};
use crate::gateway::error::BuildError;
use crate::gateway::requirements;
use crate::image::section;
use crate::options::choices::{Choice, Choices};
use crate::options::target::Target;
use condafront_graph::account::Account;
use condafront_graph::image::Stacking;
use condafront_model::layers::Layers as LayerCount;
use condafront_model::lint::{Rule, Warning};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Lines};
use condafront_model::stamp::Owner;
use condafront_step_spec::account::{AccountFacts, FACTS_FILE};
use condafront_step_spec::failure_report::Culprit;

impl Session<'_> {
    /// Builds the target `image` or `prefix` for each of `platforms`.
    pub(super) async fn images(
        &self,
        target: Target,
        platforms: &[Platform],
    ) -> Result<gateway::Result, BuildError> {
        let image = async |platform: Platform| {
            let session = self.on(platform);
            let input = session.image_input().await?;
            session.warn(&input.warnings).await?;
            if target == Target::Image {
                session.check_commands(&input.section)?;
            }
            let finish = async |image: &Image<'_>| match target {
                Target::Prefix => image.prefix().await,
                _ => {
                    image.check_libc()?;
                    image.finish().await
                }
            };
            Ok::<_, BuildError>((platform, session.with_image(&input, finish).await?))
        };
        let images = try_join_all(platforms.iter().map(|platform| image(*platform))).await?;
        self.result(&images).await
    }

    /// Links the packages of all environments for the session's platform, and continues with `next`.
    pub(super) async fn with_image<T>(
        &self,
        input: &ImageInput,
        next: impl AsyncFnOnce(&Image<'_>) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        for one in &input.environments {
            self.about(&one.file).check_pip(&one.pip.asked)?;
        }
        let choices = Choices::new(self.settings, &input.section);
        let stacking = self.stacking(&choices.layers)?;
        let layers = match (stacking, choices.layers.value) {
            (Stacking::Copy, _) => LayerCount::AtMost(1),
            (Stacking::Merge, layers) => layers.unwrap_or_default(),
        };
        let finder = self.finder();
        let (base, programs) =
            tokio::try_join!(self.base(&finder, &choices.base), self.programs())?;
        // It runs on the builder, whatever platform it links packages for.
        let builder = self.on(native(self.bridge));
        let micromamba = builder.micromamba(choices.installer).await?;
        let tools = self.tools(&programs);
        let workdir = section::workdir(&base.config, &input.section);
        let ground = Ground {
            base: &base,
            choice: &choices.base,
            tools,
            micromamba: micromamba.as_ref(),
            layers,
            trim: &choices.trim,
        };
        let (planned, shared) = self.plan(&input.environments, &ground).await?;
        let install = async |owner: Owner| {
            let linked = planned.iter().map(|one| one.install(&ground, owner));
            try_join_all(linked).await
        };
        let workdir_lines = input.section.workdir.as_ref().map(|workdir| workdir.lines);
        // Conda packages do not depend on system packages, so both are installed in parallel.
        let prepare = async {
            let ready = self.system_packages(&base, &tools, &input.section).await?;
            let under = ready.base.state.output();
            let account = tools
                .account(&choices.user.value, workdir.as_deref(), under)
                .map_err(as_diagnostic)?;
            let found = self.account_facts(&account, choices.user.lines, workdir_lines);
            let found = found.await?;
            Ok::<_, BuildError>((ready, account, found))
        };
        let guessed = choices.owner();
        let (mut environments, (ready, account, found)) =
            tokio::try_join!(install(guessed), prepare)?;
        let owner = Owner {
            uid: found.user.uid,
            gid: found.user.gid,
        };
        if owner != guessed {
            // The base image already has an account with that name.
            environments = install(owner).await?;
        }
        for environment in &environments {
            environment.warn().await?;
        }
        self.warn(&account_notices(&found.notices)).await?;
        let image = Image {
            session: *self,
            tools,
            base: &ready,
            base_lines: choices.base.lines,
            libc: &found.libc,
            stacking,
            account: &account,
            user: &found.user,
            environments: &environments,
            shared: &shared,
            default: input.default,
            section: &input.section,
            workdir: workdir.as_deref(),
        };
        next(&image).await
    }

    /// Creates the account; `user` and `workdir` are the lines that ask for it and for the working directory.
    async fn account_facts(
        &self,
        account: &Account,
        user: Option<Lines>,
        workdir: Option<Lines>,
    ) -> Result<AccountFacts, BuildError> {
        const HELP: &str =
            "Choose the account with the build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID.";
        const KEY: &str = "Change `user`; the build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID override it.";
        const WORKDIR: &str =
            "Use a directory of the base image, or a path that does not exist yet.";
        let lines = |culprit: &Culprit| workdir.filter(|_| matches!(culprit, Culprit::File(_)));
        let run = self.run(&account.facts, &account.step, lines);
        let reference = run.await.map_err(|error| match (error, user) {
            (BuildError::Diagnostic(found), _) if !found.locations.is_empty() => {
                found.help(WORKDIR).into()
            }
            (BuildError::Diagnostic(found), Some(lines)) => {
                found.at(self.file, lines).help(KEY).into()
            }
            (BuildError::Diagnostic(found), None) => found.help(HELP).into(),
            (error, _) => error,
        })?;
        self.read_json(&reference, FACTS_FILE).await
    }

    /// The base image. Its errors are reported at the line that names it.
    pub(super) async fn base(
        &self,
        finder: &Finder<'_>,
        choice: &Choice<String>,
    ) -> Result<Found, BuildError> {
        let found = finder.base(&choice.value).await;
        found.map_err(|error| match (error, choice.lines) {
            (BuildError::Diagnostic(diagnostic), Some(lines)) => {
                diagnostic.at(self.file, lines).into()
            }
            (error, _) => error,
        })
    }

    /// How this engine can stack layers; an error if that is not enough for what the user asked for.
    fn stacking(&self, layers: &Choice<Option<LayerCount>>) -> Result<Stacking, Diagnostic> {
        let merge = buildkit_llb::caps::MERGE_OP.id;
        if self.bridge.abilities().has(merge) {
            return Ok(Stacking::Merge);
        }
        match layers.value {
            Some(LayerCount::AtMost(2..)) => {
                let mut diagnostic = requirements::missing(merge, self.bridge.abilities());
                let help = diagnostic.help.take().unwrap_or_default();
                Err(match layers.lines {
                    Some(lines) => diagnostic
                        .at(self.file, lines)
                        .help(format!("{help} Or remove `layers`: the image then has one layer of packages.")),
                    None => diagnostic.help(format!("{help} Or remove CONDAFRONT_LAYERS: the image then has one layer of packages.")),
                })
            }
            _ => Ok(Stacking::Copy),
        }
    }

    /// The result in BuildKit's form.
    async fn result(&self, images: &[(Platform, Built)]) -> Result<gateway::Result, BuildError> {
        let mut references = BTreeMap::new();
        let mut metadata = BTreeMap::new();
        let several = self.options.is_multi_platform() || images.len() > 1;
        for (platform, image) in images {
            let reference = match &image.root {
                Input::Output(output) => self.evaluate(output).await?.to_proto(),
                Input::Scratch => gateway::Ref::default(),
            };
            let id = platform.to_string();
            let key = match several {
                true => format!("containerimage.config/{id}"),
                false => "containerimage.config".to_owned(),
            };
            metadata.insert(key, image.config.to_json());
            references.insert(id, reference);
        }
        let list = images.iter().map(|(platform, _)| {
            json!({
                "ID": platform.to_string(),
                "Platform": {"os": platform.os(), "architecture": platform.architecture()},
            })
        });
        let platforms = json!({"Platforms": list.collect::<Vec<_>>()});
        metadata.insert(
            "refs.platforms".to_owned(),
            platforms.to_string().into_bytes(),
        );
        let result = match several {
            true => gateway::result::Result::Refs(gateway::RefMap { refs: references }),
            false => {
                let reference = references.into_values().next();
                gateway::result::Result::Ref(reference.unwrap_or_default())
            }
        };
        Ok(gateway::Result {
            result: Some(result),
            metadata,
            ..Default::default()
        })
    }
}

/// The account step's notices, as warnings.
fn account_notices(notices: &[String]) -> Vec<Warning> {
    let warning = |notice: &String| Warning {
        rule: Rule::Account,
        diagnostic: Diagnostic::new(notice),
    };
    notices.iter().map(warning).collect()
}
