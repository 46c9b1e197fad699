//! The repodata of a request's channels: lists of shards where there are any, and whole repodata elsewhere.

use super::recorded::check_address;
use super::session::Session;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use buildkit_llb::Output;
use futures_util::future::try_join_all;

use crate::fetch_failure::{Failure, report_channels};
use crate::gateway::error::BuildError;
use crate::gateway::repodata::{self, FILES, Present};
use condafront_graph::solve::{Repodata, Shown};
use condafront_graph::{location_in, source_file};
use condafront_input::SolveRequest;
use condafront_model::channel::Channel;
use condafront_model::package::PackageUrl;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Location};
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::solve::{RepodataSpec, SHARDS_FILE};

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

impl Lists {
    /// Takes another file in place of file `index`.
    fn replace(&mut self, index: usize, present: Present) {
        self.specs[index].file = present.file.to_owned();
        self.specs[index].address = present.shards_address();
        self.files[index] = present.output.clone();
        self.downloads[index] = present;
    }

    /// The indices of the lists of shards.
    pub(super) fn sharded(&self) -> Vec<usize> {
        let specs = self.specs.iter().enumerate();
        let sharded = specs.filter(|(_, spec)| spec.is_sharded());
        sharded.map(|(index, _)| index).collect()
    }
}

impl Session<'_> {
    /// Downloads the channels' repodata for a platform. Every channel has the subdir `noarch`; one without a subdir for
    /// the platform has no packages for it.
    pub(super) async fn lists(
        &self,
        request: &SolveRequest,
        platform: Platform,
    ) -> Result<Lists, BuildError> {
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
                        address: present.shards_address(),
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
    ) -> Result<Result<Present, Failure>, BuildError> {
        let addresses = self.list_addresses(channel, subdir, SHARDS_FILE);
        self.shards_or_whole(channel, subdir, addresses).await
    }

    /// The list of shards from the first of these addresses that has it, or else the whole list.
    async fn shards_or_whole(
        &self,
        channel: &Channel,
        subdir: &str,
        addresses: Vec<PackageUrl>,
    ) -> Result<Result<Present, Failure>, BuildError> {
        let repodata = self.repodata(channel, subdir);
        let shards = repodata::find_shards(self.bridge, &repodata, addresses).await?;
        match shards {
            Some(shards) => Ok(Ok(shards)),
            None => self.whole_list(channel, subdir).await,
        }
    }

    async fn whole_list(
        &self,
        channel: &Channel,
        subdir: &str,
    ) -> Result<Result<Present, Failure>, BuildError> {
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

    /// Downloads other lists in place of these lists of shards: those of the next mirror, or else whole lists.
    pub(super) async fn use_next(
        &self,
        lists: &mut Lists,
        request: &SolveRequest,
        sharded: &[usize],
    ) -> Result<(), BuildError> {
        let next = sharded.iter().map(|index| {
            let spec = &lists.specs[*index];
            let others = lists.downloads[*index].others();
            self.shards_or_whole(&request.channels[spec.channel], &spec.subdir, others)
        });
        let next = try_join_all(next).await?;
        self.take(lists, request, sharded, next)
    }

    /// Downloads the whole lists in place of these lists of shards.
    pub(super) async fn use_whole(
        &self,
        lists: &mut Lists,
        request: &SolveRequest,
        sharded: &[usize],
    ) -> Result<(), BuildError> {
        let whole = sharded.iter().map(|index| {
            let spec = &lists.specs[*index];
            self.whole_list(&request.channels[spec.channel], &spec.subdir)
        });
        let whole = try_join_all(whole).await?;
        self.take(lists, request, sharded, whole)
    }

    /// Takes what was found in place of these lists.
    fn take(
        &self,
        lists: &mut Lists,
        request: &SolveRequest,
        sharded: &[usize],
        found: Vec<Result<Present, Failure>>,
    ) -> Result<(), BuildError> {
        let mut failures = Vec::new();
        for (index, found) in sharded.iter().zip(found) {
            match found {
                Ok(present) => lists.replace(*index, present),
                Err(failure) => {
                    failures.push((&request.channels[lists.specs[*index].channel], failure));
                }
            }
        }
        match report_channels(self.file, &failures) {
            Some(diagnostic) => Err(diagnostic.into()),
            None => Ok(()),
        }
    }

    /// Downloads the lists that a solve could not read once more. Returns whether there are others to try.
    pub(super) async fn renew(
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
                lists.replace(index, present);
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
