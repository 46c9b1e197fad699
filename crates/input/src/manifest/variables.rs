//! What the activation of a manifest's environment sets.

use std::collections::BTreeMap;

use super::workspace::{Environment, Workspace};
use crate::env::reader::Reader;
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
            let expanded = entries
                .iter()
                .filter(|(_, node)| node.text().is_some_and(names_variable));
            warnings.extend(expanded.map(|(key, _)| {
                Warning {
                    rule: Rule::UnexpandedVariable,
                    diagnostic: workspace
                        .at(key.lines)
                        .error("an image has the `$` as it is written: no shell replaces it")
                        .help("Write the value that the variable stands for."),
                }
            }));
            all.extend(reader.variables(table, warnings)?);
        }
        for scripts in workspace.tables(*feature, &["activation", "scripts"]) {
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

/// Whether a shell would replace something: `$NAME`, `${NAME}`.
fn names_variable(value: &str) -> bool {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('$') {
        if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '{') {
            return true;
        }
        rest = after;
    }
    false
}
