//! Finds the packages that satisfy a request.

use super::lists::Lists;
use super::session::{Session, is_of};
use super::step_error::diagnosed;

use std::sync::Arc;

use buildkit_llb::Output;

use crate::context::named::Found;
use crate::gateway::error::BuildError;
use crate::gateway::solving::Reference;
use condafront_graph::question;
use condafront_graph::solve::{self, Solve};
use condafront_graph::virtual_packages::cuda_of;
use condafront_graph::{NetworkAccess, Tools};
use condafront_input::{SolveRequest, findings};
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::Package;
use condafront_model::source::{Diagnostic, Lines};
use condafront_step_spec::account::{LIBC_FILE, Libc};
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::solve::{
    Glibc, PACKAGES_FILE, SolveSpec, SolvedPackage, UNUSABLE_FILE, Unusable,
};

/// The image that packages will be installed on.
#[derive(Clone, Copy)]
pub(super) struct Base<'a> {
    /// The image.
    pub(super) found: &'a Found,
    /// The lines of the build file that name it.
    pub(super) lines: Option<Lines>,
}

/// The result of a solve.
pub(super) struct Solved {
    /// The packages, in the order in which they are linked.
    pub(super) packages: Vec<Package>,
    /// What their channels say about them.
    pub(super) records: Vec<SolvedPackage>,
    /// The repodata that they were chosen from.
    pub(super) lists: Lists,
    /// The outputs of the steps that found them. An image must depend on them: a cache that is exported with the image
    /// lacks them otherwise.
    pub(super) facts: Vec<Output>,
}

/// How a solve with shards ends.
enum WithShards {
    /// Well.
    Answer(Reference),
    /// These lists of shards cannot be used.
    Unusable(Vec<Unusable>),
    /// A step fails. Only with whole lists can it be explained.
    Failed,
}

impl Solved {
    /// Packages that needed no solve.
    pub(super) fn locked(packages: Vec<Package>) -> Self {
        Self {
            packages,
            records: Vec::new(),
            lists: Lists::default(),
            facts: Vec::new(),
        }
    }
}

impl Session<'_> {
    /// The packages that satisfy a request. `base` is the image that the packages will be installed on; without it,
    /// build-args say everything that matters about it.
    pub(super) async fn packages(
        &self,
        request: &SolveRequest,
        tools: &Tools<'_>,
        base: Option<&Base<'_>>,
    ) -> Result<Solved, BuildError> {
        let (file, platform) = (self.file, self.platform);
        question::check_platform(request, platform, file)?;
        if request.specs.is_empty() {
            return Ok(Solved::locked(Vec::new()));
        }
        let ((glibc, libc), mut lists) =
            tokio::try_join!(self.glibc(tools, base), self.lists(request, platform))?;
        let cuda = base.and_then(|base| cuda_of(&base.found.config.env()));
        let overrides = self.settings.overrides.or_declared(&request.declared);
        let cuda = cuda.or_else(|| request.declared.cuda.clone());
        let system = overrides.system(platform, glibc, cuda);
        // With an empty build-arg, the user has said that there is no GPU.
        let lacks_cuda = system.cuda.is_none() && self.settings.overrides.cuda.is_none();
        let question = question::question(request, platform, system, self.so_far.started);
        if let Some(warning) = self.not_over(&question) {
            self.warn(&[warning]).await?;
        }
        let answer = self.answer(&question, request, tools, base, &mut lists);
        let (answer, reference) = answer.await?;
        let records: Vec<SolvedPackage> = self.read_json(&reference, PACKAGES_FILE).await?;
        let packages = question::packages(request, records.clone(), file)?;
        if lacks_cuda {
            let warning = findings::without_cuda(&packages, file);
            self.warn(warning.as_slice()).await?;
        }
        Ok(Solved {
            packages,
            records,
            lists,
            facts: libc.into_iter().chain([answer]).collect(),
        })
    }

    /// The output with the answer to `question`, and what BuildKit made for it. `lists` are replaced where they cannot be used.
    ///
    /// # Errors
    /// Why there is no solution, at the lines that are to blame.
    async fn answer(
        &self,
        question: &SolveSpec,
        request: &SolveRequest,
        tools: &Tools<'_>,
        base: Option<&Base<'_>>,
        lists: &mut Lists,
    ) -> Result<(Output, Reference), BuildError> {
        let file = self.file;
        let lines = |culprit: &Culprit| match culprit {
            Culprit::Spec(index) => request.all_specs().nth(*index).map(|spec| spec.lines),
            Culprit::Channel(index) => request.channels.get(*index).map(|channel| channel.lines),
            // Its line is in the build file.
            Culprit::Key(_) if Arc::ptr_eq(file, &self.build_file.file) => base?.lines,
            _ => None,
        };
        let listed = request.specs.iter().filter(|spec| !spec.is_implied).count();
        let mut earlier = Vec::new();
        let network = NetworkAccess::from_options(self.options);
        let mut again = self.options.no_cache();
        loop {
            let given = solve::Lists {
                specs: &lists.specs,
                files: &lists.files,
                again,
            };
            let solve = tools.solve(question, listed, &given, &network)?;
            earlier.push(solve.reachable.clone());
            let Some(whole) = &solve.whole else {
                match self.with_shards(&solve, &earlier).await? {
                    WithShards::Answer(reference) => return Ok((solve.answer, reference)),
                    // An earlier build may have found that out, and it may have passed since then.
                    WithShards::Unusable(sharded)
                        if !again && sharded.iter().any(|list| list.may_pass) =>
                    {
                        again = true;
                    }
                    WithShards::Unusable(sharded) => {
                        let sharded: Vec<usize> = sharded.iter().map(|list| list.file).collect();
                        self.use_next(lists, request, &sharded).await?;
                        again = self.options.no_cache();
                    }
                    WithShards::Failed => {
                        if let Some(report) = self.wrong_authorities(tools).await {
                            let report = FailureReport {
                                culprits: vec![Culprit::Channel(0)],
                                ..report
                            };
                            return Err(diagnosed(report, |culprit| {
                                Some(self.place(lines(culprit)?))
                            }));
                        }
                        let sharded = lists.sharded();
                        self.use_whole(lists, request, &sharded).await?;
                    }
                }
                earlier.push(solve.answer);
                continue;
            };
            match self.evaluate(&solve.answer).await {
                Ok(reference) => return Ok((solve.answer, reference)),
                Err(BuildError::Gateway(error))
                    if is_of(&error, std::iter::once(&solve.answer).chain(&earlier)) => {}
                Err(error) => return Err(error),
            }
            let ran = self.run_or_report(&whole.answer, &whole.step, &earlier);
            let report = match ran.await? {
                Ok(reference) => return Ok((whole.answer.clone(), reference)),
                Err(report) => report,
            };
            earlier.push(whole.answer.clone());
            if !self.renew(lists, request, &report).await? {
                let location = |culprit: &Culprit| Some(self.place(lines(culprit)?));
                let error = diagnosed(report, location);
                return Err(self.with_folder_named(error).await);
            }
            earlier.push(solve.answer);
        }
    }

    /// Solves with shards. Whatever goes wrong, the whole lists decide.
    async fn with_shards(
        &self,
        solve: &Solve,
        earlier: &[Output],
    ) -> Result<WithShards, BuildError> {
        let outputs = || std::iter::once(&solve.answer).chain(earlier);
        let of_steps = |outcome| match outcome {
            Err(BuildError::Gateway(error)) if is_of(&error, outputs()) => Ok(None),
            outcome => outcome.map(Some),
        };
        if let Some(unusable) = &solve.unusable {
            let Some(reference) = of_steps(self.evaluate(unusable).await)? else {
                return Ok(WithShards::Failed);
            };
            let sharded: Vec<Unusable> = self.read_json(&reference, UNUSABLE_FILE).await?;
            if !sharded.is_empty() {
                return Ok(WithShards::Unusable(sharded));
            }
        }
        let answer = of_steps(self.evaluate(&solve.answer).await)?;
        Ok(answer.map_or(WithShards::Failed, WithShards::Answer))
    }

    /// The warning about a cutoff that is still to come.
    fn not_over(&self, question: &SolveSpec) -> Option<Warning> {
        let cutoff = question.exclude_newer.as_ref()?.cutoff?;
        cutoff.is_after(self.so_far.started).then(|| Warning {
            rule: Rule::Unrepeatable,
            diagnostic: Diagnostic::new(format!(
                "`exclude_newer`: {cutoff} is not over yet, so packages that appear until then change the image"
            ))
            .help("For repeatable builds, write an earlier date. Days are counted in UTC."),
        })
    }

    /// The glibc that packages can rely on, and the output of the step that found it.
    async fn glibc(
        &self,
        tools: &Tools<'_>,
        base: Option<&Base<'_>>,
    ) -> Result<(Glibc, Option<Output>), BuildError> {
        if let Some(glibc) = self.settings.overrides.glibc() {
            return Ok((glibc, None));
        }
        let Some(base) = base.and_then(|base| base.found.state.output()) else {
            return Ok((Glibc::BaseHasNone, None));
        };
        let (facts, step) = tools.of_image().libc(base);
        let reference = self.run(&facts, &step, |_| None).await?;
        let libc: Libc = self.read_json(&reference, LIBC_FILE).await?;
        Ok((libc.into(), Some(facts)))
    }
}
