//! What a solve searches, and what its explanations need to know about it.

use rattler_conda_types::{MatchSpec, PackageName, RepoDataRecord};
use rattler_solve::CancellationToken;

use super::records::Records;
use super::repodata::Repodata;
use super::request::Request;
use condafront_model::channel::is_general;
use condafront_model::prose::listed;
use condafront_step_spec::solve::{Glibc, SolveChannel, SolveSpec};

/// Where packages are searched for.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    /// The step's arguments.
    pub(super) solve: &'a SolveSpec,
    /// The same, parsed.
    pub(super) request: &'a Request,
    /// The repodata of the channels.
    pub(super) repodata: &'a [Repodata],
    /// The records that may be relevant.
    pub(super) records: &'a Records,
    /// Tells the solver to stop.
    pub(super) stop: &'a CancellationToken,
}

impl<'a> Search<'a> {
    /// Whether a virtual package is missing because of the base image.
    pub(super) fn is_of_base(&self, name: &str) -> bool {
        let by_base = [Glibc::BaseHasMusl, Glibc::BaseHasNone];
        let glibc = &self.solve.system.glibc;
        name == "__glibc" && (by_base.contains(glibc) || matches!(glibc, Glibc::Base(_)))
    }

    /// The channels that `spec` may come from, each once with its index.
    pub(super) fn searched(&self, spec: &MatchSpec) -> Vec<usize> {
        let mut channels: Vec<usize> = Vec::new();
        for data in self.repodata {
            let is_meant = match &spec.channel {
                Some(channel) => **channel == *data.rattler_channel(),
                None => true,
            };
            if is_meant && !channels.contains(&data.channel) {
                channels.push(data.channel);
            }
        }
        channels
    }

    /// Whether any channel has a package with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.repodata.iter().any(|data| data.has(name))
    }

    /// The records of one package in the channels that `spec` may come from, in their order.
    pub(super) fn records_for(
        &self,
        name: &'a PackageName,
        spec: &MatchSpec,
    ) -> Vec<&'a RepoDataRecord> {
        in_channel(self.records.named(name), spec)
    }

    /// The same records, of those that are too new.
    pub(super) fn left_out_for(
        &self,
        name: &PackageName,
        spec: &MatchSpec,
    ) -> Vec<&'a RepoDataRecord> {
        let left_out = self.records.left_out.iter();
        let is_named = |record: &&RepoDataRecord| record.package_record.name == *name;
        in_channel(left_out.filter(is_named), spec)
    }

    /// The name of a record's channel.
    pub(super) fn channel_name(&self, record: &RepoDataRecord) -> &'a str {
        self.channel(record)
            .map_or("the channel", |channel| channel.name.as_str())
    }

    /// What has a single place in the order of channels: a channel or a group of channels.
    pub(super) fn tier(&self, record: &RepoDataRecord) -> Option<&'a str> {
        self.channel(record).map(tier)
    }

    /// A record's channel.
    pub(super) fn channel(&self, record: &RepoDataRecord) -> Option<&'a SolveChannel> {
        let is_its = |data: &&Repodata| {
            record.channel.as_deref() == Some(data.rattler_channel().canonical_name().as_str())
        };
        let data = self.repodata.iter().find(is_its)?;
        Some(&self.solve.channels[data.channel])
    }

    /// What to do if a package may be in a channel that is not listed; `None` if the listed ones have packages of all
    /// kinds.
    pub(super) fn other_channels(&self) -> Option<String> {
        let channels = &self.solve.channels;
        if channels.iter().any(|channel| is_general(&channel.url)) {
            return None;
        }
        if self.solve.origin.implied_defaults {
            return Some(
                "conda also searches `defaults`, even if it is not listed; a build searches only the listed channels. Add conda-forge or `defaults` to `channels`."
                    .to_owned(),
            );
        }
        let names = channels.iter().map(|channel| channel.name.as_str());
        Some(format!(
            "Only {} is searched. Most packages are in conda-forge: add it to the channels.",
            listed(names, 5)
        ))
        .map(|text| match channels.len() {
            1 => text,
            _ => text.replacen(" is searched", " are searched", 1),
        })
    }
}

/// The records in the channels that `spec` may come from.
fn in_channel<'a>(
    records: impl Iterator<Item = &'a RepoDataRecord>,
    spec: &MatchSpec,
) -> Vec<&'a RepoDataRecord> {
    let is_meant = |record: &&RepoDataRecord| {
        spec.channel.as_ref().is_none_or(|channel| {
            record.channel.as_deref() == Some(channel.canonical_name().as_str())
        })
    };
    records.filter(is_meant).collect()
}

/// What has a single place in the order of channels: the channel, or its group.
pub(super) fn tier(channel: &SolveChannel) -> &str {
    channel.group.as_deref().unwrap_or(&channel.url)
}
