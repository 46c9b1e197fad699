//! Explains why `rattler_lock` cannot read a lock, at the line of the problem.

use std::sync::Arc;

use rattler_lock::{LockFile, ParseCondaLockError};

use super::maker::Maker;
use crate::requirements::{DEEPEST, has_names, is_shallow};
use crate::yaml::Node;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Checks what PyPI packages need, as far as the library would panic.
///
/// # Errors
/// A diagnostic at the first requirement that cannot be read.
pub(super) fn check_requirements(file: &Arc<SourceFile>, tree: &Node) -> Result<(), Diagnostic> {
    let packages = tree.get("packages").and_then(Node::list);
    let needs = packages
        .unwrap_or_default()
        .iter()
        .filter_map(|package| package.get("requires_dist")?.list());
    let mut texts = needs
        .flatten()
        .filter_map(|one| Some((one.text()?, one.lines)));
    let found = texts.find_map(|(text, lines)| {
        let reason = if !has_names(text) {
            "a name must end in a letter or digit".to_owned()
        } else if !is_shallow(text) {
            format!("it has more than {DEEPEST} nested parentheses")
        } else {
            return None;
        };
        Some((text, lines, reason))
    });
    let Some((text, lines, reason)) = found else {
        return Ok(());
    };
    let message = format!(
        "a package in the lock needs `{}`, which is not a valid requirement: {reason}",
        redact::quoted(&short(text))
    );
    Err(Diagnostic::new(message)
        .help(Maker::of(tree).again())
        .at(file, lines))
}

/// A diagnostic for `error`, which has no line itself.
pub(super) fn explain(
    file: &Arc<SourceFile>,
    text: &str,
    tree: &Node,
    error: ParseCondaLockError,
) -> Diagnostic {
    let (message, lines) = match &error {
        ParseCondaLockError::MissingPackage { location, .. } => (
            format!(
                "an environment needs `{}`, which is missing from the list of packages",
                redact::quoted(location)
            ),
            tree.get("environments")
                .and_then(|environments| place_of(environments, location)),
        ),
        ParseCondaLockError::UnknownPlatform {
            environment,
            platform,
        } => (
            format!(
                "the environment {} has packages for {}, which is not among the lock's platforms",
                redact::quoted(environment),
                redact::quoted(platform)
            ),
            tree.get("environments")
                .and_then(|environments| place_of(environments, platform)),
        ),
        ParseCondaLockError::DuplicatePlatformName(name) => (
            format!("the platform {} is listed twice", redact::quoted(name)),
            tree.get("platforms").map(|node| node.lines),
        ),
        other => {
            let message = message(other);
            let package = package_with(text, tree, &message);
            let what = match package {
                Some(_) => "a package in the lock",
                None => "the lock",
            };
            (
                format!("{what} cannot be read: {}", short(&message)),
                package,
            )
        }
    };
    let diagnostic = Diagnostic::new(message)
        .help_to_write_again(Maker::of(tree).again())
        .caused_by(error);
    let fallback = || tree.get("version").map(|node| node.lines);
    match lines.or_else(fallback) {
        Some(lines) => diagnostic.at(file, lines),
        None => diagnostic,
    }
}

/// The error and its cause.
fn message(error: &ParseCondaLockError) -> String {
    match error {
        ParseCondaLockError::Pep508Error(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// The first line of a message that may quote the file.
fn short(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let masked = condafront_model::redact::masked(first);
    let mut short: String = masked
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    if masked.chars().count() > 200 {
        short.push('…');
    }
    short
}

/// The lines of the first key or value that is `text`.
fn place_of(node: &Node, text: &str) -> Option<Lines> {
    if node.text() == Some(text) {
        return Some(node.lines);
    }
    if let Some(entries) = node.mapping() {
        return entries.iter().find_map(|(key, value)| {
            if key.name == text {
                return Some(key.lines);
            }
            place_of(value, text)
        });
    }
    node.list()?.iter().find_map(|item| place_of(item, text))
}

/// The lines of the first package that fails with the same message in a lock of its own.
fn package_with(text: &str, tree: &Node, message_of_all: &str) -> Option<Lines> {
    let version = match Maker::of(tree) {
        Maker::Pixi => tree.get("version").and_then(Node::text)?,
        Maker::CondaWorkspaces => "6",
    };
    let source: Vec<&str> = text.lines().collect();
    let mut end = 0;
    for item in tree.get("packages")?.list()? {
        let Lines { first, last } = item.lines;
        if first <= end {
            // Several on one line cannot be separated.
            return None;
        }
        end = last;
        let range = usize::try_from(first).ok()?.checked_sub(1)?..usize::try_from(last).ok()?;
        let alone = format!(
            "version: {version}\nplatforms: []\nenvironments: {{}}\npackages:\n{}\n",
            source.get(range)?.join("\n")
        );
        if let Err(error) = LockFile::from_str_with_base_directory(&alone, None)
            && message(&error) == message_of_all
        {
            return Some(item.lines);
        }
    }
    None
}
