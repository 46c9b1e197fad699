//! Assembles the image from layers and from the facts that steps found.

use super::additions::Additions;
use super::linked::Linked;
use super::pip::Pipped;
use super::session::Session;
use super::system::SystemBase;
use super::wheels::WheelGround;

use buildkit_llb::{Input, Output};
use futures_util::future::join_all;

use crate::gateway::error::BuildError;
use crate::image::config::ImageConfig;
use crate::image::limits::Sources;
use crate::image::section;
use crate::inventory::{Component, Inventory};
use condafront_graph::Tools;
use condafront_graph::account::Account;
use condafront_graph::conda_image::{CondaImage, Layered};
use condafront_graph::image::{Stack, Stacking};
use condafront_graph::pip::ADD_WHEELS;
use condafront_graph::plan::sharing::Shared;
use condafront_graph::plan::wheels::layers_for_wheels;
use condafront_input::section::{Contract, ImageSection};
use condafront_model::layers::Layers;
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};
use condafront_step_spec::account::{Libc, LinkedDirectory, User};
use condafront_step_spec::activation::ENTRYPOINT;
use condafront_step_spec::solve::Glibc;
use condafront_steps::activation;

/// An image whose environments are linked.
pub(super) struct Image<'a> {
    /// The build; errors point at the build file.
    pub(super) session: Session<'a>,
    /// What all steps share.
    pub(super) tools: Tools<'a>,
    /// The base image, with its system packages.
    pub(super) base: SystemBase,
    /// The lines of the build file that name it.
    pub(super) base_lines: Option<Lines>,
    /// The base image's C library.
    pub(super) libc: Libc,
    /// The base image's links in the way of layers.
    pub(super) links: Vec<LinkedDirectory>,
    /// How layers are stacked.
    pub(super) stacking: Stacking,
    /// Over how many layers packages are spread.
    pub(super) layers: Layers,
    /// The step that creates the account.
    pub(super) account: Account,
    /// The image's user.
    pub(super) user: User,
    /// Whether the base image lacks the working directory.
    pub(super) made_workdir: bool,
    /// The environments, at least one.
    pub(super) environments: Vec<Linked<'a>>,
    /// The groups of packages that several of them share.
    pub(super) shared: &'a [Shared],
    /// How many environments of the image file the image does not have.
    pub(super) left_out: usize,
    /// The index of the environment that is active unless a container chooses another.
    pub(super) default: usize,
    /// The image section of the build file.
    pub(super) section: &'a ImageSection,
    /// The image's working directory, if it is not the base image's.
    pub(super) workdir: Option<String>,
}

/// A finished image.
pub(super) struct Built {
    /// Its file system.
    pub(super) root: Input,
    /// Its configuration.
    pub(super) config: ImageConfig,
    /// The configuration of its base in JSON, if the base is an image.
    pub(super) base_config: Option<Vec<u8>>,
    /// Its inventory, with the layer that holds each package.
    pub(super) inventory: Option<Inventory>,
    /// The paths of condafront's own files outside of the environments.
    pub(super) own_files: Vec<String>,
}

/// An unfinished image.
pub(super) struct Progress {
    /// The file system so far.
    pub(super) root: Input,
    /// The names of the layers, lowest first.
    pub(super) history: Vec<String>,
    /// The outputs of steps that the frontend reads. The image must depend on them: a cache that is exported with the
    /// image lacks them otherwise.
    pub(super) facts: Vec<Output>,
    /// The PyPI packages of each environment.
    pub(super) pypi: Vec<Vec<Component>>,
}

impl Image<'_> {
    /// What the layers of the environments are made from.
    pub(super) fn layered(&self) -> Vec<Layered<'_>> {
        self.environments.iter().map(Linked::layered).collect()
    }

    /// The C library that packages can rely on.
    pub(super) fn glibc(&self) -> Glibc {
        let said = self.session.settings.overrides.glibc();
        said.unwrap_or_else(|| self.libc.clone().into())
    }

    /// What the layers of wheels depend on, besides the environment.
    pub(super) fn wheel_ground(&self) -> WheelGround {
        let environments = self.environments.iter();
        let with_wheels = environments
            .clone()
            .filter(|one| one.environment.plan.has_wheels && !one.file.is_optional)
            .count();
        let optional = environments.clone().filter(|one| one.file.is_optional);
        let layers = match optional.count() + self.left_out {
            0 => {
                let taken = environments.map(|one| one.graph.installed.len());
                layers_for_wheels(self.layers, taken.sum(), with_wheels)
            }
            // Variants must not differ in the layers that they have in common.
            optional => layers_for_wheels(self.layers, usize::MAX, with_wheels + optional),
        };
        WheelGround {
            stacking: self.stacking,
            links: self.links.clone(),
            layers,
            glibc: self.glibc(),
            user: self.user.clone(),
        }
    }

    /// The image with its conda packages and nothing on top of them.
    pub(super) async fn linked(&self) -> Result<Progress, BuildError> {
        let image = CondaImage::new(
            &self.base.base.state,
            &self.links,
            &self.account,
            &self.layered(),
            self.shared,
            self.stacking,
        )?;
        let mut facts = vec![self.account.facts.clone()];
        facts.extend(self.base.facts.clone());
        for environment in &self.environments {
            facts.push(environment.graph.facts.clone());
            facts.extend_from_slice(environment.solved);
        }
        let mut progress = Progress {
            root: image.root,
            history: image.history,
            facts,
            pypi: Vec::new(),
        };
        for environment in &self.environments {
            if let Input::Output(below) = &progress.root
                && !environment.facts.post_link.is_empty()
            {
                let linked = environment.post_link(below, &self.user).await?;
                progress.root = linked.root.into();
                progress.facts.push(linked.facts);
                progress.history.push(linked.step.name().to_owned());
            }
        }
        Ok(progress)
    }

    /// The image with all packages of its environments.
    pub(super) async fn installed(&self) -> Result<Progress, BuildError> {
        let mut progress = self.linked().await?;
        for pipped in self.pip(&mut progress.root).await? {
            let mut components = Vec::new();
            if let Some(pipped) = pipped {
                progress.history.extend(pipped.added.names());
                progress.facts.extend(pipped.facts);
                components = pipped.components;
            }
            progress.pypi.push(components);
        }
        Ok(progress)
    }

    /// Adds the PyPI packages of each environment to the image `root`, which has the conda packages.
    async fn pip(&self, root: &mut Input) -> Result<Vec<Option<Pipped>>, BuildError> {
        let Input::Output(image) = root else {
            return Ok(self.environments.iter().map(|_| None).collect());
        };
        let ground = self.wheel_ground();
        if self.stacking == Stacking::Copy || self.environments.len() == 1 {
            let mut all = Vec::new();
            for environment in &self.environments {
                let pipped = environment.pip(image, &ground).await?;
                if let Some(pipped) = &pipped {
                    *image = pipped.root.clone();
                }
                all.push(pipped);
            }
            return Ok(all);
        }
        let each = self.environments.iter().map(async |environment| {
            let alone = self.alone(environment, image)?;
            environment.pip(&alone, &ground).await
        });
        // What is interrupted may be lost, so all of them end before an error of one of them is reported.
        let pipped = join_all(each).await.into_iter();
        let pipped: Vec<Option<Pipped>> = pipped.collect::<Result<_, BuildError>>()?;
        let mut added = Stack::default();
        for pipped in pipped.iter().flatten() {
            added.append(pipped.added.clone());
        }
        *root = added.on(root, self.stacking, &self.tools.title(ADD_WHEELS));
        Ok(pipped)
    }

    /// The image in which the PyPI packages of `environment` are found and built: without the other environments, so
    /// that nothing is repeated if they change. `image` has all of them, and is taken if post-link scripts have run there.
    fn alone(&self, environment: &Linked<'_>, image: &Output) -> Result<Output, BuildError> {
        if !environment.facts.post_link.is_empty() {
            return Ok(image.clone());
        }
        let alone = CondaImage::new(
            &self.base.base.state,
            &self.links,
            &self.account,
            &[environment.layered()],
            &[],
            self.stacking,
        )?;
        Ok(alone.root.output().unwrap_or(image).clone())
    }

    /// Assembles the finished image.
    pub(super) async fn finish(&self) -> Result<Built, BuildError> {
        let mut progress = self.installed().await?;
        self.session.warn(&self.left_out_of_base()).await?;
        let (active, own_files) = self.activate(&mut progress).await?;
        let mut config = self.base.base.config.clone();
        config.set_env(&active);
        config.set_user(self.user.uid, self.user.gid);
        let file = &self.session.build_file.file;
        let workdir = self.workdir.as_deref();
        section::apply(&mut config, self.section, file, ENTRYPOINT, workdir)?;
        if needs_home(self.section, &config) {
            let home = ("HOME".to_owned(), self.user.home.clone());
            let env = config.env().into_iter().chain([home]);
            config.set_env(&env.collect::<Vec<_>>());
        }
        config.add_labels(self.session.options.labels());
        let sources = Sources {
            file,
            section: self.section,
            base: &self.base.base.config,
            base_lines: self.base_lines,
        };
        sources.check(&config)?;
        if self.session.settings.input.is_dev {
            self.edit(&mut progress, section::working_dir(&config))
                .await?;
        }
        let additions = Additions {
            session: self.session,
            section: self.section,
            config: &config,
            user: &self.user,
            made_workdir: self.made_workdir,
            programs: self.tools.programs,
        };
        let (root, added) = additions.onto(progress.root).await?;
        self.session.check_volumes(self.section, &root).await?;
        let proofs = self.prove(&root, &config).await?;
        progress.root = root;
        progress.history.extend(added);
        let inventory = self.add_inventory(&mut progress, &proofs);
        config.add_history(&progress.history);
        Ok(Built {
            root: progress.root,
            config,
            base_config: self.base.base.original.clone(),
            inventory: Some(inventory),
            own_files,
        })
    }

    /// Warnings about variables of the base image that the image does not have.
    fn left_out_of_base(&self) -> Vec<Warning> {
        let of_base = self.base.base.config.env();
        let said = |name: &str| {
            self.section
                .env
                .iter()
                .any(|variable| variable.name == name)
        };
        let left_out = activation::left_out(&of_base, &self.user).into_iter();
        let warning = |(name, value): &(String, String)| {
            let shown = quoted(value);
            let mut diagnostic = Diagnostic::new(format!(
                "the base image's variable {name} is left out: `{shown}` is not for containers of this image"
            ));
            if let Some(lines) = self.base_lines {
                diagnostic = diagnostic.at(self.session.file, lines);
            }
            let diagnostic = match name.as_str() {
                "HOME" => diagnostic.help(format!(
                    "Containers have the home of {}. To keep the base image's, write `env: {{HOME: {shown}}}` in the image section.",
                    self.user.name
                )),
                _ => diagnostic
                    .help(format!("To start a container like that, use docker run -e {name}={shown}.")),
            };
            Warning {
                rule: Rule::ReservedVariable,
                diagnostic,
            }
        };
        left_out
            .filter(|(name, _)| !said(name))
            .map(warning)
            .collect()
    }
}

/// Whether an image with this configuration must still say where its user's home is: OpenShift's users have no account that
/// does.
fn needs_home(section: &ImageSection, config: &ImageConfig) -> bool {
    let mut contracts = section.contracts.iter();
    contracts.any(|it| it.value == Contract::Openshift)
        && !config.env().iter().any(|(name, _)| name == "HOME")
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_input::section::{BuildArgs, section_of};
    use condafront_model::platform::Platform;
    use condafront_model::source::SourceFile;

    #[test]
    fn the_home_is_said_once() {
        let needs = |section: &str, variable: &str| {
            let text = format!("condafront:\n  base: ours\n{section}");
            let section = section_of(&SourceFile::new("env.yml", text), &BuildArgs::default());
            let mut config = ImageConfig::scratch(Platform::LinuxAmd64);
            config.set_env(&[(variable.to_owned(), "/home/ada".to_owned())]);
            needs_home(&section, &config)
        };
        assert!(needs("  for: openshift\n", "A"));
        assert!(!needs("  for: openshift\n", "HOME"));
        assert!(!needs("  for: binder\n", "A"));
    }
}
