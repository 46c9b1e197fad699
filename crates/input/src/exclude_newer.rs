//! Which packages are too new for a solve: puts together what the files and a build-arg say.

use std::sync::Arc;

use crate::lock_terms::CutoffTerm;
use crate::match_spec;
use crate::place::Place;
use crate::section::args::BuildArgs;
use crate::section::exclude_newer::{BUILD_ARG, KEY, of_age, unrepeatable};
use crate::section::image_section::{ExcludeNewer as Said, ImageSection, Located};
use condafront_model::channel::{Channel, ChannelNames};
use condafront_model::cutoff::Limit;
use condafront_model::lint::{Rule, Warning};
use condafront_model::platform::Platform;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::solve::ExcludeNewer;

/// Checks the MatchSpecs of a section of `file`, and writes them in the form that a solve reads.
///
/// # Errors
/// A diagnostic at the first invalid one.
pub(super) fn check(section: &mut ImageSection, file: &Arc<SourceFile>) -> Result<(), Diagnostic> {
    let Some(said) = &mut section.exclude_newer else {
        return Ok(());
    };
    let packages = std::mem::take(&mut said.value.packages);
    for (text, limit) in packages {
        let lines = limit.lines;
        let spec = match_spec::exemption(&text, Place { file, lines })?;
        said.value.packages.insert(spec, limit);
    }
    Ok(())
}

/// What a solve with these channels is asked. The build-arg replaces the cutoff alone.
pub(super) fn requested(
    said: Option<&Said>,
    build_arg: Option<Limit>,
    channels: &[Channel],
    names: &ChannelNames,
    platform: Platform,
) -> Option<ExcludeNewer<Limit>> {
    let Some(said) = said else {
        return build_arg.map(|cutoff| ExcludeNewer::of(Some(cutoff)));
    };
    let mut asked = ExcludeNewer::of(build_arg.or(said.cutoff));
    for (name, limit) in &said.channels {
        for index in indices(name, channels, names, platform) {
            asked.channels.insert(index, limit.value);
        }
    }
    let packages = said.packages.iter();
    asked.packages = packages
        .map(|(spec, limit)| (spec.clone(), limit.value))
        .collect();
    let by_name = said.by_name.iter();
    asked.by_name = by_name
        .map(|(name, limit)| (name.clone(), limit.value))
        .collect();
    Some(asked)
}

/// What a lock with these channels must keep to.
pub(super) fn term(
    said: &Located<Said>,
    channels: &[Channel],
    names: &ChannelNames,
    platform: Platform,
) -> CutoffTerm {
    let Located { value, lines } = said;
    let limits = requested(Some(value), None, channels, names, platform);
    let of_channels = value.channels.iter().flat_map(|(name, limit)| {
        let indices = indices(name, channels, names, platform);
        indices.into_iter().map(|index| (index, limit.lines))
    });
    let by_name = value.by_name.iter();
    CutoffTerm {
        limits: limits.unwrap_or_else(|| ExcludeNewer::of(None)),
        lines: *lines,
        by_name: by_name
            .map(|(name, limit)| (name.clone(), limit.lines))
            .collect(),
        channels: of_channels.collect(),
    }
}

/// The channels that a text means, by index.
fn indices(
    text: &str,
    channels: &[Channel],
    names: &ChannelNames,
    platform: Platform,
) -> Vec<usize> {
    let named = names.resolve(text, platform).unwrap_or_default();
    let meant: Vec<String> = named.iter().map(|named| named.url.recorded()).collect();
    let is_meant =
        |channel: &Channel| channel.name == text || meant.contains(&channel.url.recorded());
    let all = channels.iter().enumerate();
    all.filter(|(_, channel)| is_meant(channel))
        .map(|(index, _)| index)
        .collect()
}

/// The warnings about what an env.yml says; `channels` are its own.
pub(super) fn warnings(
    said: &Located<Said>,
    file: &Arc<SourceFile>,
    args: &BuildArgs,
    channels: Option<&[Channel]>,
    names: &ChannelNames,
    platform: Platform,
) -> Vec<Warning> {
    let mut warnings = unrepeatable(KEY, said, file, args);
    let Some(channels) = channels else {
        return warnings;
    };
    let unknown = said.value.channels.iter();
    let unknown = unknown.filter(|(name, _)| indices(name, channels, names, platform).is_empty());
    warnings.extend(unknown.map(|(name, limit)| {
        Warning {
            rule: Rule::Ignored,
            diagnostic: Diagnostic::new(format!(
                "`{}` is not one of the environment's channels: its cutoff has no effect",
                quoted(name)
            ))
            .at(file, limit.lines)
            .help("Write it as in `channels:`, or remove it."),
        }
    }));
    warnings
}

/// The warning about the build-arg.
pub(super) fn of_build_arg(limit: Option<Limit>) -> Option<Warning> {
    of_age(limit?, &format!("build-arg {BUILD_ARG}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment_input::{Conda, EnvironmentInput};
    use crate::section::file::read_image_file;
    use crate::settings::{ChannelDefaults, InputSettings};
    use crate::{read, yaml};

    const FILE: &str = "\
channels: [team, defaults, conda-forge]
dependencies: [numpy]
condafront:
  custom_channels: {team: https://c.example}
  exclude_newer:
    cutoff: 2026-11-01
    channels: {team: false, defaults: 2026-10-01, https://conda.anaconda.org/conda-forge/: 1w}
    packages: {openssl ==3.5.4: false, numpy: 2026-11-05}
";

    fn settings(build_arg: &str, image_file: Option<&str>) -> InputSettings {
        let mut settings = InputSettings::default();
        if !build_arg.is_empty() {
            settings.set(BUILD_ARG, build_arg).unwrap();
        }
        settings.image_file = image_file.map(|text| {
            let text = format!("environments: {{base: env.yml}}\n{text}");
            let file = SourceFile::new("image.yml", text.as_str());
            let tree = yaml::read(&file, &text).unwrap();
            let image = read_image_file(&file, &tree, &BuildArgs::default()).unwrap();
            ChannelDefaults::of(&image.section)
        });
        settings
    }

    fn input(text: &str, settings: &InputSettings) -> EnvironmentInput {
        let file = SourceFile::new("env.yml", text);
        read(&file, Platform::LinuxAmd64, settings).unwrap()
    }

    /// What a solve is asked, on one line.
    fn asked(text: &str, settings: &InputSettings) -> String {
        let Conda::Unsolved(request) = input(text, settings).conda else {
            panic!("this is a lock");
        };
        let asked = request
            .exclude_newer
            .map(|asked| asked.map(|limit| limit.to_string()));
        serde_json::to_string(&asked).unwrap()
    }

    #[test]
    fn what_the_file_says_is_about_its_channels() {
        let rest = r#""channels":{"0":null,"1":"2026-10-01","2":"2026-10-01","3":"1w"},"packages":{"numpy":"2026-11-05","openssl ==3.5.4":null}}"#;
        let of = |build_arg: &str| asked(FILE, &settings(build_arg, None));
        assert_eq!(of(""), format!(r#"{{"cutoff":"2026-11-01",{rest}"#));
        // A build-arg replaces the cutoff alone.
        assert_eq!(of("7d"), format!(r#"{{"cutoff":"7d",{rest}"#));
        let plain = "channels: [a]\ndependencies: [b]\n";
        assert_eq!(asked(plain, &settings("", None)), "null");
        assert_eq!(asked(plain, &settings("7d", None)), r#"{"cutoff":"7d"}"#);
    }

    #[test]
    fn an_image_file_has_the_default_of_its_environments() {
        let plain = "channels: [a]\ndependencies: [b]\n";
        let image = "exclude_newer: {cutoff: 2026-09-01, channels: {a: false}}\n";
        let rest = r#""channels":{"0":null}}"#;
        let of = |text: &str, build_arg: &str| asked(text, &settings(build_arg, Some(image)));
        assert_eq!(of(plain, ""), format!(r#"{{"cutoff":"2026-09-01",{rest}"#));
        assert_eq!(of(plain, "7d"), format!(r#"{{"cutoff":"7d",{rest}"#));
        let own = format!("{plain}condafront: {{exclude_newer: 2026-10-01}}\n");
        assert_eq!(of(&own, ""), r#"{"cutoff":"2026-10-01"}"#);
        // The key applies to this file's solve, so that it may stay here.
        assert_eq!(input(&own, &settings("", Some(image))).warnings, []);
    }

    #[test]
    fn an_image_file_with_an_age_has_a_warning() {
        let warnings = |text: &str, args: &[(&str, &str)]| {
            let text = format!("environments: {{base: env.yml}}\nexclude_newer: {text}\n");
            let file = SourceFile::new("image.yml", text.as_str());
            let tree = yaml::read(&file, &text).unwrap();
            let image = read_image_file(&file, &tree, &args.iter().copied().collect()).unwrap();
            let lines = image.warnings.into_iter();
            lines
                .map(|warning| (warning.rule, warning.diagnostic.locations[0].lines))
                .collect::<Vec<_>>()
        };
        let one = [(Rule::Unrepeatable, condafront_model::source::Lines::one(2))];
        assert_eq!(warnings("7d", &[]), one);
        assert_eq!(warnings("7d", &[(BUILD_ARG, "2026-11-01")]), []);
        assert_eq!(warnings("2026-11-01", &[]), []);
    }
}
