//! The packages of an environment, for targets that need all of them: locks and channels.

use super::input::{EnvironmentFile, ImageInput};
use super::pip::not_on_a_server;
use super::session::Session;
use super::solve::{Base, Solved};

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Input;
use tokio::sync::OnceCell;

use crate::gateway::error::BuildError;
use crate::options::choices::Choices;
use condafront_graph::Tools;
use condafront_input::written_lock::{LocalPypi, RepositoryPypi};
use condafront_input::{Conda, or_skip};
use condafront_model::pypi_package::PipPackage;

/// The PyPI packages of an environment.
#[derive(Default)]
pub(super) struct FoundPip {
    pub(super) packages: Vec<PipPackage>,
    /// Those of the user's folders.
    pub(super) local: Vec<LocalPypi>,
    /// Those of git repositories.
    pub(super) repositories: Vec<RepositoryPypi>,
    /// The names of the Python distributions in conda packages, by the names of these, if they were looked at.
    pub(super) in_conda: BTreeMap<String, BTreeSet<String>>,
}

impl Session<'_> {
    /// An environment's conda packages: those of its lock, or those that a solve finds.
    pub(super) async fn packages_of(
        &self,
        image: &ImageInput,
        one: &EnvironmentFile,
    ) -> Result<Solved, BuildError> {
        let request = match &one.input.conda {
            Conda::Locked(packages) => return Ok(Solved::locked(packages.clone())),
            Conda::Unsolved(request) => request,
        };
        let choices = Choices::new(self.settings, &image.section);
        let overrides = &self.settings.overrides;
        // The base image only matters for its glibc and CUDA.
        let base = async {
            if overrides.glibc().is_some() && overrides.cuda.is_some() {
                return Ok(None);
            }
            let session = self.about(&self.build_file.file);
            session.base(&self.finder(), &choices.base).await.map(Some)
        };
        let (found, programs) = tokio::try_join!(base, self.programs())?;
        let base = found.as_ref().map(|found| Base {
            found,
            lines: choices.base.lines,
        });
        let tools = Tools {
            environment: image.label_of(one),
            ..self.tools(&programs)
        };
        self.packages(request, &tools, base.as_ref()).await
    }

    /// An environment's PyPI packages: those of its lock, or what pip finds in an image with the conda packages.
    pub(super) async fn pip_packages_of(
        &self,
        image: &ImageInput,
        one: &EnvironmentFile,
    ) -> Result<FoundPip, BuildError> {
        let asked = &one.pip.asked;
        if let Some(local) = asked.local.first() {
            let error = not_on_a_server(&local.name, &local.location(&one.file));
            return Err(or_skip(error, &local.name).into());
        }
        let repositories = asked.repositories.iter().map(|package| {
            let found = RepositoryPypi::locked(package).filter(|_| !asked.asks_for_more());
            found.ok_or_else(|| {
                let error = not_on_a_server(&package.name, &package.location(&one.file));
                or_skip(error, &package.name)
            })
        });
        let repositories = repositories.collect::<Result<_, _>>()?;
        if !asked.asks_for_more() {
            return Ok(FoundPip {
                packages: asked.locked.clone(),
                repositories,
                ..FoundPip::default()
            });
        }
        self.check_pip(asked)?;
        let alone = image.only(one);
        let session = self.about(&self.build_file.file);
        let ground = session.ground(&alone).await?;
        let plan = OnceCell::new();
        let image = ground.link(&plan).await?;
        let linked = image.linked().await?;
        match (&linked.root, image.environments.first()) {
            (Input::Output(root), Some(environment)) => {
                let ground = image.wheel_ground();
                let found = environment.pip_files(root, &ground).await?;
                let conda = environment.facts.packages.iter();
                let in_conda = conda.map(|one| (one.name.clone(), one.distributions.clone()));
                Ok(FoundPip {
                    packages: found.packages,
                    local: found.local,
                    repositories: found.repositories,
                    in_conda: in_conda.collect(),
                })
            }
            _ => Ok(FoundPip::default()),
        }
    }
}
