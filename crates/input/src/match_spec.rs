//! MatchSpecs: translates the dependencies that users write for the solver.
//!
//! Everything that conda accepts is accepted
//! (<https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html>): rattler's lenient parser reads it,
//! and it is stored in a form that the strict parser reads as the same spec. Channels are resolved here, because rattler
//! does not support a channel alias or custom channels. Valid specs that nobody can mean are refused: in `numpy scipy`,
//! conda reads `scipy` as a version. What conda reads and the solver cannot express is refused with the nearest spelling.

use std::sync::Arc;

use rattler_conda_types::match_spec::package_name_matcher::PackageNameMatcher;
use rattler_conda_types::{
    Channel as RattlerChannel, ChannelConfig, MatchSpec, PackageName, ParseChannelError,
    ParseMatchSpecOptions, ParseStrictness, RepodataRevision,
};
use url::Url;

use self::parts::{Parts, bracket_value, usual_spelling};
use super::channels::{Channels, SpecChannel};
use super::explicit;
use crate::environment_input::RequestedSpec;
use crate::mistake::Mistake;
use crate::place::Place;
use crate::section::args::BuildArgs;
use condafront_model::channel::{ChannelNames, ChannelUrl};
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::{Package, PackageId};
use condafront_model::placeholder;
use condafront_model::platform::Platform;
use condafront_model::redact;
use condafront_model::source::Diagnostic;

mod line;
mod mistakes;
mod notation;
mod of_extras;
mod of_pip;
mod parts;
mod pattern;
mod pip_extras;
mod unintended;

/// Longer than any real dependency, and short enough for a recursive parser.
const LONGEST: usize = 1000;
/// How many parentheses of the same kind it can have.
const MOST_PARENTHESES: usize = 8;

/// How MatchSpecs are read: with extras, flags and conditions (CEPs 43 to 45).
fn options(strictness: ParseStrictness) -> ParseMatchSpecOptions {
    ParseMatchSpecOptions::new(strictness).with_repodata_revision(RepodataRevision::V3)
}

/// A dependency.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The package's name, in lower case.
    pub(super) name: String,
    /// The spec.
    pub(super) spec: RequestedSpec,
    /// Whether it has a condition.
    pub(super) is_conditional: bool,
    /// What is doubtful about it.
    pub(super) warning: Option<Warning>,
}

/// Reads a dependency as conda does, which ignores extras in pip's form: `requests[security]`.
///
/// # Errors
/// As [`read`].
pub(super) fn read_as_conda(
    text: &str,
    channels: &mut Channels,
    place: Place<'_>,
) -> Result<Dependency, Diagnostic> {
    let Some((extras, without)) = pip_extras::split(text) else {
        return read(text, channels, place);
    };
    let dependency = read(&without, channels, place)?;
    Ok(Dependency {
        warning: Some(Warning {
            rule: Rule::Ignored,
            diagnostic: pip_extras::doubt(text.trim(), extras).at(place),
        }),
        ..dependency
    })
}

/// Reads a dependency, and adds its channel to `channels` if it names one.
///
/// # Errors
/// A diagnostic at `place` with what to write instead.
pub(super) fn read(
    text: &str,
    channels: &mut Channels,
    place: Place<'_>,
) -> Result<Dependency, Diagnostic> {
    let text = text.trim();
    if text.len() > LONGEST || text.matches('(').count() > MOST_PARENTHESES {
        let message = format!(
            "a dependency has more than {LONGEST} characters, or more than {MOST_PARENTHESES} parentheses"
        );
        return Err(place
            .error(message)
            .help("Write a package name and, if needed, a version: numpy >=1.26,<2."));
    }
    if let Some(mistake) = mistakes::before_parsing(text) {
        return Err(mistake.at(place));
    }
    let parts = Parts::of(text);
    if parts.channel.is_none() && parts.spec.contains("://") && !parts.spec.contains('[') {
        return pinned(parts.spec, channels, place);
    }
    let rest = &*usual_spelling(parts.spec);
    let refused = |error| mistakes::while_parsing(text, error).at(place);
    let in_brackets = bracket_value(rest, "channel");
    // The parser needs only to know that there is one.
    let without_variables = in_brackets
        .filter(|channel| channel.contains('$'))
        .map(|channel| rest.replacen(channel, "conda-forge", 1));
    let parsed = without_variables.as_deref().unwrap_or(rest);
    let mut spec =
        MatchSpec::from_str(parsed, options(ParseStrictness::Lenient)).map_err(refused)?;
    if let Some(url) = &spec.url {
        let written = bracket_value(rest, "url").unwrap_or(url.as_str());
        let dependency = pinned(written, channels, place)?;
        return match spec.name.as_exact() {
            Some(name) if name.as_normalized() != dependency.name => {
                Err(mistakes::another_package(text, &dependency.name).at(place))
            }
            _ => Ok(dependency),
        };
    }
    if let Some(file_name) = spec.file_name.take() {
        by_file_name(text, &mut spec, &file_name).map_err(|mistake| mistake.at(place))?;
    }
    if let Some(mistake) = unintended::mistake(text, parts, &spec) {
        return Err(mistake.at(place));
    }
    if let Some(channel) = parts.channel.or(in_brackets) {
        let SpecChannel { url, subdir } = channels.of_spec(channel, place)?;
        spec.channel =
            Some(Arc::new(recorded_channel(&url).map_err(|error| {
                mistakes::while_parsing(text, error).at(place)
            })?));
        spec.subdir = subdir.or(spec.subdir);
    }
    let platform = channels.platform();
    if let Some(subdir) = &spec.subdir
        && subdir != "noarch"
        && subdir != platform.subdir()
    {
        return Err(place
            .error(format!(
                "`{}` asks for a package for {}, but the image is built for {platform} ({})",
                redact::quoted(text),
                redact::quoted(subdir),
                platform.subdir()
            ))
            .help("Remove the platform; the right package is found automatically."));
    }
    let warning = unintended::doubt(text, parts, rest).map(|doubt| Warning {
        rule: Rule::Ignored,
        diagnostic: doubt.at(place),
    });
    Ok(Dependency {
        warning,
        ..finished(&spec, text, place)?
    })
}

/// Parses a spec that [`read`] has written.
pub(super) fn parsed(text: &str) -> Option<MatchSpec> {
    MatchSpec::from_str(text, options(ParseStrictness::Strict)).ok()
}

/// The package that a spec is for; empty if it is for several.
pub(super) fn name_of(spec: &MatchSpec) -> &str {
    let name = spec.name.as_exact();
    name.map_or("", PackageName::as_normalized)
}

/// Reads a MatchSpec for packages of any channel and platform.
///
/// # Errors
/// A diagnostic at `place` with what to write instead.
pub(super) fn exemption(text: &str, place: Place<'_>) -> Result<String, Diagnostic> {
    // Neither matters without a channel and a platform.
    let (names, platform) = (ChannelNames::default(), Platform::LinuxAmd64);
    let mut channels = Channels::new(names, platform, &BuildArgs::default());
    let names_channel = Parts::of(text).channel.is_some();
    let wrong = |help: &str| {
        let message = format!("`{}` names more than a package", redact::quoted(text));
        place.error(message).help(help.to_owned())
    };
    if names_channel || text.contains("://") {
        return Err(wrong(
            "Write a name and, if needed, a version: openssl ==3.5.4. Channels go under `channels`.",
        ));
    }
    let dependency = read(text, &mut channels, place)?;
    let (named, _) = channels.finish();
    let is_plain = |spec: MatchSpec| spec.extras.is_none() && spec.condition.is_none();
    let spec = MatchSpec::from_str(&dependency.spec.spec, options(ParseStrictness::Strict));
    if named.is_empty() && spec.is_ok_and(is_plain) {
        return Ok(dependency.spec.spec);
    }
    Err(wrong(
        "Write a name and, if needed, a version: openssl ==3.5.4. Channels go under `channels`.",
    ))
}

/// Reads the URL of a package, which asks for that package from that channel.
fn pinned(text: &str, channels: &mut Channels, place: Place<'_>) -> Result<Dependency, Diagnostic> {
    let bare = placeholder::without(text);
    let text = bare.as_deref().unwrap_or(text);
    let address = channels.filled(text, place)?;
    let package = explicit::entry(place.file, &address, place.lines)
        .map_err(|error| error.help(mistakes::instead_of_url(text)))?;
    let url = package.url.url();
    let folder = url.path().rsplitn(3, '/').nth(2).unwrap_or_default();
    let mut channel: Url = url.clone();
    channel.set_path(folder);
    channel.set_fragment(None);
    let channel = ChannelUrl::new(channel).with_placeholder(bare.is_some());
    let channel = channels.at_url(channel, place)?;
    let platform = channels.platform();
    if !package.is_noarch() && package.subdir != platform.subdir() {
        return Err(place
            .error(format!(
                "{} is a package for {}, but the image is built for {platform} ({})",
                package.id,
                package.subdir,
                platform.subdir()
            ))
            .help(format!(
                "Write {}={} instead; the right package is found automatically.",
                package.id.name, package.id.version
            )));
    }
    let text = pinned_spec(&package);
    let mut spec = MatchSpec::from_str(&text, options(ParseStrictness::Strict))
        .map_err(|error| mistakes::while_parsing(&text, error).at(place))?;
    spec.channel =
        Some(Arc::new(recorded_channel(&channel).map_err(|error| {
            mistakes::while_parsing(&text, error).at(place)
        })?));
    finished(&spec, &text, place)
}

/// Takes the name, version and build of a package from its file name, which rattler does not read.
fn by_file_name(text: &str, spec: &mut MatchSpec, file_name: &str) -> Result<(), Mistake> {
    let id = PackageId::from_file_name(file_name).map_err(|error| {
        mistakes::refused(text, &format!("`fn` is not a package, as {error}")).caused_by(error)
    })?;
    let is_same = |name: &PackageName| name.as_normalized() == id.name;
    if !spec.name.as_exact().is_some_and(is_same) {
        return Err(mistakes::another_package(text, &id.name));
    }
    let exact = format!(
        "{}[version=\"=={}\",build=\"{}\"]",
        id.name, id.version, id.build
    );
    let exact = MatchSpec::from_str(&exact, options(ParseStrictness::Strict))
        .map_err(|error| mistakes::while_parsing(text, error))?;
    spec.version = exact.version;
    spec.build = exact.build;
    Ok(())
}

fn pinned_spec(package: &Package) -> String {
    let id = &package.id;
    let mut text = format!(
        "{}[version=\"=={}\",build=\"{}\",subdir=\"{}\"",
        id.name, id.version, id.build, package.subdir
    );
    if let Some(sha256) = &package.hashes.sha256 {
        text.push_str(&format!(",sha256=\"{sha256}\""));
    }
    if let Some(md5) = &package.hashes.md5 {
        text.push_str(&format!(",md5=\"{md5}\""));
    }
    text.push(']');
    text
}

fn recorded_channel(url: &str) -> Result<RattlerChannel, ParseChannelError> {
    // The folder matters only for paths, and this is a URL.
    let config = ChannelConfig::default_with_root_dir("/".into());
    RattlerChannel::from_str(url, &config)
}

/// Writes the spec in a form that is read back as the same spec.
fn finished(spec: &MatchSpec, text: &str, place: Place<'_>) -> Result<Dependency, Diagnostic> {
    let PackageNameMatcher::Exact(name) = &spec.name else {
        return Err(mistakes::several_packages(text).at(place));
    };
    let reads_back = |text: &String| {
        MatchSpec::from_str(text, options(ParseStrictness::Strict)).as_ref() == Ok(spec)
    };
    let written = Some(spec.to_string())
        .filter(reads_back)
        .or_else(|| spec.to_canonical_string().ok().filter(reads_back))
        .ok_or_else(|| mistakes::refused(text, "its parts cannot be combined").at(place))?;
    Ok(Dependency {
        name: name.as_normalized().to_owned(),
        spec: RequestedSpec {
            spec: written,
            lines: place.lines,
            is_implied: false,
        },
        is_conditional: spec.condition.is_some(),
        warning: None,
    })
}

#[cfg(test)]
mod tests;
