//! The python that compiles an environment's modules if the image is not for the builder's own platform.

use super::ground::Ground;
use super::input::{EnvironmentFile, LockUse};
use super::session::{Session, native};
use super::solve::Base;

use buildkit_llb::Output;

use crate::gateway::error::BuildError;
use condafront_graph::Tools;
use condafront_graph::compiler::Compiler;
use condafront_graph::plan::Plan;
use condafront_graph::plan::python::Python;
use condafront_input as input;
use condafront_input::{Conda, DeclaredSystem, RequestedSpec, SolveRequest};
use condafront_model::package::Package;
use condafront_model::source::Diagnostic;
use condafront_step_spec::install::Trim;

/// A python for the builder's own platform.
struct Found {
    packages: Vec<Package>,
    /// The outputs of the solve, if there was one.
    solved: Vec<Output>,
    /// A file system with a C library for it, if there is one.
    base: Option<Output>,
}

impl Session<'_> {
    /// Decides what compiles the modules of an environment; also returns the outputs of the steps that it takes.
    ///
    /// It is a python for the builder's own platform if the lock or the channels have one.
    pub(super) async fn compiler(
        &self,
        file: &EnvironmentFile,
        plan: &Plan,
        ground: &Ground<'_>,
    ) -> Result<(Compiler, Vec<Output>), BuildError> {
        let Some(python) = plan.python.as_ref().filter(|_| plan.has_modules()) else {
            return Ok((Compiler::Own, Vec::new()));
        };
        if self.platform == native(self.bridge) || ground.choices.trim.contains(&Trim::Bytecode) {
            return Ok((Compiler::Own, Vec::new()));
        }
        let error = match self.python_of_builder(file, plan, python, ground).await {
            Ok(Found {
                packages,
                solved,
                base: Some(base),
            }) => return Ok((Compiler::Other { packages, base }, solved)),
            // Without a C library, images for the builder's own platform are not compiled either.
            Ok(Found { base: None, .. }) => return Ok((Compiler::None, Vec::new())),
            Err(BuildError::Diagnostic(error)) => error,
            Err(error) => return Err(error),
        };
        if self.can_run() {
            return Ok((Compiler::Emulated(self.platform), Vec::new()));
        }
        let lines = plan.packages[python.package].lines;
        let why = error.message.lines().next().unwrap_or_default();
        self.warn(&[self.no_bytecode(why, lines)]).await?;
        Ok((Compiler::None, Vec::new()))
    }

    async fn python_of_builder(
        &self,
        file: &EnvironmentFile,
        plan: &Plan,
        python: &Python,
        ground: &Ground<'_>,
    ) -> Result<Found, BuildError> {
        let builder = self.on(native(self.bridge));
        let found = builder
            .base(&builder.finder(), &ground.choices.base)
            .await?;
        let of_base = found.config.platform();
        if of_base != builder.platform.to_string() {
            let message = format!("the base image is for {of_base} only");
            return Err(Diagnostic::new(message).into());
        }
        let base = Base {
            found: &found,
            lines: ground.choices.base.lines,
        };
        let (packages, solved) = match &file.input.conda {
            Conda::Locked(_) => (builder.locked_python(file, python).await?, Vec::new()),
            Conda::Unsolved(request) => {
                builder
                    .solved_python(
                        request,
                        &plan.packages[python.package],
                        &ground.tools_of(file),
                        &base,
                    )
                    .await?
            }
        };
        Ok(Found {
            packages,
            solved,
            base: found.state.output().cloned(),
        })
    }

    /// The lock's python for the session's platform.
    async fn locked_python(
        &self,
        file: &EnvironmentFile,
        wanted: &Python,
    ) -> Result<Vec<Package>, BuildError> {
        let none = || {
            Diagnostic::new(format!(
                "{} lists no python {} for it",
                self.file.name(),
                wanted.version
            ))
        };
        let input = input::read(self.file, self.platform, &file.settings).map_err(|_| none())?;
        let one = EnvironmentFile {
            input,
            ..file.clone()
        };
        let one = match self.with_own_lock(one, LockUse::Install).await {
            Err(BuildError::Diagnostic(_)) => return Err(none().into()),
            outcome => outcome?,
        };
        let packages = one.input.locked().ok_or_else(none)?;
        let found = Python::find(packages).filter(|found| found.version == wanted.version);
        let found = found.ok_or_else(none)?;
        let packages = found.runtime.iter().map(|index| packages[*index].clone());
        Ok(packages.collect())
    }

    /// A python like `wanted` for the session's platform, from the request's channels.
    async fn solved_python(
        &self,
        request: &SolveRequest,
        wanted: &Package,
        tools: &Tools<'_>,
        base: &Base<'_>,
    ) -> Result<(Vec<Package>, Vec<Output>), BuildError> {
        let version = &wanted.id.version;
        // Another patch version compiles to the same bytes, except for fixed bugs in the compiler.
        let mut parts = version.split('.');
        let minor: Vec<&str> = parts.by_ref().take(2).collect();
        let mut specs = vec![
            format!("python =={version}"),
            format!("python {}.*", minor.join(".")),
        ]
        .into_iter();
        let mut spec = specs.next().unwrap_or_default();
        loop {
            let request = SolveRequest {
                specs: vec![RequestedSpec {
                    spec,
                    lines: wanted.lines,
                    is_implied: false,
                }],
                group: Vec::new(),
                platforms: Vec::new(),
                declared: DeclaredSystem::default(),
                ..request.clone()
            };
            match (
                self.packages(&request, tools, Some(base)).await,
                specs.next(),
            ) {
                (Ok(solved), _) => {
                    let python = Python::find(&solved.packages);
                    let runtime = python.map(|python| python.runtime).unwrap_or_default();
                    let packages = runtime.iter().map(|index| solved.packages[*index].clone());
                    return Ok((packages.collect(), solved.facts));
                }
                (Err(BuildError::Diagnostic(_)), Some(next)) => spec = next,
                (Err(error), _) => return Err(error),
            }
        }
    }
}
