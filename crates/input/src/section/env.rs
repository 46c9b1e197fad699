//! `env` and `labels`: strings by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expand::ExpandError;
use super::reader::{Name, Reader};
use crate::place::Place;
use crate::reserved;
use crate::section::image_section::{EnvVar, Located};
use crate::yaml::{Key, Node};
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::execve::{self, ValueError};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

impl EnvVar {
    /// The value in an image whose variables `image` looks up; `file` is the file it was read from.
    ///
    /// # Errors
    /// A diagnostic at the variable's lines if it names one that the image does not have, becomes too long, or is a `PATH`
    /// without the environment's programs.
    pub fn resolve<'v>(
        &self,
        file: &Arc<SourceFile>,
        image: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Result<String, Diagnostic> {
        let value = self.value.expand(image).map_err(|error| {
            let message = match &error {
                ExpandError::Unset(name) => {
                    format!("build-arg {name} is not set, and the image has no variable {name}")
                }
                ExpandError::Required(name, message) => format!("{name} is required: {message}"),
                other => other.to_string(),
            };
            let diagnostic = Diagnostic::new(message).at(file, self.lines);
            let diagnostic = match &error {
                ExpandError::Unset(name) => diagnostic.help(format!(
                    "Set it with --build-arg {name}=…, or write ${{{name}:-}} if it can be unset."
                )),
                _ => diagnostic,
            };
            diagnostic.caused_by(error)
        })?;
        if let Err(why) = execve::check_value(&self.name, &value) {
            return Err(impossible(&self.name, why).at(file, self.lines));
        }
        let own = image("CONDA_PREFIX").filter(|_| self.name == "PATH");
        let is_own = |dir: &str, prefix: &str| dir.trim_end_matches('/') == format!("{prefix}/bin");
        match own {
            Some(prefix) if !value.split(':').any(|dir| is_own(dir, prefix)) => {
                let lines = self.lines;
                let place = Place { file, lines };
                Err(reserved::path_without_environment(&value, place))
            }
            _ => Ok(value),
        }
    }
}

/// The error for a variable with a value that no program can have.
fn impossible(name: &str, why: ValueError) -> Diagnostic {
    Diagnostic::new(format!("the variable `{}` {why}", quoted(name)))
        .help(why.help())
        .caused_by(why)
}

/// Reads `env`.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Vec<EnvVar>, Diagnostic> {
    let key = Name::from("env");
    let entries = entries(reader, key, node)?;
    let variables = entries.iter().map(|(name, value)| {
        checked_name(reader, &name.name, name.lines)?;
        let place = |lines| Place {
            file: reader.file,
            lines,
        };
        if let Some(error) = reserved::refused(&name.name, place(name.lines)) {
            return Err(error);
        }
        let text = value_of(reader, key, name, value)?;
        // What it refers to is known later. A text that is too long already is refused before anything is built.
        if let Err(why) = execve::check_value(&name.name, text.value) {
            return Err(impossible(&name.name, why).at(reader.file, both(name, value)));
        }
        let found = EnvVar {
            name: name.name.clone(),
            value: reader.bound(text)?,
            lines: both(name, value),
        };
        match found.value.text().filter(|_| found.name == "PATH") {
            Some(path) if !path.split(':').any(is_of_environment) => {
                Err(reserved::path_without_environment(path, place(found.lines)))
            }
            _ => Ok(found),
        }
    });
    variables.collect()
}

/// Reads `labels`.
pub(super) fn labels(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<BTreeMap<String, Located<String>>, Diagnostic> {
    let key = Name::from("labels");
    let mut labels = BTreeMap::new();
    for (name, value) in entries(reader, key, node)? {
        let label = reader.expanded(Located {
            value: name.name.as_str(),
            lines: name.lines,
        })?;
        if label.value.trim().is_empty() {
            return Err(reader.error(name.lines, "a label has no name"));
        }
        if label.value.contains('\0') {
            let message = "the name of a label has a NUL byte, which an image cannot hold";
            return Err(reader.error(name.lines, message));
        }
        let text = value_of(reader, key, name, value)?;
        let text = Located {
            value: reader.expanded(text)?.value,
            lines: both(name, value),
        };
        if labels.insert(label.value, text).is_some() {
            return Err(reader.error(name.lines, "two labels have the same name"));
        }
    }
    Ok(labels)
}

fn entries<'n>(
    reader: &Reader<'_>,
    key: Name<'_>,
    node: &'n Node,
) -> Result<&'n [(Key, Node)], Diagnostic> {
    node.mapping()
        .ok_or_else(|| reader.wrong_kind(key, node, "a mapping of names to strings"))
}

fn value_of<'n>(
    reader: &Reader<'_>,
    key: Name<'_>,
    name: &Key,
    value: &'n Node,
) -> Result<Located<&'n str>, Diagnostic> {
    let shown = quoted(&name.name);
    if value.is_null() {
        let error = reader.error(
            both(name, value),
            format!("`{shown}` in {key} has no value"),
        );
        return Err(error.help("Write \"\" for an empty string."));
    }
    if value.text().is_none() {
        let message = format!("`{shown}` in {key} must be a string, not {}", value.what());
        return Err(reader.error(both(name, value), message));
    }
    reader.raw(key, value)
}

/// Whether a directory of `PATH` can be that of an environment's programs.
fn is_of_environment(dir: &str) -> bool {
    let below = dir.strip_prefix(ROOT_PREFIX);
    below.is_some_and(|rest| rest.starts_with('/') && rest.trim_end_matches('/').ends_with("/bin"))
}

fn both(name: &Key, value: &Node) -> Lines {
    Lines {
        first: name.lines.first,
        last: name.lines.last.max(value.lines.last),
    }
}

/// Refuses names that no variable can have. As in a Dockerfile, names that the kernel accepts and shells do not are
/// allowed.
pub(super) fn checked_name(
    reader: &Reader<'_>,
    name: &str,
    lines: Lines,
) -> Result<(), Diagnostic> {
    if !execve::is_variable_name(name) || name.contains('$') {
        let message = match name {
            "" => "an environment variable has no name".to_owned(),
            _ => format!(
                "`{}` is not a valid environment variable name",
                quoted(name)
            ),
        };
        let error = reader.error(lines, message);
        return Err(
            error.help("Use letters, digits and _. Build-args are not substituted in names.")
        );
    }
    Ok(())
}
