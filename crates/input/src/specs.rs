//! A build without a file: the build-args `CONDA_SPECS` and `CONDA_CHANNELS` describe the environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::channel_settings::ChannelSettings;
use super::channels::Channels;
use super::dependency_list::DependencyList;
use super::match_spec;
use crate::activation_variables::ActivationVariables;
use crate::environment_input::{
    Categories, Conda, DeclaredSystem, EnvironmentInput, Pip, SolveRequest,
};
use crate::place::Place;
use crate::section::image_section::ImageSection;
use crate::settings::{ChannelDefaults, InputSettings};
use condafront_model::origin::Origin;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::solve::Kept;

/// The environment of a build without a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specs {
    /// The entries of `CONDA_SPECS`, at least one.
    entries: Vec<String>,
    settings: InputSettings,
    args: BuildArgs,
}

impl Specs {
    /// The environment that the entries of `CONDA_SPECS` and the other build-args describe.
    ///
    /// # Errors
    /// A diagnostic without a place, if `specs` is empty.
    pub fn new(specs: &[String], settings: &InputSettings) -> Result<Self, Diagnostic> {
        if specs.is_empty() {
            return Err(
                Diagnostic::new("build-arg CONDA_SPECS names no packages").help(
                    "Write them separated by spaces: CONDA_SPECS=\"python=3.12 numpy 'scipy <2'\".",
                ),
            );
        }
        Ok(Self {
            entries: specs.to_vec(),
            settings: settings.clone(),
            args: BuildArgs::new(&settings.channels, specs),
        })
    }

    /// The file that the environment's lines refer to, with one line per channel and spec.
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.args.file
    }

    /// Reads the build-args.
    ///
    /// # Errors
    /// A diagnostic at a line of [`Specs::file`].
    pub fn read(&self, platform: Platform) -> Result<EnvironmentInput, Diagnostic> {
        let own = ChannelDefaults::default();
        let of_channels = ChannelSettings::new(own, &self.settings, platform);
        let mut channels = of_channels.channels();
        for (index, channel) in self.settings.channels.iter().enumerate() {
            let place = self.args.place(index);
            channels.add(channel, place, place.lines)?;
        }
        channels.or_fallback(self.args.place(0))?;
        let mut warnings = Vec::new();
        let mut specs = DependencyList::default();
        for (index, spec) in self.entries.iter().enumerate() {
            let place = self.args.place(self.settings.channels.len() + index);
            let dependency = match_spec::read_as_conda(spec, &mut channels, place)?;
            warnings.extend(specs.push(dependency, place));
        }
        let (channels, mut all_warnings) = channels.finish();
        all_warnings.extend(warnings);
        all_warnings.extend(of_channels.cutoff_warnings(None, self.file(), &channels));
        Ok(EnvironmentInput {
            prefix: None,
            variables: BTreeMap::new(),
            late_variables: ActivationVariables::default(),
            conda: Conda::Unsolved(Box::new(SolveRequest {
                priority: of_channels.priority().unwrap_or_default(),
                exclude_newer: of_channels.exclude_newer(&channels),
                channels,
                specs: specs.finish(),
                group: Vec::new(),
                platforms: Vec::new(),
                declared: DeclaredSystem::default(),
                without_pip: false,
                origin: Origin::default(),
                kept: Kept::default(),
                installed: Vec::new(),
            })),
            pip: Pip::default(),
            section: ImageSection::default(),
            warnings: all_warnings,
            unknown_skips: None,
            categories: Categories::NoLock,
            beside: None,
        })
    }
}

/// The entries of `CONDA_SPECS`, split as a shell splits words: spaces separate, quotes group.
///
/// # Errors
/// What is wrong with the quotes.
pub fn words(value: &str) -> Result<Vec<String>, &'static str> {
    shlex::split(value).ok_or(
        "a quote is not closed, or the last character is a backslash; write numpy 'scipy <2'",
    )
}

/// Adds the channels of `CONDA_CHANNELS` instead of those of a build file, recorded at `lines` of it.
pub(super) fn channels(
    settings: &InputSettings,
    channels: &mut Channels,
    lines: Lines,
) -> Result<(), Diagnostic> {
    let args = BuildArgs::new(&settings.channels, &[]);
    for (index, channel) in settings.channels.iter().enumerate() {
        channels.add(channel, args.place(index), lines)?;
    }
    Ok(())
}

/// The build-args as a file, so that diagnostics about them have a place too: first the channels, then the specs, one per
/// line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BuildArgs {
    file: Arc<SourceFile>,
}

impl BuildArgs {
    fn new(channels: &[String], specs: &[String]) -> Self {
        let line = |name: &str, value: &String| {
            let value = value.replace(['\n', '\r'], " ");
            format!("{name}: {value}\n")
        };
        let channels = channels.iter().map(|value| line("CONDA_CHANNELS", value));
        let specs = specs.iter().map(|value| line("CONDA_SPECS", value));
        Self {
            file: SourceFile::new("build-args", channels.chain(specs).collect::<String>()),
        }
    }

    fn place(&self, index: usize) -> Place<'_> {
        Place {
            file: &self.file,
            lines: Lines::one(index + 1),
        }
    }
}
