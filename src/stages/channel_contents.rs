//! What the folder of the target `channel` contains.

use super::channel_downloads::{Downloads, PackageIndex};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use buildkit_llb::Output;

use condafront_graph::Tools;
use condafront_graph::channel::{Fetched, Part};
use condafront_model::channel::ChannelUrl;
use condafront_model::package::{Hashes, Package};
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::channel_folder as place;
use condafront_step_spec::local_channel::CondaSpec;

/// The contents of the folder.
#[derive(Default)]
pub(super) struct Contents {
    /// The packages to download, by the files that ask for them.
    pub(super) sources: Vec<Source>,
    /// Subdirs of channels, by path.
    pub(super) folders: BTreeMap<String, Folder>,
    /// PyPI packages, by path.
    pub(super) pip: BTreeMap<String, PackageIndex>,
}

/// What one of the user's files asks for, without what earlier files already ask for.
pub(super) struct Source {
    pub(super) file: Arc<SourceFile>,
    pub(super) conda: Vec<Package>,
    pub(super) pip: Vec<PipPackage>,
}

/// A subdir of a channel.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) subdir: String,
    /// The packages, by file name.
    pub(super) packages: BTreeMap<String, PackageIndex>,
    /// The name of the channel's own repodata file, and the output that has it.
    pub(super) list: Option<(String, Output)>,
}

impl Contents {
    /// The index of the file's source, which is added if it is new.
    pub(super) fn source(&mut self, file: &Arc<SourceFile>) -> usize {
        let known = self.sources.iter().position(|source| source.file == *file);
        known.unwrap_or_else(|| {
            self.sources.push(Source {
                file: Arc::clone(file),
                conda: Vec::new(),
                pip: Vec::new(),
            });
            self.sources.len() - 1
        })
    }

    pub(super) fn folder(&mut self, channel: &ChannelUrl, subdir: &str) -> &mut Folder {
        let path = place::in_channel(channel, subdir);
        let folder = self.folders.entry(path).or_default();
        subdir.clone_into(&mut folder.subdir);
        folder
    }

    /// Adds the subdirs of a channel: without them, the folder is not a valid channel.
    pub(super) fn add_folders(&mut self, channel: &ChannelUrl, subdirs: &[&str]) {
        for subdir in subdirs {
            self.folder(channel, subdir);
        }
    }

    /// Adds a package to its channel, and `subdirs` too.
    pub(super) fn add(
        &mut self,
        source: usize,
        package: Package,
        subdirs: &[&str],
    ) -> Result<(), Diagnostic> {
        let channel = ChannelUrl::parse(&package.url.channel()).map_err(|error| {
            let help = error.help();
            Diagnostic::of(error).help(help)
        })?;
        self.add_folders(&channel, subdirs);
        let place = (source, self.sources[source].conda.len());
        let folder = self.folder(&channel, &package.subdir);
        match folder.packages.entry(package.id.file_name()) {
            Entry::Vacant(entry) => {
                entry.insert(place);
                self.sources[source].conda.push(package);
                Ok(())
            }
            Entry::Occupied(entry) => {
                let (first, index) = *entry.get();
                let known = &self.sources[first].conda[index];
                let hashes = joined(&known.hashes, &package.hashes).ok_or_else(|| {
                    two_contents(&package.url.recorded())
                        .at(&self.sources[first].file, known.lines)
                        .at(&self.sources[source].file, package.lines)
                })?;
                self.sources[first].conda[index].hashes = hashes;
                Ok(())
            }
        }
    }

    pub(super) fn add_pip(&mut self, source: usize, package: PipPackage) -> Result<(), Diagnostic> {
        let place = (source, self.sources[source].pip.len());
        match self.pip.entry(place::of_pip(&package)) {
            Entry::Vacant(entry) => {
                entry.insert(place);
                self.sources[source].pip.push(package);
                Ok(())
            }
            Entry::Occupied(entry) => {
                let (first, index) = *entry.get();
                let known = &self.sources[first].pip[index];
                let hashes = joined(&known.hashes, &package.hashes).ok_or_else(|| {
                    two_contents(&package.url.recorded_file())
                        .at(&self.sources[first].file, known.lines)
                        .at(&self.sources[source].file, package.lines)
                })?;
                self.sources[first].pip[index].hashes = hashes;
                Ok(())
            }
        }
    }

    /// The steps that build the folder.
    pub(super) fn parts(
        &self,
        tools: &Tools<'_>,
        downloads: &[Downloads<'_>],
    ) -> Result<Vec<Part<PackageIndex>>, ArgsError> {
        let mut parts = Vec::new();
        for (path, folder) in &self.folders {
            let list = folder.list.as_ref().filter(|_| !folder.packages.is_empty());
            let spec = CondaSpec {
                folder: path.clone(),
                subdir: folder.subdir.clone(),
                list: list.map(|(file, _)| file.clone()),
            };
            let packages = folder.packages.values().map(|place| Fetched {
                package: &self.sources[place.0].conda[place.1],
                artifact: &downloads[place.0].conda.0[place.1],
                address: downloads[place.0].conda.1.get(place.1),
                key: *place,
            });
            let list = list.map(|(_, output)| output);
            parts.push(tools.conda_folder(&spec, &packages.collect::<Vec<_>>(), list)?);
        }
        if !self.pip.is_empty() {
            let packages = self.pip.values().map(|place| Fetched {
                package: &self.sources[place.0].pip[place.1],
                artifact: &downloads[place.0].pip.0[place.1],
                address: downloads[place.0].pip.1.get(place.1),
                key: *place,
            });
            parts.push(tools.pypi_folder(&packages.collect::<Vec<_>>())?);
        }
        Ok(parts)
    }
}

/// All known hashes of a file; `None` if they contradict each other.
fn joined(a: &Hashes, b: &Hashes) -> Option<Hashes> {
    let one = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) if a != b => None,
        (a, b) => Some(a.clone().or(b.clone())),
    };
    Some(Hashes {
        sha256: one(&a.sha256, &b.sha256)?,
        md5: one(&a.md5, &b.md5)?,
    })
}

fn two_contents(url: &url::Url) -> Diagnostic {
    Diagnostic::new(format!(
        "two packages have the same URL but different hashes: {url}"
    ))
    .help("The file was replaced on the server: regenerate the lock file.")
}
