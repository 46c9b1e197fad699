//! The target `channel`: a folder with everything that the build downloads, for builds without a network.

use super::channel_downloads::{self, Downloads, PackageIndex, member, renew};
use super::fetching::Spoiled;
use super::input::{EnvironmentFile, ImageInput};
use super::lists::NOARCH;
use super::session::{Explanation, Session, native};
use super::solve::Solved;
use super::step_error::{diagnosed, unexplained};
use condafront_input::pypi;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_llb::caps::MERGE_OP;
use buildkit_llb::{Input, Output};
use buildkit_proto::gateway;

use crate::gateway::error::BuildError;
use crate::options::choices::Choices;
use condafront_graph::Tools;
use condafront_graph::channel::{Fetched, Part};
use condafront_graph::image::{Stack, Stacking};
use condafront_graph::plan::micromamba;
use condafront_graph::plan::pip::supplied_pip;
use condafront_graph::plan::python::Python;
use condafront_graph::source_file;
use condafront_input::Conda;
use condafront_model::channel::ChannelUrl;
use condafront_model::package::{Hashes, Package};
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::channel_folder as place;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::install::Installer;
use condafront_step_spec::local_channel::CondaSpec;

/// The contents of the folder.
#[derive(Default)]
struct Contents {
    /// The packages to download, by the files that ask for them.
    sources: Vec<Source>,
    /// Subdirs of channels, by path.
    folders: BTreeMap<String, Folder>,
    /// PyPI packages, by path.
    pip: BTreeMap<String, PackageIndex>,
}

/// What one of the user's files asks for, without what earlier files already ask for.
struct Source {
    file: Arc<SourceFile>,
    conda: Vec<Package>,
    pip: Vec<PipPackage>,
}

/// A subdir of a channel.
#[derive(Default)]
struct Folder {
    subdir: String,
    /// The packages, by file name.
    packages: BTreeMap<String, PackageIndex>,
    /// The name of the channel's own repodata file, and the output that has it.
    list: Option<(String, Output)>,
}

impl<'a> Session<'a> {
    /// Builds the target `channel`.
    pub(super) async fn channel(&self) -> Result<gateway::Result, BuildError> {
        let mut contents = Contents::default();
        let mut installers = BTreeSet::new();
        for platform in self.lock_platforms().await? {
            let session = self.on(platform);
            let input = session.image_input().await?;
            session.warn(&input.warnings).await?;
            for one in &input.environments {
                session
                    .about(&one.file)
                    .collect(&input, one, &mut contents)
                    .await?;
            }
            if Choices::new(self.settings, &input.section).installer == Installer::Micromamba {
                installers.extend([platform, native(self.bridge)]);
            }
        }
        for platform in installers {
            self.on(platform).collect_installer(&mut contents).await?;
        }
        self.made(&contents).await
    }

    /// Adds what one environment downloads.
    async fn collect(
        &self,
        image: &ImageInput,
        one: &EnvironmentFile,
        contents: &mut Contents,
    ) -> Result<(), BuildError> {
        let solved = self.packages_of(image, one).await?;
        pypi::check(&solved.packages, &one.pip.asked, self.file)?;
        let pip = self.pip_packages_of(image, one).await?;
        let supplied = match Python::find(&solved.packages) {
            Some(python) if !pip.is_empty() => supplied_pip(&solved.packages, &python)?,
            _ => None,
        };
        let Solved {
            packages,
            mut lists,
            ..
        } = solved;
        let subdirs = [self.platform.subdir(), NOARCH];
        let source = contents.source(self.file);
        if let Conda::Unsolved(request) = &one.input.conda {
            // An offline build asks every channel, even one that no package was chosen from.
            for channel in &request.channels {
                contents.add_folders(&channel.url, &subdirs);
            }
            // An offline build reads whole lists.
            let sharded = lists.sharded();
            self.use_whole(&mut lists, request, &sharded).await?;
            for (spec, output) in lists.specs.into_iter().zip(lists.files) {
                let channel = &request.channels[spec.channel].url;
                contents.folder(channel, &spec.subdir).list = Some((spec.file, output));
            }
        }
        for package in packages {
            contents.add(source, package, &subdirs)?;
        }
        for package in pip.into_iter().chain(supplied) {
            let asked = package.location(self.file).file;
            let source = contents.source(&asked);
            contents.add_pip(source, package)?;
        }
        Ok(())
    }

    /// Adds micromamba, which installs packages, for the session's platform.
    async fn collect_installer(&self, contents: &mut Contents) -> Result<(), BuildError> {
        if self
            .options
            .named_context("micromamba", self.platform)
            .is_some()
        {
            return Ok(());
        }
        let package = micromamba::package(&self.settings.micromamba, self.platform)?;
        let warning = micromamba::warning(&package, &self.settings.micromamba);
        self.warn(warning.as_slice()).await?;
        let source = contents.source(self.file);
        let subdirs = [self.platform.subdir(), NOARCH];
        Ok(contents.add(source, package, &subdirs)?)
    }

    /// Downloads everything and builds the folder.
    async fn made(&self, contents: &Contents) -> Result<gateway::Result, BuildError> {
        let programs = self.programs().await?;
        let tools = self.tools(&programs);
        let mut downloads = Vec::new();
        for source in &contents.sources {
            downloads.push(self.about(&source.file).downloads(source, &tools).await?);
        }
        let mut mended = false;
        let mut spoiled = Spoiled::default();
        let mut earlier: Vec<Part<PackageIndex>> = Vec::new();
        loop {
            let parts = contents.parts(&tools, &downloads)?;
            let Input::Output(root) = self.together(&parts) else {
                return Ok(result(gateway::Ref::default()));
            };
            let patience = self.patience();
            let lists = channel_downloads::lists(&downloads);
            let evaluated = tokio::select! {
                biased;
                evaluated = self.evaluate(&root) => evaluated,
                found = self.stalled(&lists, patience) => {
                    channel_downloads::set(&mut downloads, found?);
                    mended = true;
                    earlier.extend(parts);
                    continue;
                }
            };
            let error = match evaluated {
                Ok(reference) => return Ok(result(reference.to_proto())),
                Err(BuildError::Gateway(error)) => error,
                Err(error) => return Err(error),
            };
            // With the same content, BuildKit takes a step for one that failed before, and reports that one's vertex.
            let failed = error.vertices();
            let is_it =
                |part: &&Part<PackageIndex>| failed.contains(&part.output.digest().to_string());
            if let Some(part) = parts.iter().chain(&earlier).find(is_it) {
                let report = match self.explanation(&part.step, &error).await {
                    Explanation::Report(report) => report,
                    Explanation::Unknown => return Err(unexplained(&part.step, error)),
                    Explanation::TryAgain => continue,
                };
                if !renew(part, &report, &mut downloads, &mut spoiled).await {
                    return Err(explained(part, report, contents));
                }
            } else if mended || error.is_cancelled() {
                return Err(error.into());
            }
            earlier.extend(parts);
            for downloads in &mut downloads {
                downloads.fetch().await?;
            }
            mended = true;
        }
    }

    async fn downloads(
        &self,
        source: &Source,
        tools: &Tools<'_>,
    ) -> Result<Downloads<'a>, BuildError> {
        let lines = source.conda.iter().map(|package| package.lines);
        let lines = lines.chain(source.pip.iter().map(|package| package.lines));
        let file = source_file(&source.file, lines);
        let conda = (
            tools.package_artifacts(&source.conda, &file),
            self.addresses(&source.conda).await?,
        );
        let pip = (
            tools.pip_artifacts(&source.pip, &file),
            self.pip_addresses(&source.pip).await?,
        );
        for (artifacts, addresses) in [&conda, &pip] {
            let lines = artifacts.iter().map(|artifact| Some(artifact.wanted.lines));
            self.check_recorded(addresses, lines)?;
        }
        Ok(Downloads {
            session: *self,
            conda,
            pip,
        })
    }

    fn together(&self, parts: &[Part<PackageIndex>]) -> Input {
        let stacking = if self.bridge.abilities().has(MERGE_OP.id) {
            Stacking::Merge
        } else {
            Stacking::Copy
        };
        let mut stack = Stack::default();
        for part in parts {
            stack.push(&part.output, &part.name);
        }
        stack.on(
            &Input::Scratch,
            stacking,
            "[channel] put the folder together",
        )
    }
}

/// Why a step failed, in the file that asks for the package to blame.
fn explained(part: &Part<PackageIndex>, report: FailureReport, contents: &Contents) -> BuildError {
    let location = |culprit: &Culprit| {
        let (source, package) = member(part, culprit)?;
        let source = contents.sources.get(source)?;
        let lines = if part.is_pip {
            source.pip.get(package)?.lines
        } else {
            source.conda.get(package)?.lines
        };
        Some(Location {
            file: Arc::clone(&source.file),
            lines,
        })
    };
    diagnosed(report, location)
}

impl Contents {
    /// The index of the file's source, which is added if it is new.
    fn source(&mut self, file: &Arc<SourceFile>) -> usize {
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

    fn folder(&mut self, channel: &ChannelUrl, subdir: &str) -> &mut Folder {
        let path = place::in_channel(channel, subdir);
        let folder = self.folders.entry(path).or_default();
        subdir.clone_into(&mut folder.subdir);
        folder
    }

    /// Adds the subdirs of a channel: without them, the folder is not a valid channel.
    fn add_folders(&mut self, channel: &ChannelUrl, subdirs: &[&str]) {
        for subdir in subdirs {
            self.folder(channel, subdir);
        }
    }

    /// Adds a package to its channel, and `subdirs` too.
    fn add(&mut self, source: usize, package: Package, subdirs: &[&str]) -> Result<(), Diagnostic> {
        let url = package.url.recorded();
        // <channel>/<subdir>/<archive>
        let channel = url.as_str().rsplitn(3, '/').nth(2).unwrap_or_default();
        let channel = ChannelUrl::parse(channel).map_err(|error| {
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
                    two_contents(&url)
                        .at(&self.sources[first].file, known.lines)
                        .at(&self.sources[source].file, package.lines)
                })?;
                self.sources[first].conda[index].hashes = hashes;
                Ok(())
            }
        }
    }

    fn add_pip(&mut self, source: usize, package: PipPackage) -> Result<(), Diagnostic> {
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
                    two_contents(&package.url.recorded())
                        .at(&self.sources[first].file, known.lines)
                        .at(&self.sources[source].file, package.lines)
                })?;
                self.sources[first].pip[index].hashes = hashes;
                Ok(())
            }
        }
    }

    /// The steps that build the folder.
    fn parts(
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

fn result(reference: gateway::Ref) -> gateway::Result {
    gateway::Result {
        result: Some(gateway::result::Result::Ref(reference)),
        ..Default::default()
    }
}
