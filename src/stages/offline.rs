//! Builds that take everything from a folder, the named context `channel`, instead of from servers.

use std::sync::Arc;

use buildkit_llb::{Differ, OpOptions, Options as LlbOptions, Output};

use super::lists::{Lists, NOARCH};
use super::session::Session;
use crate::context::folder::NamedFolder;
use crate::gateway::error::BuildError;
use crate::gateway::repodata::FILES;
use crate::gateway::solving::{Evaluate, Reference};
use crate::options::inputs::CHANNEL;
use condafront_graph::downloads::{self, Addresses};
use condafront_graph::pip::PipNetwork;
use condafront_input::SolveRequest;
use condafront_model::package::{Hashes, Package, PackageUrl};
use condafront_model::platform::Platform;
use condafront_model::prose;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Location};
use condafront_step_spec::channel_folder as place;
use condafront_step_spec::channel_folder::{FOLDER, HELP};
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::local_channel::WantedFile;
use condafront_step_spec::solve::RepodataSpec;

/// A file that the folder should have.
struct FileInFolder<'a> {
    label: String,
    url: &'a PackageUrl,
    path: String,
    hashes: &'a Hashes,
    place: Location,
}

impl Session<'_> {
    /// The folder, if the user passes one.
    pub(super) async fn channel_folder(&self) -> Result<Option<NamedFolder>, BuildError> {
        self.finder().folder(CHANNEL).await
    }

    /// Where these conda packages come from.
    pub(super) async fn addresses<'a>(
        &self,
        packages: impl IntoIterator<Item = &'a Package>,
    ) -> Result<Addresses, BuildError> {
        let wanted = packages.into_iter().map(|package| FileInFolder {
            label: format!("{} {}", package.id.name, package.id.version),
            url: &package.url,
            path: place::of_package(package),
            hashes: &package.hashes,
            place: Location {
                file: Arc::clone(self.file),
                lines: package.lines,
            },
        });
        self.found(wanted.collect(), "packages").await
    }

    /// Where the files of these PyPI packages come from.
    pub(super) async fn pip_addresses<'a>(
        &self,
        packages: impl IntoIterator<Item = &'a PipPackage>,
    ) -> Result<Addresses, BuildError> {
        let wanted = packages.into_iter().map(|package| FileInFolder {
            label: package.label(),
            url: &package.url,
            path: place::of_pip(package),
            hashes: &package.hashes,
            place: package.location(self.file),
        });
        self.found(wanted.collect(), "PyPI packages").await
    }

    /// How pip finds packages: on the network, or in the folder.
    pub(super) async fn pip_network(&self) -> Result<PipNetwork, BuildError> {
        let Some(folder) = self.channel_folder().await? else {
            return Ok(PipNetwork::from_options(self.options));
        };
        let paths = [place::PYPI.to_owned()];
        // Pages with the same size and time can differ.
        let folder = folder.files(&paths, "the index of PyPI packages", Differ::None);
        Ok(PipNetwork::within(folder.ok_or_else(empty)?, self.options))
    }

    async fn found(
        &self,
        wanted: Vec<FileInFolder<'_>>,
        purpose: &str,
    ) -> Result<Addresses, BuildError> {
        let Some(folder) = self.channel_folder().await?.filter(|_| !wanted.is_empty()) else {
            let urls = wanted.iter().map(|wanted| wanted.url);
            return Ok(self.settings.mirrors.addresses(urls));
        };
        let paths: Vec<String> = wanted.iter().map(|wanted| wanted.path.clone()).collect();
        let folder = folder
            .files(&paths, purpose, Differ::Metadata)
            .ok_or_else(empty)?;
        let files: Vec<WantedFile> = wanted.iter().map(FileInFolder::file).collect();
        let programs = self.programs().await?;
        let tools = self.tools(&programs);
        let (checked, step) = tools.check(&folder, &files)?;
        let place = |culprit: &Culprit| match culprit {
            Culprit::Package(index) => Some(wanted.get(*index)?.place.clone()),
            _ => None,
        };
        self.run_at(&checked, &step, place).await?;
        let files = wanted
            .iter()
            .map(|wanted| (wanted.url.clone(), wanted.path.clone()));
        Ok(Addresses::given(&folder, files))
    }

    /// The repodata of a request's channels, from the folder. Every channel has the subdir `noarch`; one without a subdir
    /// for the platform has no packages for it.
    pub(super) async fn given_lists(
        &self,
        folder: &NamedFolder,
        request: &SolveRequest,
        platform: Platform,
    ) -> Result<Lists, BuildError> {
        let folders = || {
            let channels = request.channels.iter().enumerate();
            channels.flat_map(|(index, channel)| {
                [platform.subdir(), NOARCH].map(|subdir| {
                    let path = place::in_channel(&channel.url, subdir);
                    (index, channel, subdir, path)
                })
            })
        };
        let paths: Vec<String> = folders()
            .flat_map(|(.., path)| FILES.map(|file| format!("{path}/{file}")))
            .collect();
        // Files with the same size and time can differ.
        let folder = folder
            .files(&paths, "repodata", Differ::None)
            .ok_or_else(empty)?;
        let reference = self.solve(&folder, Evaluate::Lazily).await?;
        let mut lists = Lists::default();
        let mut missing = Vec::new();
        for (index, channel, subdir, path) in folders() {
            let names = self.names_in(&reference, &path).await?;
            let Some(file) = FILES
                .into_iter()
                .find(|file| names.iter().any(|name| name == file))
            else {
                if subdir == NOARCH {
                    missing.push((channel, path));
                }
                continue;
            };
            let label = format!("{}/{subdir}", channel.name);
            lists.files.push(self.taken(&folder, &path, file, &label));
            lists.specs.push(RepodataSpec {
                channel: index,
                subdir: subdir.to_owned(),
                file: file.to_owned(),
                address: None,
            });
        }
        if missing.is_empty() {
            return Ok(lists);
        }
        let named = missing
            .iter()
            .map(|(channel, path)| format!("{} ({path}/{})", channel.name, FILES[0]));
        let named: Vec<String> = named.collect();
        let what = if named.len() == 1 {
            "channel"
        } else {
            "channels"
        };
        let message = format!("{FOLDER} does not have the {what} {}", prose::and(named));
        let mut diagnostic = Diagnostic::new(message).help(HELP);
        for (channel, _) in missing {
            diagnostic = diagnostic.at(self.file, channel.lines);
        }
        Err(diagnostic.into())
    }

    /// The error of a solve, with help that blames the folder if there is one.
    pub(super) async fn with_folder_named(&self, error: BuildError) -> BuildError {
        match (error, self.channel_folder().await) {
            (BuildError::Diagnostic(mut diagnostic), Ok(Some(_))) => {
                let mut help = format!(
                    "Perhaps {FOLDER} is incomplete: it only has the packages of the build that it was made for. {HELP}"
                );
                if let Some(more) = &diagnostic.help {
                    help.push_str(&format!("\n{more}"));
                }
                diagnostic.help = Some(help);
                diagnostic.into()
            }
            (error, _) => error,
        }
    }

    /// A single repodata file of the folder.
    fn taken(&self, folder: &Output, path: &str, file: &str, label: &str) -> Output {
        let mut options = LlbOptions::new();
        options
            .name(format!("[solve] {label} repodata"))
            .export_cache(false);
        if self.options.no_cache() {
            options.ignore_cache();
        }
        downloads::taken(folder, &format!("{path}/{file}"), file, &options)
    }

    /// The names in a folder; empty if the folder is missing.
    async fn names_in(&self, from: &Reference, path: &str) -> Result<Vec<String>, BuildError> {
        match self.bridge.read_dir(from, path).await {
            Ok(entries) => Ok(entries.into_iter().map(|entry| entry.path).collect()),
            Err(error) if error.is_absent() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

impl FileInFolder<'_> {
    fn file(&self) -> WantedFile {
        WantedFile {
            label: self.label.clone(),
            path: self.path.clone(),
            sha256: self.hashes.sha256.clone(),
            md5: downloads::unpinned_md5(self.hashes),
        }
    }
}

fn empty() -> Diagnostic {
    Diagnostic::new(format!("{FOLDER} is empty")).help(HELP)
}
