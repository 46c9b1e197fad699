//! Finds and links the conda packages that only builds of wheels see.

use std::collections::BTreeSet;

use buildkit_llb::{Input, Output};
use tokio::sync::OnceCell;

use super::build_root::{BuildPackages, BuildRoot};
use super::linked::Linked;
use super::solve::Base;
use super::wheels::WheelGround;
use crate::gateway::error::BuildError;
use condafront_graph::Tools;
use condafront_graph::compiler::Compiler;
use condafront_graph::environment::{Environment, user_file};
use condafront_graph::image::{BUILD_ROOT, Stack};
use condafront_graph::plan::Plan;
use condafront_input::{Pip, SolveRequest, build_packages};
use condafront_step_spec::install::Trim;

impl Linked<'_> {
    /// The image in which wheels are built; `root` has the environment's conda packages.
    ///
    /// # Errors
    /// Packages that only builds see and that cannot be found, downloaded or linked, at their lines.
    pub(super) async fn build_root(
        &self,
        root: &Output,
        ground: &WheelGround,
    ) -> Result<BuildRoot, BuildError> {
        let Some(request) = &self.file.build else {
            return Ok(BuildRoot::plain(root));
        };
        let made = || self.with_build_packages(root, request, ground);
        self.build_root.get_or_try_init(made).await.cloned()
    }

    /// The same for an image `root` that has more.
    ///
    /// # Errors
    /// As for [`Self::build_root`].
    pub(super) async fn build_root_on(
        &self,
        root: &Output,
        ground: &WheelGround,
    ) -> Result<BuildRoot, BuildError> {
        match &self.file.build {
            Some(request) => self.with_build_packages(root, request, ground).await,
            None => Ok(BuildRoot::plain(root)),
        }
    }

    /// The image `root` with the packages of `request` on top. They are found and linked once, whatever they are put on.
    async fn with_build_packages(
        &self,
        root: &Output,
        request: &SolveRequest,
        ground: &WheelGround,
    ) -> Result<BuildRoot, BuildError> {
        let label = match self.environment.tools.environment {
            Some(name) => format!("{name} for builds"),
            None => "for builds".to_owned(),
        };
        let tools = Tools {
            environment: Some(&label),
            ..self.environment.tools
        };
        let link = || self.link_build_packages(request, tools);
        let BuildPackages { linked, solved } = self.build_packages.get_or_try_init(link).await?;
        let mut facts = solved.clone();
        let Some((plan, graph, found)) = linked else {
            return Ok(BuildRoot {
                facts,
                ..BuildRoot::plain(root)
            });
        };
        let trim = trim();
        let linked = Linked {
            session: self.session.about(&self.session.build_file.file),
            file: self.file,
            environment: self.for_builds(plan.clone(), tools, &trim),
            graph: graph.clone(),
            facts: found.clone(),
            solved: &[],
            ground: self.ground,
            build_packages: OnceCell::new(),
            build_root: OnceCell::new(),
        };
        facts.push(linked.graph.facts.clone());
        let mut stack = Stack::default();
        stack.push_environments(&[linked.layered()], &[])?;
        let stack = stack.prefix_through(&ground.links, &tools);
        let mut root = match stack.on(&root.into(), ground.stacking, BUILD_ROOT) {
            Input::Output(root) => root,
            Input::Scratch => root.clone(),
        };
        if !linked.facts.post_link.is_empty() {
            let finished = linked.post_link(&root, &ground.user).await?;
            root = finished.root;
            facts.push(finished.facts);
        }
        let packages = linked.facts.packages.iter();
        let metadata = packages.flat_map(|package| package.metadata.keys());
        let for_pip = linked.environment.hide_metadata(&root, metadata);
        Ok(BuildRoot {
            root,
            for_pip,
            facts,
        })
    }

    /// Finds, downloads and links the packages of `request`.
    async fn link_build_packages(
        &self,
        request: &SolveRequest,
        tools: Tools<'_>,
    ) -> Result<BuildPackages, BuildError> {
        let below = &self.environment;
        let file = &self.session.build_file.file;
        let session = self.session.about(file);
        let base = Base {
            found: &self.ground.base,
            lines: self.ground.choices.base.lines,
        };
        let installed = below.plan.packages.iter().map(|package| package.id.clone());
        let request = SolveRequest {
            installed: installed.collect(),
            ..request.clone()
        };
        let found = session.packages(&request, &tools, Some(&base)).await?;
        let packages = build_packages::missing(found.packages, &below.plan.packages, file)?;
        let mut linked = None;
        if !packages.is_empty() {
            let trim = trim();
            let plan = below.plan.on_top(packages);
            let environment = self.for_builds(plan.clone(), tools, &trim);
            let (graph, facts) = session.install(&environment).await?;
            linked = Some((plan, graph, facts));
        }
        Ok(BuildPackages {
            linked,
            solved: found.facts,
        })
    }

    /// The environment of the packages that only builds see.
    fn for_builds<'e>(
        &'e self,
        plan: Plan,
        tools: Tools<'e>,
        trim: &'e BTreeSet<Trim>,
    ) -> Environment<'e> {
        let below = &self.environment;
        Environment {
            file: user_file(&self.session.build_file.file, &plan, &Pip::default()),
            plan,
            prefix: below.prefix.clone(),
            tools,
            base: below.base,
            micromamba: below.micromamba,
            compiler: &Compiler::None,
            user: below.user,
            trim,
        }
    }
}

/// What is left out of packages that are not in the image: they need no bytecode, and may need all else.
fn trim() -> BTreeSet<Trim> {
    BTreeSet::from([Trim::Bytecode])
}
