//! What the target `channel` downloads, and what happens if that fails.

use super::fetching::Spoiled;
use super::session::Session;

use std::sync::Arc;

use crate::gateway::error::BuildError;
use crate::gateway::fetch::fetch_all;
use condafront_graph::channel::Part;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_model::source::SourceFile;
use condafront_step_spec::failure_report::{Culprit, FailureReport};

/// The index of a source, and of a package in it.
pub(super) type PackageIndex = (usize, usize);

/// The downloads of one source.
pub(super) struct Downloads<'a> {
    pub(super) session: Session<'a>,
    pub(super) conda: (Vec<Artifact>, Addresses),
    pub(super) pip: (Vec<Artifact>, Addresses),
}

impl Downloads<'_> {
    /// Downloads whatever is still missing.
    pub(super) async fn fetch(&mut self) -> Result<(), BuildError> {
        let Session { bridge, file, .. } = self.session;
        for (artifacts, addresses) in [&mut self.conda, &mut self.pip] {
            let patience = self.session.patience();
            fetch_all(bridge, artifacts, addresses, file, patience).await?;
        }
        Ok(())
    }
}

/// All downloads, those of a source together.
pub(super) fn lists<'d>(
    all: &'d [Downloads<'_>],
) -> Vec<(&'d [Artifact], &'d Addresses, &'d Arc<SourceFile>)> {
    let lists = all.iter().flat_map(|downloads| {
        let file = downloads.session.file;
        [&downloads.conda, &downloads.pip]
            .map(|(artifacts, addresses)| (artifacts.as_slice(), addresses, file))
    });
    lists.collect()
}

/// Sets the addresses of all [`lists`].
pub(super) fn set(all: &mut [Downloads<'_>], found: Vec<Addresses>) {
    let lists = all
        .iter_mut()
        .flat_map(|downloads| [&mut downloads.conda, &mut downloads.pip]);
    for ((_, addresses), found) in lists.zip(found) {
        *addresses = found;
    }
}

/// Finds other addresses for the packages of `part` that are not the right files. Returns whether there are any.
pub(super) async fn renew(
    part: &Part<PackageIndex>,
    report: &FailureReport,
    downloads: &mut [Downloads<'_>],
    spoiled: &mut Spoiled<(PackageIndex, bool)>,
) -> bool {
    let mut is_better = false;
    for (source, package) in culprits(part, report).filter(|_| report.wrong_content) {
        let downloads = &mut downloads[source];
        let (artifacts, addresses) = if part.is_pip {
            &mut downloads.pip
        } else {
            &mut downloads.conda
        };
        let key = ((source, package), part.is_pip);
        let address = addresses.get(package);
        let next = spoiled.next(key, &artifacts[package], address, report);
        if let Some(address) = next.await {
            addresses.set(package, address);
            is_better = true;
        }
    }
    is_better
}

/// The packages of `part` that a report blames.
fn culprits(
    part: &Part<PackageIndex>,
    report: &FailureReport,
) -> impl Iterator<Item = PackageIndex> {
    let culprits = report.culprits.iter();
    culprits.filter_map(|culprit| member(part, culprit))
}

/// The package that a culprit is.
pub(super) fn member(part: &Part<PackageIndex>, culprit: &Culprit) -> Option<PackageIndex> {
    match culprit {
        Culprit::Package(index) => part.members.get(*index).copied(),
        _ => None,
    }
}
