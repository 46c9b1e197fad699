//! Files of no kind that condafront knows: what they seem to be, and what to build from instead.

use std::sync::Arc;

use crate::yaml::{Node, Value};
use condafront_model::nearest::nearest;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Whether a file says nothing: it has blank lines and comments only.
pub fn is_empty(file: &SourceFile) -> bool {
    first_line(&String::from_utf8_lossy(file.data())).is_none()
}

/// The first line that says something, and its number from 1.
pub(super) fn first_line(text: &str) -> Option<(usize, &str)> {
    let is_blank = |line: &str| line.is_empty() || line.starts_with('#');
    let mut lines = (1..).zip(text.trim_start_matches('\u{feff}').lines().map(str::trim));
    lines.find(|(_, line)| !is_blank(line))
}

/// What to say of a file that is no YAML: `error`, unless it is easy to see what the file is.
pub(super) fn not_yaml(file: &Arc<SourceFile>, text: &str, error: Diagnostic) -> Diagnostic {
    look(file, text).unwrap_or(error)
}

/// What to say of YAML that is nothing that condafront knows.
pub(super) fn kind(file: &Arc<SourceFile>, text: &str, tree: &Node) -> Diagnostic {
    let name = file.name();
    let keys = tree.mapping().unwrap_or_default();
    let find = |is_meant: fn(&str) -> bool| keys.iter().find(|(key, _)| is_meant(&key.name));
    if let Some((key, _)) = find(|key| nearest(key, ["dependencies"]).is_some()) {
        let key_name = redact::quoted(&key.name);
        return Diagnostic::new(format!("{name} has `{key_name}:`, but no `dependencies:`"))
            .at(file, key.lines)
            .help("Write `dependencies:`.");
    }
    if let Some((key, _)) = find(|key| ["name", "channels", "condafront"].contains(&key)) {
        return Diagnostic::new(format!(
            "{name} is an environment file without dependencies"
        ))
        .at(file, key.lines)
        .help("Add a list `dependencies:` with the packages that are to be in the image.");
    }
    if let Some((key, _)) = find(|key| key == "environments") {
        return Diagnostic::new(format!("{name} is an image file, not an environment"))
            .at(file, key.lines)
            .help("An image file names environment files and locks. Build it by itself with -f.");
    }
    if let Value::List(_) = tree.value {
        return Diagnostic::new(format!("{name} is a list, not an environment file"))
            .at(file, tree.lines)
            .help("Write `dependencies:` above the list if it names packages.");
    }
    if let Some(diagnostic) = look(file, text) {
        return diagnostic;
    }
    let lines = match tree.value {
        Value::Mapping(_) => Lines::one(first_line(text).map_or(1, |(number, _)| number)),
        _ => tree.lines,
    };
    Diagnostic::new(format!("{name} is no file that condafront knows"))
        .at(file, lines)
        .help("It can be an environment file (with `dependencies:`), an explicit lock (with a line @EXPLICIT), a conda-lock.yml or a pixi.lock.")
}

/// What a file is, as its first line tells.
fn look(file: &Arc<SourceFile>, text: &str) -> Option<Diagnostic> {
    let (number, line) = first_line(text)?;
    let name = file.name();
    let (message, help) = if line.starts_with('<') {
        (
            format!("{name} is a web page"),
            "Download the file again; where that needs a login, a page is all one gets.",
        )
    } else if line.starts_with('[') && line.ends_with(']') && !line.contains(',') {
        (
            format!("{name} is a TOML file, such as pixi.toml or pyproject.toml"),
            "Build from the lock beside it: `-f pixi.lock`.",
        )
    } else if line.starts_with("{%") || line.starts_with("{{") {
        (
            format!("{name} is a template that is not filled in"),
            "Write the file that comes of it, and build from that.",
        )
    } else if is_dockerfile(line) {
        (
            format!("{name} is a Dockerfile"),
            "Name the environment file with -f, or build this file without condafront's syntax.",
        )
    } else if is_package_list(text) {
        (
            format!("{name} is a bare list of packages, as pip and `conda list --export` write it"),
            "Write `dependencies:` on a line above it and a dash and a blank before each entry: `- numpy=1.26`. What is for pip belongs below `- pip:`.",
        )
    } else {
        return None;
    };
    Some(
        Diagnostic::new(message)
            .at(file, Lines::one(number))
            .help(help),
    )
}

fn is_dockerfile(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let instruction = words.next().unwrap_or_default();
    ["FROM", "ARG"].contains(&instruction.to_ascii_uppercase().as_str())
        && words
            .next()
            .is_some_and(|word| !word.starts_with([':', '=']))
}

/// Whether each line is `numpy`, `numpy=1.26=0`, `numpy>=1.26` or an option of pip's, and one has a version.
fn is_package_list(text: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let mut versions = 0;
    let is_list = lines.all(|line| {
        let rest = line.trim_start_matches(is_name);
        versions += usize::from(rest.trim_start().starts_with(['=', '<', '>', '~', '!']));
        let is_short =
            rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', '[', ';', ' ']);
        rest.len() < line.len() && is_short && !rest.contains(": ")
    });
    is_list && versions > 0
}
