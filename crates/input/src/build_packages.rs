//! The solve for conda packages that only the steps that build wheels see: the key `build` of the image section.

use std::sync::Arc;

use crate::channel_settings::ChannelSettings;
use crate::channels::Channels;
use crate::dependency_list::DependencyList;
use crate::environment_input::SolveRequest;
use crate::place::Place;
use crate::section::image_section::{BuildPackages, ImageSection};
use crate::settings::{ChannelDefaults, InputSettings};
use crate::{match_spec, selector, specs};
use condafront_model::channel::Channel;
use condafront_model::lint::{Rule, Warning};
use condafront_model::origin::Origin;
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::solve::Kept;

/// The environment that build packages must be compatible with.
#[derive(Clone, Copy, Debug)]
pub struct BuildFor<'a> {
    /// Its file.
    pub file: &'a Arc<SourceFile>,
    /// What its file asks of a solve, even if a lock answers it.
    pub request: Option<&'a SolveRequest>,
    /// The settings that it was read with.
    pub settings: &'a InputSettings,
}

/// The solve for the `build` packages of the image section of `file`, and what is doubtful about it; `None` if there are none for
/// the platform. Its lines are in `file`.
///
/// # Errors
/// A diagnostic at an entry that is not valid, or at the key if nothing says where to find the packages.
pub fn requested(
    build: &BuildPackages,
    section: &ImageSection,
    file: &Arc<SourceFile>,
    environment: BuildFor<'_>,
    platform: Platform,
) -> Result<(Option<SolveRequest>, Vec<Warning>), Diagnostic> {
    let settings = environment.settings;
    let of_channels = ChannelSettings::new(ChannelDefaults::of(section), settings, platform);
    let mut channels = channels(build, file, environment, of_channels.channels())?;
    let mut list = DependencyList::default();
    let mut doubts = Vec::new();
    let text: Vec<&str> = file.text()?.lines().collect();
    let mut is_none = true;
    for package in &build.packages {
        let lines = package.lines;
        let place = Place { file, lines };
        if !selector::is_for_platform(place, &text, platform, &mut doubts) {
            continue;
        }
        is_none = false;
        let dependency = match_spec::read(&package.value, &mut channels, place)?;
        doubts.extend(list.push(dependency, place));
    }
    if is_none {
        return Ok((None, doubts));
    }
    let (channels, mut warnings) = channels.finish();
    if channels.is_empty() {
        let name = environment.file.name();
        return Err(Diagnostic::new(format!(
            "nothing says where to find the `build` packages: {name} is a lock, and names no channels"
        ))
        .at(file, build.lines)
        .help(format!(
            "Name the channels: build: {{packages: [{}], channels: [conda-forge]}}",
            quoted(&build.packages[0].value)
        )));
    }
    warnings.extend(doubts);
    let request = environment.request;
    let own = build.channels.is_empty();
    let asked = request.filter(|_| own);
    let exclude_newer = match asked {
        Some(request) => request.exclude_newer.clone(),
        None => of_channels.exclude_newer(&channels),
    };
    let priority = of_channels.priority();
    let priority = priority.or(request.map(|request| request.priority));
    let request = SolveRequest {
        channels,
        priority: priority.unwrap_or_default(),
        exclude_newer,
        specs: list.finish(),
        group: Vec::new(),
        platforms: Vec::new(),
        declared: request
            .map(|request| request.declared.clone())
            .unwrap_or_default(),
        without_pip: false,
        origin: Origin::default(),
        kept: Kept::default(),
        installed: Vec::new(),
    };
    Ok((Some(request), warnings))
}

/// Adds the channels of the packages to `none`: their own, or else those of the environment.
fn channels(
    build: &BuildPackages,
    file: &Arc<SourceFile>,
    environment: BuildFor<'_>,
    none: Channels,
) -> Result<Channels, Diagnostic> {
    let mut channels = none;
    for channel in &build.channels {
        let lines = channel.lines;
        channels.add(&channel.value, Place { file, lines }, lines)?;
    }
    if !build.channels.is_empty() {
        return Ok(channels);
    }
    let Some(request) = environment.request else {
        specs::channels(environment.settings, &mut channels, build.lines)?;
        return Ok(channels);
    };
    let of_file = request.channels.iter().cloned();
    let is_here = Arc::ptr_eq(file, environment.file);
    let at_key = |channel: Channel| Channel {
        lines: if is_here { channel.lines } else { build.lines },
        ..channel
    };
    Ok(channels.starting_with(of_file.map(at_key).collect()))
}

/// The warning that `build` of the image section of `file` has no effect.
pub fn unused(build: &BuildPackages, file: &Arc<SourceFile>) -> Warning {
    Warning {
        rule: Rule::Ignored,
        diagnostic: Diagnostic::new("`build` has no effect: there are no PyPI packages to build")
            .at(file, build.lines)
            .help("Remove it, or list PyPI packages under `pip`."),
    }
}

/// Of the packages `found` for a request of `file`, those that the environment with the packages `installed` does not have.
///
/// # Errors
/// A diagnostic at the line that asks for a package of which the environment has another version or build.
pub fn missing(
    found: Vec<Package>,
    installed: &[Package],
    file: &Arc<SourceFile>,
) -> Result<Vec<Package>, Diagnostic> {
    let mut missing = Vec::new();
    for package in found {
        let same = installed.iter().find(|one| one.id.name == package.id.name);
        match same {
            None => missing.push(package),
            Some(one) if one.id.to_string() == package.id.to_string() => {}
            Some(one) => {
                return Err(Diagnostic::new(format!(
                    "the `build` packages need {}, but the environment has {}",
                    package.id, one.id
                ))
                .at(file, package.lines)
                .help(format!(
                    "The channels of `build` do not have the environment's {}: name the channel that it comes from too, or update the environment's lock.",
                    one.id.name
                )));
            }
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment_input::{Conda, EnvironmentInput};
    use crate::read::read;
    use condafront_model::channel::ChannelPriority;
    use condafront_model::source::Level;

    fn env(section: &str) -> (Arc<SourceFile>, EnvironmentInput) {
        let text = format!(
            "channels: [https://c.example/main]\ndependencies: [python]\ncondafront:\n{section}"
        );
        let file = SourceFile::new("env.yml", text.as_str());
        let input = read(&file, Platform::LinuxAmd64, &InputSettings::default());
        let input = input.unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
        (file, input)
    }

    /// The request of a section, for an environment of its own file or of a lock.
    fn asked(section: &str, is_lock: bool) -> Result<SolveRequest, Diagnostic> {
        let found = asked_on(Platform::LinuxAmd64, section, is_lock)?;
        Ok(found.0.unwrap())
    }

    fn asked_on(
        platform: Platform,
        section: &str,
        is_lock: bool,
    ) -> Result<(Option<SolveRequest>, Vec<Warning>), Diagnostic> {
        let (file, input) = env(section);
        let lock = SourceFile::new("conda.lock", "@EXPLICIT\n");
        let request = match &input.conda {
            Conda::Unsolved(request) => Some(&**request).filter(|_| !is_lock),
            Conda::Locked(_) => None,
        };
        let environment = BuildFor {
            file: if is_lock { &lock } else { &file },
            request,
            settings: &InputSettings::default(),
        };
        let build = input.section.build.as_ref().unwrap();
        requested(build, &input.section, &file, environment, platform)
    }

    fn shown(request: &SolveRequest) -> String {
        let channels = request.channels.iter();
        let channels = channels.map(|it| format!("{}:{}", it.url, it.lines.first));
        let specs = request.specs.iter();
        let specs = specs.map(|it| format!("{}:{}", it.spec, it.lines.first));
        channels.chain(specs).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn packages_come_from_the_channels_of_the_environment_or_of_the_key() {
        let own = asked("  build: [cmake, gcc=14]\n", false).unwrap();
        assert_eq!(shown(&own), "https://c.example/main:1 cmake:4 gcc 14.*:4");
        let text = "  channel_alias: https://a.example\n  channel_priority: flexible\n  exclude_newer: 2026-11-01\n  build:\n    channels: [x]\n    packages: [cmake]\n";
        for is_lock in [false, true] {
            let named = asked(text, is_lock).unwrap();
            assert_eq!(shown(&named), "https://a.example/x:8 cmake:9");
            assert_eq!(named.priority, ChannelPriority::Flexible);
            assert!(named.exclude_newer.is_some());
        }
        let with_channel = asked("  build: ['https://d.example/y::cmake']\n", true).unwrap();
        assert_eq!(with_channel.channels.len(), 1);
    }

    #[test]
    fn entries_can_be_for_some_platforms() {
        let section = "  build:\n    - gcc_linux-64  # [linux64]\n    - gcc_linux-aarch64  # [aarch64]\n    - cmake  # [lunix]\n";
        for (platform, specs) in [
            (Platform::LinuxAmd64, "gcc_linux-64:5 cmake:7"),
            (Platform::LinuxArm64, "gcc_linux-aarch64:6 cmake:7"),
        ] {
            let (request, warnings) = asked_on(platform, section, false).unwrap();
            let all = shown(&request.unwrap());
            assert_eq!(all, format!("https://c.example/main:1 {specs}"));
            let places = warnings
                .iter()
                .map(|it| it.diagnostic.locations[0].lines.first);
            assert_eq!(places.collect::<Vec<_>>(), [7]);
        }
        let section = "  build:\n    packages:\n      - gcc_linux-64  # [linux64]\n";
        let (request, warnings) = asked_on(Platform::LinuxArm64, section, true).unwrap();
        assert_eq!((request, warnings), (None, Vec::new()));
    }

    #[test]
    fn mistakes_are_reported_at_their_line() {
        let of_lock = asked("  build:\n    - cmake\n", true).unwrap_err();
        let of_spec = asked("  build:\n    - cmake\n    - numpy scipy\n", false).unwrap_err();
        let package = |file: &str| {
            let mut package = Package::example("libgcc");
            package.id = condafront_model::package::PackageId::from_file_name(file).unwrap();
            package
        };
        let (file, _) = env("  build: [gcc]\n");
        let [there, other] = ["libgcc-14.2-1.conda", "libgcc-15.1-0.conda"].map(package);
        let found = vec![other, Package::example("gcc")];
        let of_another = missing(found, std::slice::from_ref(&there), &file).unwrap_err();
        let same = vec![package("libgcc-14.2-1.tar.bz2"), Package::example("gcc")];
        let left = missing(same, &[there], &file).unwrap();
        assert_eq!(left, [Package::example("gcc")]);
        let all = [of_lock, of_spec, of_another].map(|error| error.render(Level::Error));
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
