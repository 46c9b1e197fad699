//! One environment of an image: finds, plans and links its packages.

use super::build_root::{BuildPackages, BuildRoot};
use super::ground::Ground;
use super::input::EnvironmentFile;
use super::notices;
use super::session::Session;
use super::solve::Base;

use std::collections::BTreeMap;

use buildkit_llb::Output;
use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use crate::gateway::error::BuildError;
use condafront_graph::compiler::Compiler;
use condafront_graph::conda_image::Layered;
use condafront_graph::environment::{Environment, user_file};
use condafront_graph::install::InstallGraph;
use condafront_graph::plan::Plan;
use condafront_graph::plan::sharing::{Listed, Plans, Shared};
use condafront_graph::records::InImage;
use condafront_input::Conda;
use condafront_model::lint::Warning;
use condafront_model::package::Package;
use condafront_model::stamp::Ownership;
use condafront_step_spec::facts::{EnvironmentFacts, Notice, Subject};

/// An environment whose packages are known.
pub(super) struct Planned<'a> {
    /// The build; errors point at the environment's file.
    session: Session<'a>,
    file: &'a EnvironmentFile,
    plan: Plan,
    compiler: Compiler,
    /// The outputs of solves, if there were any.
    solved: Vec<Output>,
}

/// The environments of an image whose packages are known.
pub(super) struct ImagePlan<'a> {
    /// The environments, in the order of the image's files.
    pub(super) environments: Vec<Planned<'a>>,
    /// The groups of packages that several of them share.
    pub(super) shared: Vec<Shared>,
}

/// An environment whose packages are linked.
pub(super) struct Linked<'a> {
    /// The build; errors point at the environment's file.
    pub(super) session: Session<'a>,
    /// Its file.
    pub(super) file: &'a EnvironmentFile,
    /// What its graph is made from.
    pub(super) environment: Environment<'a>,
    /// Its graph.
    pub(super) graph: InstallGraph,
    /// Facts about its packages.
    pub(super) facts: EnvironmentFacts,
    /// The outputs of solves, if there were any.
    pub(super) solved: &'a [Output],
    /// What it shares with the other environments.
    pub(super) ground: &'a Ground<'a>,
    /// The packages that only builds see, once they are linked.
    pub(super) build_packages: OnceCell<BuildPackages>,
    /// The image in which wheels are built, once it is known.
    pub(super) build_root: OnceCell<BuildRoot>,
}

impl<'a> Ground<'a> {
    /// Finds the packages of all environments and plans their layers.
    ///
    /// # Errors
    /// When packages cannot be found.
    pub(super) async fn plan(&self) -> Result<ImagePlan<'a>, BuildError> {
        let files = &self.input.environments;
        let found = try_join_all(files.iter().map(|file| async move {
            let session = self.session.about(&file.file);
            let found = session.conda_packages(file, self).await?;
            let supplies_pip = file.supplies_pip();
            condafront_input::pypi::check(&found.0, &file.pip.asked, &file.file, supplies_pip)?;
            Ok::<_, BuildError>(found)
        }));
        let (lists, solved): (Vec<_>, Vec<_>) = found.await?.into_iter().unzip();
        let lists = lists.into_iter().zip(files);
        let lists = lists.map(|(packages, file)| Listed {
            packages,
            is_optional: file.is_optional,
        });
        let Plans { plans, shared } = Plans::new(lists.collect(), self.input.left_out, self.layers);
        let planned = files.iter().zip(plans).zip(solved);
        let planned = planned.map(async |((file, plan), mut solved)| {
            let session = self.session.about(&file.file);
            let plan = plan.with_wheels(!file.pip.asked.is_empty());
            let (compiler, found) = session.compiler(file, &plan, self).await?;
            solved.extend(found);
            Ok::<_, BuildError>(Planned {
                session,
                file,
                plan,
                compiler,
                solved,
            })
        });
        Ok(ImagePlan {
            environments: try_join_all(planned).await?,
            shared,
        })
    }
}

impl Session<'_> {
    async fn conda_packages(
        &self,
        file: &EnvironmentFile,
        ground: &Ground<'_>,
    ) -> Result<(Vec<Package>, Vec<Output>), BuildError> {
        match &file.input.conda {
            Conda::Locked(packages) => Ok((packages.clone(), Vec::new())),
            Conda::Unsolved(request) => {
                let base = Base {
                    found: &ground.base,
                    lines: ground.choices.base.lines,
                };
                let solved = self
                    .packages(request, &ground.tools_of(file), Some(&base))
                    .await?;
                Ok((solved.packages, solved.facts))
            }
        }
    }
}

impl Planned<'_> {
    /// Downloads and links the packages; `user` owns them.
    pub(super) async fn install<'b>(
        &'b self,
        ground: &'b Ground<'_>,
        user: Ownership,
    ) -> Result<Linked<'b>, BuildError> {
        let environment = Environment {
            file: user_file(self.session.file, &self.plan, &self.file.input.pip),
            plan: self.plan.clone(),
            prefix: self.file.prefix.clone(),
            tools: ground.tools_of(self.file),
            base: ground.base.state.output(),
            micromamba: ground.micromamba.as_ref(),
            compiler: &self.compiler,
            user,
            trim: &ground.choices.trim,
        };
        let (graph, facts) = self.session.install(&environment).await?;
        Ok(Linked {
            session: self.session,
            file: self.file,
            environment,
            graph,
            facts,
            solved: &self.solved,
            ground,
            build_packages: OnceCell::new(),
            build_root: OnceCell::new(),
        })
    }
}

impl Linked<'_> {
    /// Shows the install steps' notices as warnings at the packages' lines.
    pub(super) async fn warn(&self) -> Result<(), BuildError> {
        let place = |index: usize| {
            let package = self.environment.plan.packages.get(index)?;
            Some(self.session.place(package.lines))
        };
        let warning = |notice: &Notice| {
            let mut warning = notices::warning(notice, place);
            if notice.subject == Subject::Overwritten {
                warning.diagnostic = warning.diagnostic.help("If that is not wanted, remove one of the two packages, or use another build of it.");
            }
            warning
        };
        let warnings: Vec<Warning> = self.facts.notices.iter().map(warning).collect();
        self.session.warn(&warnings).await
    }

    /// What the image gets from the environment besides packages, with the variables that its file sets.
    pub(super) fn in_image<'a>(&'a self, variables: &'a BTreeMap<String, String>) -> InImage<'a> {
        InImage {
            prefix: &self.environment.prefix,
            variables,
        }
    }

    /// What the image's layers are made from.
    pub(super) fn layered(&self) -> Layered<'_> {
        Layered {
            environment: &self.environment,
            graph: &self.graph,
            facts: &self.facts,
        }
    }
}
