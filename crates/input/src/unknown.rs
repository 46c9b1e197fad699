//! Files of an unknown kind: what they seem to be, and what to build from instead.

mod foreign;
mod list;
mod text;

use std::sync::Arc;

use crate::leftover;
use crate::yaml::{Node, Value};
use condafront_model::nearest::nearest;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

pub(crate) use self::list::{first_line, is_package_list};

/// The keys that an environment file has apart from its dependencies.
const OF_ENVIRONMENTS: &[&str] = &[
    "name",
    "channels",
    "prefix",
    "variables",
    "platforms",
    "condafront",
];

/// The message for a file that is not YAML: `error`, unless it is easy to see what the file is.
pub(super) fn not_yaml(file: &Arc<SourceFile>, text: &str, error: Diagnostic) -> Diagnostic {
    text::look(file, text).unwrap_or_else(|| leftover::explained_near(file, error))
}

/// The message for files of other tools that have `dependencies` as well.
pub(super) fn of_another_tool(file: &Arc<SourceFile>, tree: &Node) -> Option<Diagnostic> {
    foreign::with_dependencies(file, tree)
}

/// The message for YAML of an unknown kind.
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
    if let Some(diagnostic) = foreign::without_dependencies(file, tree) {
        return diagnostic;
    }
    let is_of_environment =
        |key: &str| OF_ENVIRONMENTS.contains(&key) || key.starts_with("x-") || key == "syntax";
    let has_others = keys.iter().any(|(key, _)| !is_of_environment(&key.name));
    let first = if has_others {
        find(|key| ["channels", "condafront"].contains(&key))
    } else {
        find(|key| ["name", "channels", "condafront"].contains(&key))
    };
    if let Some((key, _)) = first {
        return Diagnostic::new(format!(
            "{name} is an environment file without dependencies"
        ))
        .at(file, key.lines)
        .help("Add a `dependencies:` list with the packages to install.");
    }
    if let Some((key, _)) = find(|key| key == "environments") {
        return Diagnostic::new(format!("{name} is an image file, not an environment"))
            .at(file, key.lines)
            .help("Build it directly with -f: an image file names environment files and locks.");
    }
    if let Value::List(_) = tree.value {
        return Diagnostic::new(format!("{name} is a list, not an environment file"))
            .at(file, Lines::one(tree.lines.first as usize))
            .help("Write `dependencies:` above the list if it names packages.");
    }
    if let Some(diagnostic) = text::look(file, text) {
        return diagnostic;
    }
    let number = first_line(text).map_or(1, |(number, _)| number);
    Diagnostic::new(format!("{name} is not a file that condafront recognises"))
        .at(file, Lines::one(number))
        .help("Use an environment file (with `dependencies:`), an explicit lock (with a line @EXPLICIT), a conda-lock.yml or a pixi.lock.")
}
