//! `apt`, `apk`, `dnf` and `pip`.

use std::sync::Arc;

use super::reader::{Name, Reader};
use crate::context_path::{OUTSIDE, is_above, normalized};
use crate::leftover;
use crate::logical_lines::lines_of_entry;
use crate::pip_requirement::PipRequirement;
use crate::section::args::BuildArgs;
use crate::section::image_section::{Located, PackageEntry, SystemPackages};
use crate::yaml::{Key, Node};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::system::Manager;

/// Reads a list of packages.
pub(super) fn read(
    reader: &Reader<'_>,
    manager: Manager,
    key: &Key,
    node: &Node,
) -> Result<SystemPackages, Diagnostic> {
    let name = Name::from(manager.name());
    let items = reader.list(name, node)?;
    let entries = items.iter().map(|item| {
        let found = reader.word(name.entry(), item)?;
        entry(reader, manager, found, true)
    });
    Ok(SystemPackages {
        manager,
        entries: entries.collect::<Result<_, _>>()?,
        lines: Lines {
            first: key.lines.first,
            last: node.lines.last.max(key.lines.last),
        },
    })
}

/// Reads a package list, a file that `-r` in the section names: one package per line, comments after `#`.
///
/// # Errors
/// A diagnostic at the first line that is not a package.
pub fn read_package_list(
    file: &Arc<SourceFile>,
    manager: Manager,
) -> Result<Vec<Located<PackageEntry>>, Diagnostic> {
    let args = BuildArgs::default();
    let reader = Reader { file, args: &args };
    let mut entries = Vec::new();
    let text = file.text()?;
    if let Some(error) = leftover::of_git(file, text) {
        return Err(error);
    }
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let found = Located {
                value: line.to_owned(),
                lines: Lines::one(index + 1),
            };
            entries.push(entry(&reader, manager, found, false)?);
        }
    }
    Ok(entries)
}

fn entry(
    reader: &Reader<'_>,
    manager: Manager,
    found: Located<String>,
    files_too: bool,
) -> Result<Located<PackageEntry>, Diagnostic> {
    let text = found.value.as_str();
    let refused =
        |message: String, help: &str| Err(reader.error(found.lines, message).help(help.to_owned()));
    let shown = quoted(text);
    let name = manager.name();
    if let Some(path) = text.strip_prefix("-r ").filter(|_| files_too) {
        let path = Located {
            value: path.trim().to_owned(),
            lines: found.lines,
        };
        let path = named_file(reader, &path)?;
        return Ok(found.map(|_| PackageEntry::File(path)));
    }
    if text.starts_with('-') {
        let help = format!("List packages only: condafront chooses {name}'s options.");
        return refused(format!("`{shown}` is an option, not a package"), &help);
    }
    let is_plain = |word: &str| word.split('=').all(|part| is_package(manager, part));
    if text.contains(char::is_whitespace) && text.split_whitespace().all(is_plain) {
        let help = format!("Write each as a separate entry: {}", example(manager));
        return refused(format!("`{shown}` is more than one package"), &help);
    }
    let (package, version) = match text.split_once('=') {
        Some((package, version)) => (package, Some(version)),
        None => (text, None),
    };
    let allowed = format!(
        "Write a name, optionally with =version: {}",
        example(manager)
    );
    if !is_package(manager, package) {
        return refused(
            format!("`{shown}` is not a valid package for {name}"),
            &allowed,
        );
    }
    let is_version = |version: &str| {
        // Alpine's `=~1.2` accepts versions that begin with it.
        let plain = match manager {
            Manager::Apk => version.strip_prefix('~').unwrap_or(version),
            Manager::Apt | Manager::Dnf => version,
        };
        // `7.88.*` is a pattern for apt.
        let more: &[u8] = match manager {
            Manager::Apt => b".+:~_^-*",
            Manager::Apk | Manager::Dnf => b".+:~_^-",
        };
        let first = plain.bytes().next();
        first.is_some_and(|byte| byte.is_ascii_alphanumeric())
            && plain
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    if let Some(version) = version.filter(|version| !is_version(version)) {
        return refused(
            match version {
                "" => format!("`{shown}` has no version"),
                _ => format!("`{}` is not a valid version for {name}", quoted(version)),
            },
            &allowed,
        );
    }
    let argument = match (manager, version) {
        (Manager::Dnf, Some(version)) => format!("{package}-{version}"),
        _ => text.to_owned(),
    };
    Ok(found.map(|_| PackageEntry::Package(argument)))
}

fn example(manager: Manager) -> &'static str {
    match manager {
        Manager::Apt => "apt: [libgl1, curl=7.88.1-10]",
        Manager::Apk => "apk: [tini, curl=8.9.0-r0]",
        Manager::Dnf => "dnf: [mesa-libGL, curl=8.6.0]",
    }
}

/// Whether a string can be a package's name: nothing in it is special to a shell.
fn is_package(manager: Manager, text: &str) -> bool {
    // `libc6:i386`, `@development-tools`.
    let (text, more) = match manager {
        Manager::Apt => (text, "+.-:"),
        Manager::Apk => (text, "+._-@"),
        Manager::Dnf => (text.strip_prefix('@').unwrap_or(text), "+._-:"),
    };
    let first = text.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// A path in the build context, without a leading `./`.
pub(super) fn context_path(
    reader: &Reader<'_>,
    path: &Located<String>,
) -> Result<String, Diagnostic> {
    let found = relative_path(reader, path)?;
    if is_above(&found) {
        let message = format!("`{}` is outside the build context", quoted(&path.value));
        return Err(reader.error(path.lines, message).help(OUTSIDE));
    }
    Ok(found)
}

/// A path without a leading `./`.
fn relative_path(reader: &Reader<'_>, path: &Located<String>) -> Result<String, Diagnostic> {
    let shown = quoted(&path.value);
    let refused = |message: String, help: &str| {
        let error = reader.error(path.lines, message);
        Err(error.help(help.to_owned()))
    };
    if path.value.contains("://") {
        let help = "Put the file in the build context.";
        return refused(format!("`{shown}` is a URL, not a path"), help);
    }
    if path.value.is_empty() {
        return refused("a path is empty".to_owned(), OUTSIDE);
    }
    Ok(normalized("", &path.value))
}

/// The path of a file, without a leading `./`. It may lead out of the folder of the file that names it.
pub(super) fn named_file(
    reader: &Reader<'_>,
    path: &Located<String>,
) -> Result<String, Diagnostic> {
    let shown = quoted(&path.value);
    if path.value.starts_with('/') {
        let error = reader.error(path.lines, format!("`{shown}` is an absolute path"));
        return Err(error.help("Write the path relative to this file or to the build context."));
    }
    let found = relative_path(reader, path)?;
    if found.is_empty() || found.rsplit('/').next() == Some("..") || path.value.ends_with('/') {
        let message = format!("`{shown}` is a folder, not a file");
        return Err(reader.error(path.lines, message));
    }
    Ok(found)
}

/// Reads `pip`.
pub(super) fn pip(reader: &Reader<'_>, node: &Node) -> Result<Vec<PipRequirement>, Diagnostic> {
    let name = Name::from("pip");
    let items = reader.list(name, node)?;
    let mut requirements = Vec::new();
    for item in items {
        let raw = reader.raw(name.entry(), item)?;
        for (text, lines) in lines_of_entry(raw.value, raw.lines) {
            let value = text.as_str();
            let found = reader.word_of(name.entry(), Located { value, lines })?;
            requirements.push(PipRequirement {
                text: found.value,
                file: Arc::clone(reader.file),
                lines: found.lines,
            });
        }
    }
    Ok(requirements)
}
