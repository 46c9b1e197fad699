//! What the activation of a manifest's environment sets.

use std::collections::BTreeMap;

use super::kind::Tool;
use super::workspace::{Environment, Workspace};
use crate::activation_variables::{ActivationVariables, impossible, warnings_of_pixi};
use crate::env::reader::Reader;
use crate::place::Place;
use crate::section::expand::{ExpandError, Template};
use crate::section::image_section::EnvVar;
use crate::yaml::{Key, Node};
use crate::{reserved, secret_variable};
use condafront_model::environment_prefix::{EnvironmentPrefix, ROOT_PREFIX};
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

/// The variables of an environment.
pub(super) struct ManifestVariables<'a> {
    pub(super) workspace: &'a Workspace<'a>,
    pub(super) environment: &'a Environment<'a>,
    /// Its name in the manifest.
    pub(super) name: &'a str,
    /// Where it is in the image, if not in the root prefix.
    pub(super) prefix: Option<&'a EnvironmentPrefix>,
}

/// A variable of the manifest.
#[derive(Clone, Copy)]
struct Entry<'a> {
    key: &'a Key,
    text: &'a str,
}

impl<'a> ManifestVariables<'a> {
    /// The variables of `[activation.env]`: those whose values are the same in every image, and all of them in the order in
    /// which pixi sets them. Warnings say what an image does not have.
    ///
    /// # Errors
    /// An invalid variable.
    pub(super) fn read(
        &self,
        warnings: &mut Vec<Warning>,
    ) -> Result<(BTreeMap<String, String>, ActivationVariables), Diagnostic> {
        self.warn_of_scripts(warnings);
        let mut values = BTreeMap::new();
        let mut late = ActivationVariables::default();
        for entry in self.entries()? {
            let Entry { key, text } = entry;
            let place = self.workspace.at(key.lines);
            let mut found = Vec::new();
            let value = match self.workspace.kind.tool {
                Tool::Conda => literal(entry, place, &mut found),
                Tool::Pixi => self.expanded(entry, &values, &mut found)?,
            };
            // What is added to a PATH keeps what the environment has there.
            let is_addition = key.name == "PATH" && value.text().is_none();
            if let Some(warning) = reserved::left_out(&key.name, text, place)
                && !is_addition
            {
                warnings.push(warning);
                continue;
            }
            warnings.append(&mut found);
            warnings.extend(secret_variable::warning(&key.name, Some(text), place));
            if let Some(value) = value.text() {
                values.insert(key.name.clone(), value.to_owned());
            }
            if self.workspace.kind.tool == Tool::Pixi {
                late.push(EnvVar {
                    name: key.name.clone(),
                    value,
                    lines: key.lines,
                });
            }
        }
        Ok((values, late))
    }

    /// The variables in the order in which pixi sets them: those of the features in the order of the environment's list, the
    /// default feature's last, and in each feature those for the platform first.
    fn entries(&self) -> Result<Vec<Entry<'a>>, Diagnostic> {
        let reader = Reader {
            file: self.workspace.file,
            lines: Vec::new(),
        };
        let mut all: Vec<Entry<'_>> = Vec::new();
        for feature in &self.environment.features {
            let tables = self.workspace.tables(*feature, &["activation", "env"]);
            for table in tables.into_iter().rev() {
                for (key, value) in self.workspace.entries(table, "activation.env")? {
                    let text = reader.variable(key, value)?;
                    if !all.iter().any(|known| known.key.name == key.name) {
                        all.push(Entry { key, text });
                    }
                }
            }
        }
        Ok(all)
    }

    /// A value as the shell expands it that activates pixi's environments, as far as it is the same in every image: with the
    /// variables before it, and with those that every image has.
    fn expanded(
        &self,
        entry: Entry<'_>,
        before: &BTreeMap<String, String>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Template, Diagnostic> {
        let Entry { key, text } = entry;
        // Other values get single quotes.
        if !text.contains('$') {
            return Ok(Template::of_text(text));
        }
        let place = self.workspace.at(key.lines);
        let template = match Template::parse_as_shell(text) {
            Ok(template) => template,
            Err(error) => {
                warnings.push(unexpanded(key, place, &error));
                return Ok(Template::of_text(text));
            }
        };
        let known = |name: &str| {
            let before = before.get(name).map(String::as_str);
            before.or_else(|| self.known(name))
        };
        let bound = template.bind(&known);
        let bound = bound.map_err(|error| impossible(place, &key.name, error))?;
        warnings.extend(warnings_of_pixi(place, &key.name, &bound));
        Ok(bound)
    }

    /// A variable that an activated environment has in every image, or that pixi sets to something from the manifest.
    fn known(&self, name: &str) -> Option<&str> {
        let prefix = self.prefix;
        let of_project = |field: &str| {
            let project = || self.workspace.tree.get("project")?.get(field);
            let found = self.workspace.value(field).or_else(project);
            found.and_then(Node::text)
        };
        match name {
            "CONDA_PREFIX" => Some(prefix.map_or(ROOT_PREFIX, EnvironmentPrefix::path)),
            "PIXI_ENVIRONMENT_NAME" => Some(self.name),
            "PIXI_PROJECT_NAME" => of_project("name"),
            "PIXI_PROJECT_VERSION" => of_project("version"),
            _ => None,
        }
    }

    fn warn_of_scripts(&self, warnings: &mut Vec<Warning>) {
        for feature in &self.environment.features {
            let scripts = self.workspace.tables(*feature, &["activation", "scripts"]);
            let is_empty = |scripts: &Node| scripts.list().is_some_and(<[Node]>::is_empty);
            for scripts in scripts.into_iter().filter(|scripts| !is_empty(scripts)) {
                warnings.push(Warning {
                    rule: Rule::Ignored,
                    diagnostic: self.workspace
                        .at(scripts.lines)
                        .error("activation scripts of the project do not run in an image")
                        .help("Set variables in `[activation.env]`, or run the scripts in the image's command."),
                });
            }
        }
    }
}

/// The value as conda sets it, in single quotes.
fn literal(entry: Entry<'_>, place: Place<'_>, warnings: &mut Vec<Warning>) -> Template {
    if names_variable(entry.text) {
        warnings.push(Warning {
            rule: Rule::UnexpandedVariable,
            diagnostic: place
                .error("the image gets the `$` as it is written: conda does not replace it either")
                .help("Write the value that the variable stands for."),
        });
    }
    Template::of_text(entry.text)
}

/// The warning that a value stays as it is written.
fn unexpanded(key: &Key, place: Place<'_>, error: &ExpandError) -> Warning {
    let why = match error {
        ExpandError::Command => "no shell runs the command in it".to_owned(),
        ExpandError::Parameter(name) => format!("`${name}` means something only in a shell"),
        _ => "it is not a form that condafront can expand".to_owned(),
    };
    let name = quoted(&key.name);
    Warning {
        rule: Rule::UnexpandedVariable,
        diagnostic: place
            .error(format!("the image gets {name} as it is written: {why}"))
            .help("Write the value for the image, or one with $NAME, ${NAME}, ${NAME:-default} or ${NAME:+instead}. For a dollar itself, write \\$ in a string with single quotes."),
    }
}

/// Whether a value would name a variable in a shell.
fn names_variable(value: &str) -> bool {
    value.split('$').skip(1).any(|after| {
        let is_name = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '{';
        after.starts_with(is_name)
    })
}
