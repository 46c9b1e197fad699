//! The key `variables` of an env.yml.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::reserved;
use crate::secret_variable;
use crate::yaml::{Key, Node, Value};
use condafront_model::execve;
use condafront_model::lint::Warning;
use condafront_model::redact;
use condafront_model::source::Diagnostic;

impl Reader<'_> {
    /// The environment variables, without those that belong to the image, about which there are warnings.
    pub(crate) fn variables(
        &self,
        node: &Node,
        warnings: &mut Vec<Warning>,
    ) -> Result<BTreeMap<String, String>, Diagnostic> {
        let entries = match &node.value {
            Value::Null => return Ok(BTreeMap::new()),
            Value::Mapping(entries) => entries,
            _ => {
                return Err(self
                    .at(node)
                    .error(format!(
                        "`variables:` must be a mapping, not {}",
                        node.what()
                    ))
                    .help("Write one name and value per line: `DATA_DIR: /data`."));
            }
        };
        let mut variables = BTreeMap::new();
        for (key, value) in entries {
            let text = self.variable(key, value)?;
            let place = self.at_key(key);
            match reserved::left_out(&key.name, text, place) {
                Some(warning) => warnings.push(warning),
                None => {
                    warnings.extend(secret_variable::warning(&key.name, Some(text), place));
                    variables.insert(key.name.clone(), text.to_owned());
                }
            }
        }
        Ok(variables)
    }

    /// The value of one of them.
    pub(crate) fn variable<'n>(&self, key: &Key, value: &'n Node) -> Result<&'n str, Diagnostic> {
        let name = redact::quoted(&key.name);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !key.name.chars().all(is_plain) || !key.name.starts_with(|c: char| !c.is_ascii_digit()) {
            return Err(self
                .at_key(key)
                .error(format!("`{name}` is not a valid variable name"))
                .help("Use letters, digits and `_`, with no digit first."));
        }
        let error = |what: &str| self.at(value).error(format!("the variable {name} {what}"));
        let Some(text) = value.text() else {
            return Err(if value.is_null() {
                error("has no value").help(format!("Write `{name}: \"\"` for an empty value."))
            } else {
                error(&format!("must be a string, not {}", value.what()))
                    .help("Write a string, in quotes if it contains brackets.")
            });
        };
        execve::check_value(&key.name, text)
            .map_err(|why| error(&why.to_string()).help(why.help()).caused_by(why))?;
        Ok(text)
    }
}
