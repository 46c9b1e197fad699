//! Finds the packages that satisfy a request.

use super::recorded::check_address;
use super::session::Session;
use super::step_error::diagnosed;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use buildkit_llb::Output;
use futures_util::future::try_join_all;

use crate::context::named::Found;
use crate::fetch_failure::report_channels;
use crate::gateway::error::BuildError;
use crate::gateway::repodata::{self, FILES, Present};
use condafront_graph::question;
use condafront_graph::solve::{Repodata, Shown};
use condafront_graph::virtual_packages::cuda_of;
use condafront_graph::{Tools, location_in, source_file};
use condafront_input::SolveRequest;
use condafront_model::channel::Channel;
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::{Package, PackageUrl};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Lines, Location};
use condafront_step_spec::account::{LIBC_FILE, Libc};
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::solve::{Glibc, PACKAGES_FILE, RepodataSpec, SolveSpec, SolvedPackage};

/// The subdir that every channel has.
pub(super) const NOARCH: &str = "noarch";

/// The repodata of a request's channels, each with the output that has it.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) specs: Vec<RepodataSpec>,
    pub(super) files: Vec<Output>,
    /// How they were downloaded; empty if they were not.
    downloads: Vec<Present>,
}

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
    /// The repodata that they were chosen from.
    pub(super) lists: Lists,
    /// The outputs of the steps that found them. An image must depend on them: a cache that is exported with the image
    /// lacks them otherwise.
    pub(super) facts: Vec<Output>,
}

impl Solved {
    /// Packages that needed no solve.
    pub(super) fn locked(packages: Vec<Package>) -> Self {
        Self {
            packages,
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
        let system = self.settings.overrides.system(platform, glibc, cuda);
        let question = question::question(request, platform, system, self.so_far.started);
        if let Some(warning) = self.not_over(&question) {
            self.warn(&[warning]).await?;
        }
        let lines = |culprit: &Culprit| match culprit {
            Culprit::Spec(index) => request.specs.get(*index).map(|spec| spec.lines),
            Culprit::Channel(index) => request.channels.get(*index).map(|channel| channel.lines),
            // Its line is in the build file.
            Culprit::Key(_) if Arc::ptr_eq(file, &self.build_file.file) => base?.lines,
            _ => None,
        };
        let listed = request.specs.iter().filter(|spec| !spec.is_implied).count();
        let mut earlier = Vec::new();
        let (answer, reference) = loop {
            let solve = tools.solve(&question, listed, &lists.specs, &lists.files)?;
            earlier.push(solve.reachable);
            let ran = self.run_or_report(&solve.answer, &solve.whole, &earlier);
            let report = match ran.await? {
                Ok(reference) => break (solve.answer, reference),
                Err(report) => report,
            };
            if !self.renew(&mut lists, request, &report).await? {
                let location = |culprit: &Culprit| Some(self.place(lines(culprit)?));
                let error = diagnosed(report, location);
                return Err(self.with_folder_named(error).await);
            }
            earlier.push(solve.answer);
        };
        let packages: Vec<SolvedPackage> = self.read_json(&reference, PACKAGES_FILE).await?;
        Ok(Solved {
            packages: question::packages(request, packages, file)?,
            lists,
            facts: libc.into_iter().chain([answer]).collect(),
        })
    }

    /// The warning about a cutoff that is still to come.
    fn not_over(&self, question: &SolveSpec) -> Option<Warning> {
        let cutoff = question.exclude_newer.as_ref()?.cutoff;
        cutoff.is_after(self.so_far.started).then(|| Warning {
            rule: Rule::Unrepeatable,
            diagnostic: Diagnostic::new(format!(
                "`exclude_newer`: {cutoff} is not over, so that packages that appear until then change the image"
            ))
            .help("Write an earlier date for builds that can be repeated. Days are counted in UTC."),
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

    /// Downloads the channels' repodata for a platform. Every channel has the subdir `noarch`; one without a subdir for
    /// the platform has no packages for it.
    async fn lists(&self, request: &SolveRequest, platform: Platform) -> Result<Lists, BuildError> {
        if let Some(folder) = self.channel_folder().await? {
            return self.given_lists(&folder, request, platform).await;
        }
        self.check_channels(request)?;
        let folders = request
            .channels
            .iter()
            .flat_map(|channel| [platform.subdir(), NOARCH].map(|subdir| (channel, subdir)));
        let folders: Vec<(&Channel, &str)> = folders.collect();
        let found = try_join_all(
            folders
                .iter()
                .map(|(channel, subdir)| self.list(channel, subdir)),
        )
        .await?;
        let mut lists = Lists::default();
        let mut failures = Vec::new();
        // Two entries per channel.
        for (index, ((channel, subdir), found)) in folders.into_iter().zip(found).enumerate() {
            match found {
                Ok(present) => {
                    lists.specs.push(RepodataSpec {
                        channel: index / 2,
                        subdir: subdir.to_owned(),
                        file: present.file.to_owned(),
                    });
                    lists.files.push(present.output.clone());
                    lists.downloads.push(present);
                }
                Err(failure) if subdir != NOARCH && failure.is_certain_absence() => {}
                Err(failure) => failures.push((channel, failure)),
            }
        }
        // Both subdirs of a channel usually fail for the same reason.
        failures.dedup_by(|(a, _), (b, _)| std::ptr::eq(*a, *b));
        match report_channels(self.file, &failures) {
            Some(diagnostic) => Err(diagnostic.into()),
            None => Ok(lists),
        }
    }

    async fn list(
        &self,
        channel: &Channel,
        subdir: &str,
    ) -> Result<Result<Present, crate::fetch_failure::Failure>, BuildError> {
        let candidates = |name: &str| self.list_addresses(channel, subdir, name);
        let repodata = self.repodata(channel, subdir);
        // Only noarch must be there.
        let shown = match subdir {
            NOARCH => Shown::Always,
            _ => Shown::IfLong,
        };
        Ok(repodata::find(self.bridge, &repodata, shown, candidates).await?)
    }

    fn repodata(&self, channel: &Channel, subdir: &str) -> Repodata {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let lines = channel.lines;
        let file = source_file(self.file, std::iter::once(lines));
        Repodata {
            label: format!("{}/{subdir}", channel.name),
            location: Some(location_in(&file, [lines])),
            no_cache: self.options.no_cache(),
            timeout: self.settings.timeout,
            request: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Downloads the lists that a solve could not read once more. Returns whether there are others to try.
    async fn renew(
        &self,
        lists: &mut Lists,
        request: &SolveRequest,
        report: &FailureReport,
    ) -> Result<bool, BuildError> {
        let is_culprit = |index: usize| report.culprits.contains(&Culprit::Channel(index));
        let wrong = lists.specs.iter().zip(&lists.downloads).enumerate();
        let wrong: Vec<_> = wrong
            .filter(|(_, (spec, _))| report.wrong_content && is_culprit(spec.channel))
            .collect();
        let again = wrong.iter().map(|(_, (spec, present))| async {
            let channel = &request.channels[spec.channel];
            let candidates = |name: &str| self.list_addresses(channel, &spec.subdir, name);
            let repodata = self.repodata(channel, &spec.subdir);
            let (wrong, reason) = (Present::clone(present), &report.message);
            repodata::find_again(self.bridge, &repodata, wrong, reason, candidates).await
        });
        let again = try_join_all(again).await?;
        let indices: Vec<usize> = wrong.iter().map(|(index, _)| *index).collect();
        let mut is_better = false;
        for (index, found) in indices.into_iter().zip(again) {
            if let Ok(present) = found {
                lists.specs[index].file = present.file.to_owned();
                lists.files[index] = present.output.clone();
                lists.downloads[index] = present;
                is_better = true;
            }
        }
        Ok(is_better)
    }

    fn list_addresses(&self, channel: &Channel, subdir: &str, file: &str) -> Vec<PackageUrl> {
        let url = channel.url.join(&format!("{subdir}/{file}"));
        self.settings.mirrors.candidates(&url)
    }

    /// Refuses channels whose addresses would be recorded with a secret: those of mirrors.
    fn check_channels(&self, request: &SolveRequest) -> Result<(), Diagnostic> {
        for channel in &request.channels {
            for url in self.list_addresses(channel, NOARCH, FILES[0]) {
                let file = Arc::clone(self.file);
                let lines = channel.lines;
                check_address(&url, Some(Location { file, lines }))?;
            }
        }
        Ok(())
    }
}
