//! What the activation of a manifest's environment sets.

use std::collections::BTreeMap;

use super::workspace::{Environment, Workspace};
use crate::env::reader::Reader;
use crate::yaml::Node;
use condafront_model::lint::{Rule, Warning};
use condafront_model::source::Diagnostic;

/// The variables of `[activation.env]`. Warnings say what an image does not have.
///
/// # Errors
/// An invalid variable.
pub(super) fn read(
    workspace: &Workspace<'_>,
    environment: &Environment<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<BTreeMap<String, String>, Diagnostic> {
    let reader = Reader {
        file: workspace.file,
        lines: Vec::new(),
    };
    let mut all = BTreeMap::new();
    // The most important feature comes first in an environment's list.
    for feature in environment.features.iter().rev() {
        for table in workspace.tables(*feature, &["activation", "env"]) {
            let entries = workspace.entries(table, "activation.env")?;
            let found = reader.variables(table, warnings)?;
            // About those that are left out there is another warning.
            let expanded = entries.iter().filter(|(key, _)| {
                found
                    .get(&key.name)
                    .is_some_and(|value| names_variable(value))
            });
            warnings.extend(expanded.map(|(key, _)| {
                Warning {
                    rule: Rule::UnexpandedVariable,
                    diagnostic: workspace
                        .at(key.lines)
                        .error("the image gets the `$` as it is written: no shell replaces it")
                        .help("Write the value that the variable stands for. For a dollar itself, write \\$ in a string with single quotes."),
                }
            }));
            let found = found.into_iter();
            all.extend(found.map(|(name, value)| (name, value.replace("\\$", "$"))));
        }
        let scripts = workspace.tables(*feature, &["activation", "scripts"]);
        let is_empty = |scripts: &Node| scripts.list().is_some_and(<[Node]>::is_empty);
        for scripts in scripts.into_iter().filter(|scripts| !is_empty(scripts)) {
            warnings.push(Warning {
                rule: Rule::Ignored,
                diagnostic: workspace
                    .at(scripts.lines)
                    .error("activation scripts of the project do not run in an image")
                    .help("Set variables in `[activation.env]`, or run the scripts in the image's command."),
            });
        }
    }
    Ok(all)
}

/// Whether a shell would replace something: `$NAME`, `${NAME}`, but not `\$NAME`.
fn names_variable(value: &str) -> bool {
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        let is_name = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '{';
        if !before.ends_with('\\') && after.starts_with(is_name) {
            return true;
        }
        rest = after;
    }
    false
}
