//! The target `channel`: a folder with everything that the build downloads, for builds without a network.

use super::channel_contents::{Contents, Source};
use super::channel_downloads::{self, Downloads, PackageIndex, member, renew};
use super::fetching::Spoiled;
use super::input::{EnvironmentFile, ImageInput};
use super::lists::NOARCH;
use super::session::{Explanation, Session, native};
use super::solve::Solved;
use super::step_error::{diagnosed, unexplained};
use condafront_input::pypi;

use std::collections::BTreeSet;
use std::sync::Arc;

use buildkit_llb::caps::MERGE_OP;
use buildkit_llb::{Input, Output};
use buildkit_proto::gateway;

use crate::gateway::error::BuildError;
use crate::options::choices::Choices;
use crate::options::inputs::MICROMAMBA;
use condafront_graph::Tools;
use condafront_graph::channel::Part;
use condafront_graph::image::{Stack, Stacking};
use condafront_graph::plan::micromamba;
use condafront_graph::plan::pip::downloaded_pip;
use condafront_graph::plan::python::Python;
use condafront_graph::source_file;
use condafront_input::Conda;
use condafront_model::source::Location;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::install::Installer;

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
        pypi::check(&solved.packages, &one.pip.asked, self.file, false)?;
        let pip = self.pip_packages_of(image, one).await?.packages;
        let list = &one.pip.asked.list;
        let has_list = !list.is_empty() && list.pinned().is_none();
        let supplied = match Python::find(&solved.packages) {
            Some(python) => downloaded_pip(&solved.packages, &python, has_list, !pip.is_empty())?,
            None => None,
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
            .named_context(MICROMAMBA, self.platform)
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
        const LISTS: &str = "[channel] lists for pip";
        let programs = self.programs().await?;
        let tools = self.tools(&programs);
        let mut downloads = Vec::new();
        for source in &contents.sources {
            downloads.push(self.about(&source.file).downloads(source, &tools).await?);
        }
        let lists = self.so_far.lists();
        let for_pip = (!lists.is_empty()).then(|| tools.lists_folder(&lists, LISTS));
        let for_pip = for_pip.as_ref().and_then(Input::output);
        let mut mended = false;
        let mut spoiled = Spoiled::default();
        let mut earlier: Vec<Part<PackageIndex>> = Vec::new();
        loop {
            let parts = contents.parts(&tools, &downloads)?;
            let outputs = parts.iter().map(|part| (&part.output, part.name.as_str()));
            let outputs = outputs.chain(for_pip.map(|output| (output, LISTS)));
            let Input::Output(root) = self.together(outputs) else {
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

    fn together<'o>(&self, parts: impl Iterator<Item = (&'o Output, &'o str)>) -> Input {
        let stacking = if self.bridge.abilities().has(MERGE_OP.id) {
            Stacking::Merge
        } else {
            Stacking::Copy
        };
        let mut stack = Stack::default();
        for (output, name) in parts {
            stack.push(output, name);
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

fn result(reference: gateway::Ref) -> gateway::Result {
    gateway::Result {
        result: Some(gateway::result::Result::Ref(reference)),
        ..Default::default()
    }
}
