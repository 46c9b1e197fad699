//! A build without a file: the build-args `CONDA_SPECS` and `CONDA_CHANNELS` describe the environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::channels::Channels;
use super::dependency_list::DependencyList;
use super::match_spec;
use crate::environment_input::{Conda, EnvironmentInput, Pip, SolveRequest};
use crate::place::Place;
use crate::section::image_section::ImageSection;
use crate::settings::InputSettings;
use condafront_model::channel::ChannelNames;
use condafront_model::channel::ChannelPriority;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Reads the build-args. Also returns the file that the environment's lines refer to, with one line per channel and spec.
///
/// # Errors
/// A diagnostic at a line of that file, or without a place if `CONDA_SPECS` is empty.
pub fn read(
    settings: &InputSettings,
    platform: Platform,
) -> Result<(Arc<SourceFile>, EnvironmentInput), Diagnostic> {
    if settings.specs.is_empty() {
        return Err(
            Diagnostic::new("build-arg CONDA_SPECS names no packages").help(
                "Write them separated by spaces: CONDA_SPECS=\"python=3.12 numpy 'scipy <2'\".",
            ),
        );
    }
    let lines = BuildArgs::new(settings);
    let mut channels = Channels::new(names(settings), platform);
    self::channels(settings, &mut channels, None)?;
    channels.or_fallback(lines.place(0))?;
    let mut warnings = Vec::new();
    let mut specs = DependencyList::default();
    for (index, spec) in settings.specs.iter().enumerate() {
        let place = lines.place(settings.channels.len() + index);
        warnings.extend(specs.push(match_spec::read(spec, &mut channels, place)?, place));
    }
    let (channels, mut all_warnings) = channels.finish();
    all_warnings.extend(warnings);
    let input = EnvironmentInput {
        prefix: None,
        variables: BTreeMap::new(),
        conda: Conda::Unsolved(SolveRequest {
            channels,
            priority: ChannelPriority::default(),
            specs: specs.finish(),
            platforms: Vec::new(),
        }),
        pip: Pip::default(),
        section: ImageSection::default(),
        warnings: all_warnings,
    };
    Ok((lines.file, input))
}

/// Reads the build-args of a build whose file is `file`: the one that [`read`] returns, or an empty one.
///
/// # Errors
/// As [`read`], and if the file is not empty.
pub(super) fn read_beside(
    file: &Arc<SourceFile>,
    settings: &InputSettings,
    platform: Platform,
) -> Result<EnvironmentInput, Diagnostic> {
    let (stand_in, input) = read(settings, platform)?;
    if *file == stand_in || crate::unknown::is_empty(file) {
        return Ok(input);
    }
    Err(beside(file))
}

/// The error for `CONDA_SPECS` together with a file that is not empty.
pub(super) fn beside(file: &Arc<SourceFile>) -> Diagnostic {
    let text = String::from_utf8_lossy(file.data());
    let line = super::unknown::first_line(&text).map_or(1, |(number, _)| number);
    Diagnostic::new(format!(
        "build-arg CONDA_SPECS is for a build without a file, but there is {}",
        file.name()
    ))
    .at(file, Lines::one(line))
    .help("Remove the build-arg and add its packages to the file, or build an empty folder.")
}

/// Adds the channels of `CONDA_CHANNELS`. They are recorded at `lines` of the build file or, without `lines`, at their
/// lines in the file that [`read`] returns.
pub(super) fn channels(
    settings: &InputSettings,
    channels: &mut Channels,
    lines: Option<Lines>,
) -> Result<(), Diagnostic> {
    let args = BuildArgs::new(settings);
    for (index, channel) in settings.channels.iter().enumerate() {
        let place = args.place(index);
        channels.add(channel, place, lines.unwrap_or(place.lines))?;
    }
    Ok(())
}

fn names(settings: &InputSettings) -> ChannelNames {
    let default = ChannelNames::default();
    ChannelNames {
        alias: settings.channel_alias.clone().unwrap_or(default.alias),
        custom: default.custom,
    }
}

/// The build-args as a file, so that diagnostics about them have a place too: first the channels, then the specs, one per
/// line.
struct BuildArgs {
    file: Arc<SourceFile>,
}

impl BuildArgs {
    fn new(settings: &InputSettings) -> Self {
        let line = |name: &str, value: &String| {
            let value = value.replace(['\n', '\r'], " ");
            format!("{name}: {value}\n")
        };
        let channels = settings
            .channels
            .iter()
            .map(|value| line("CONDA_CHANNELS", value));
        let specs = settings
            .specs
            .iter()
            .map(|value| line("CONDA_SPECS", value));
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
