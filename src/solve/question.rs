//! From a request to the question that the step is asked, and from its answer to packages.

use url::Url;

use super::spec::{SolveChannel, SolveSpec, SolvedPackage, System};
use crate::channel::Channel;
use crate::input::Request;
use crate::package::{Hashes, Package, PackageId, PackageUrl};
use crate::platform::Platform;
use crate::source::{Diagnostic, SourceFile};
use std::sync::Arc;

/// Whether the file is for this platform.
///
/// # Errors
/// That it is not, at the lines that say so.
pub fn check_platform(
    request: &Request,
    platform: Platform,
    file: &Arc<SourceFile>,
) -> Result<(), Diagnostic> {
    let wanted = platform.subdir();
    let declared = &request.platforms;
    if declared.is_empty() || declared.iter().any(|declared| declared.subdir == wanted) {
        return Ok(());
    }
    let names: Vec<&str> = declared
        .iter()
        .map(|declared| declared.subdir.as_str())
        .collect();
    let mut diagnostic = Diagnostic::new(format!(
        "{} is for {}, not for {wanted}",
        file.name(),
        names.join(", ")
    ));
    for declared in declared {
        diagnostic = diagnostic.at(file, declared.lines);
    }
    Err(diagnostic.help(format!(
        "Add {wanted} to `platforms`, or build for another platform with --platform."
    )))
}

/// What the step is asked.
pub fn question(request: &Request, platform: Platform, system: System) -> SolveSpec {
    let channel = |channel: &Channel| SolveChannel {
        name: channel.name.clone(),
        url: channel.url.recorded(),
    };
    SolveSpec {
        subdir: platform.subdir().to_owned(),
        channels: request.channels.iter().map(channel).collect(),
        priority: request.priority,
        specs: request.specs.iter().map(|spec| spec.spec.clone()).collect(),
        system,
    }
}

/// The packages of an answer, each at the lines that ask for it, and with its channel's credentials to be fetched with.
///
/// # Errors
/// A package that makes no sense: the channel's index is damaged.
pub fn packages(
    request: &Request,
    answer: Vec<SolvedPackage>,
    file: &Arc<SourceFile>,
) -> Result<Vec<Package>, Diagnostic> {
    let package = |solved: SolvedPackage| {
        let channel = request.channels.get(solved.channel);
        let lines = request
            .specs
            .get(solved.requested_by)
            .map(|spec| spec.lines);
        let wrong = |why: String| {
            let diagnostic = Diagnostic::new(format!(
                "{} {} of the channel cannot be used: {why}",
                solved.name, solved.version
            ))
            .help("The channel's index is damaged: tell those who run it.");
            match channel {
                Some(channel) => diagnostic.at(file, channel.lines),
                None => diagnostic,
            }
        };
        let url = Url::parse(&solved.url).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(format!("its address is {}", PackageUrl::new(url))));
        }
        let file_name = url.path_segments().and_then(Iterator::last);
        let id = PackageId::from_file_name(file_name.unwrap_or_default())
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Package {
            id,
            url: channel.map_or_else(
                || PackageUrl::new(url.clone()),
                |channel| with_credentials(&url, channel),
            ),
            subdir: solved.subdir.clone(),
            hashes: Hashes {
                sha256: solved.sha256.clone(),
                md5: solved.md5.clone(),
            },
            size: solved.size,
            lines: lines.unwrap_or(crate::source::Lines::one(1)),
        })
    };
    answer.into_iter().map(package).collect()
}

/// The address to fetch from: below the channel, with the channel's credentials. Archives that the channel keeps
/// elsewhere get none.
fn with_credentials(url: &Url, channel: &Channel) -> PackageUrl {
    match url.as_str().strip_prefix(&channel.url.recorded()) {
        Some(rest) if rest.starts_with('/') => channel.url.join(rest.trim_start_matches('/')),
        _ => PackageUrl::new(url.clone()),
    }
}
