//! What all keys are read with: the file, the build-args, and how mistakes are reported.

use std::fmt;
use std::sync::Arc;

use super::args::BuildArgs;
use super::expand::{ExpandError, Template};
use super::keys;
use crate::section::image_section::Located;
use crate::yaml::{Key, Node, Value};
use condafront_model::nearest::{did_you_mean, nearest, suggestion};
use condafront_model::prose;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_model::visible::unfit;

/// A file being read.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) args: &'a BuildArgs,
}

/// What a value is called in messages: a key, a key of a key, or an entry of a key's list.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    key: &'a str,
    of: Option<&'a str>,
    is_entry: bool,
}

impl<'a> Name<'a> {
    pub(super) fn of(self, of: &'a str) -> Self {
        Self {
            of: Some(of),
            ..self
        }
    }

    /// An entry of the key's list.
    pub(super) fn entry(self) -> Self {
        Self {
            is_entry: true,
            ..self
        }
    }

    /// An example of the key.
    fn example(self) -> Option<&'static str> {
        Some(keys::info(self.of.unwrap_or(self.key))?.example)
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(key: &'a str) -> Self {
        Self {
            key,
            of: None,
            is_entry: false,
        }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_entry {
            f.write_str("an entry in ")?;
        }
        write!(f, "`{}`", self.key)?;
        match self.of {
            Some(of) => write!(f, " in `{of}`"),
            None => Ok(()),
        }
    }
}

impl Reader<'_> {
    /// An error at these lines.
    pub(super) fn error(&self, lines: Lines, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).at(self.file, lines)
    }

    /// A value of the wrong kind.
    pub(super) fn wrong_kind(&self, name: Name<'_>, node: &Node, wanted: &str) -> Diagnostic {
        let message = match node.value {
            Value::Null if name.is_entry => format!("{name} is empty"),
            Value::Null => format!("{name} has no value"),
            _ => format!("{name} must be {wanted}, not {}", node.what()),
        };
        let error = self.error(node.lines, message);
        match (name.example(), node.is_null()) {
            (Some(example), true) if !name.is_entry => {
                error.help(format!("Remove the key, or give it a value: {example}"))
            }
            (Some(example), _) => error.help(format!("For example: {example}")),
            (None, _) => error,
        }
    }

    /// A scalar's text with build-args substituted. Numbers stay as written.
    pub(super) fn text(&self, name: Name<'_>, node: &Node) -> Result<Located<String>, Diagnostic> {
        let text = self.raw(name, node)?;
        self.expanded(text)
    }

    /// A scalar's text as written.
    pub(super) fn raw<'n>(
        &self,
        name: Name<'_>,
        node: &'n Node,
    ) -> Result<Located<&'n str>, Diagnostic> {
        let text = node
            .text()
            .ok_or_else(|| self.wrong_kind(name, node, "a string"))?;
        let found = Located {
            value: text,
            lines: node.lines,
        };
        if text.contains('\0') {
            return Err(self.error(
                node.lines,
                format!("{name} has a NUL byte, which an image cannot hold"),
            ));
        }
        Ok(found)
    }

    /// Like [`Self::text`], but not blank, and on one line.
    pub(super) fn word(&self, name: Name<'_>, node: &Node) -> Result<Located<String>, Diagnostic> {
        self.word_of(name, self.raw(name, node)?)
    }

    /// The same for a text.
    pub(super) fn word_of(
        &self,
        name: Name<'_>,
        text: Located<&str>,
    ) -> Result<Located<String>, Diagnostic> {
        let found = self.expanded(text)?;
        self.not_blank(name, &found)?;
        let found = found.map(|text| text.trim().to_owned());
        if found.value.contains(['\n', '\r']) {
            return Err(self.error(found.lines, format!("{name} must be on one line")));
        }
        if let Some(what) = unfit(&found.value) {
            let error = self.error(found.lines, format!("{name} contains {what}"));
            return Err(error.help("Remove it."));
        }
        Ok(found)
    }

    /// Refuses blank strings.
    pub(super) fn not_blank<T: AsRef<str>>(
        &self,
        name: Name<'_>,
        found: &Located<T>,
    ) -> Result<(), Diagnostic> {
        if found.value.as_ref().trim().is_empty() {
            let error = self.error(found.lines, format!("{name} is empty"));
            return Err(match name.example() {
                Some(example) => error.help(format!("For example: {example}")),
                None => error,
            });
        }
        Ok(())
    }

    /// A string with build-args substituted.
    pub(super) fn expanded(&self, text: Located<&str>) -> Result<Located<String>, Diagnostic> {
        let expanded = self
            .template(text.clone())?
            .expand(&|name| self.args.get(name))
            .map_err(|error| self.expansion_failed(text.lines, error))?;
        Ok(text.map(|_| expanded))
    }

    /// A string with the known build-args substituted.
    pub(super) fn bound(&self, text: Located<&str>) -> Result<Template, Diagnostic> {
        self.template(text.clone())?
            .bind(&|name| self.args.get(name))
            .map_err(|error| self.expansion_failed(text.lines, error))
    }

    fn template(&self, text: Located<&str>) -> Result<Template, Diagnostic> {
        Template::parse(text.value).map_err(|error| self.expansion_failed(text.lines, error))
    }

    fn expansion_failed(&self, lines: Lines, error: ExpandError) -> Diagnostic {
        let diagnostic = self.error(lines, error.to_string());
        let diagnostic = match &error {
            ExpandError::Unset(name) => match nearest(name, self.args.names()) {
                Some(near) => diagnostic.help(suggestion(format_args!("${{{near}}}"))),
                None => diagnostic.help(format!(
                    "Set it with --build-arg {name}=…, write ${{{name}:-default}}, or write \\${{{name}}} for the literal text."
                )),
            },
            ExpandError::Required(name, _) => {
                diagnostic.help(format!("Set it with --build-arg {name}=…"))
            }
            ExpandError::Unclosed | ExpandError::NoName | ExpandError::Form(..) => diagnostic.help(
                "Write a build-arg as ${NAME}, ${NAME:-default} or ${NAME:+instead}, and a dollar as \\$.",
            ),
            _ => diagnostic,
        };
        diagnostic.caused_by(error)
    }

    /// A list's items.
    pub(super) fn list<'n>(
        &self,
        name: Name<'_>,
        node: &'n Node,
    ) -> Result<&'n [Node], Diagnostic> {
        node.list()
            .ok_or_else(|| self.wrong_kind(name, node, "a list"))
    }

    /// A mapping's entries.
    pub(super) fn mapping<'n>(
        &self,
        name: Name<'_>,
        node: &'n Node,
    ) -> Result<&'n [(Key, Node)], Diagnostic> {
        node.mapping()
            .ok_or_else(|| self.wrong_kind(name, node, "a mapping"))
    }

    /// A mapping with these keys only.
    pub(super) fn fields<'n>(
        &self,
        name: Name<'_>,
        node: &'n Node,
        known: &[&str],
    ) -> Result<Fields<'n>, Diagnostic> {
        let entries = self.mapping(name, node)?;
        let other = entries
            .iter()
            .find(|(key, _)| !known.contains(&key.name.as_str()));
        if let Some((key, _)) = other {
            return Err(self.unknown_field(name, key, known));
        }
        Ok(Fields {
            entries,
            lines: node.lines,
        })
    }

    /// The error for an unknown key of a mapping.
    pub(super) fn unknown_field(&self, name: Name<'_>, key: &Key, known: &[&str]) -> Diagnostic {
        let error = self.error(
            key.lines,
            format!("{name} has no key `{}`", quoted(&key.name)),
        );
        let other = keys::OTHER_FIELDS
            .iter()
            .find(|(word, field)| *word == key.name && known.contains(field));
        let meant = match other {
            Some((_, field)) => Some(suggestion(field)),
            None => did_you_mean(&key.name, known.iter().copied()),
        };
        match meant {
            Some(help) => error.help(help),
            None if key.name.contains('=') => {
                error.help("Inside braces, quote a string that contains a comma.")
            }
            None => error.help(format!("The keys are {}.", prose::and(prose::code(known)))),
        }
    }

    /// The error for a value that is not one of the known words.
    pub(super) fn no_such_word(
        &self,
        name: Name<'_>,
        found: &Located<String>,
        known: &[&str],
    ) -> Diagnostic {
        let error = self.error(
            found.lines,
            format!("{name} cannot be `{}`", quoted(&found.value)),
        );
        let near = did_you_mean(&found.value, known.iter().copied());
        error.help(near.unwrap_or_else(|| format!("Use {}.", prose::or(prose::code(known)))))
    }

    /// One of the known words.
    pub(super) fn one_of<T: Copy>(
        &self,
        name: Name<'_>,
        node: &Node,
        known: &[(&str, T)],
    ) -> Result<Located<T>, Diagnostic> {
        let found = self.word(name, node)?;
        match known.iter().find(|(word, _)| *word == found.value) {
            Some((_, value)) => Ok(found.map(|_| *value)),
            None => {
                let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
                Err(self.no_such_word(name, &found, &words))
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: Name<'_>, node: &Node) -> Result<bool, Diagnostic> {
        let found = self.word(name, node)?;
        truth(&found.value).ok_or_else(|| {
            let message = format!("{name} cannot be `{}`", quoted(&found.value));
            self.error(found.lines, message).help("Use true or false.")
        })
    }

    /// A whole number.
    pub(super) fn number(&self, name: Name<'_>, node: &Node) -> Result<Located<u32>, Diagnostic> {
        let found = self.word(name, node)?;
        match digits(&found.value) {
            Some(number) => Ok(found.map(|_| number)),
            None => {
                let message = format!(
                    "{name} must be a whole number, not `{}`",
                    quoted(&found.value)
                );
                Err(self.error(found.lines, message))
            }
        }
    }
}

/// The entries of a mapping whose keys are known.
pub(super) struct Fields<'n> {
    entries: &'n [(Key, Node)],
    pub(super) lines: Lines,
}

impl<'n> Fields<'n> {
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|(key, _)| key.name == name)?;
        Some(&entry.1)
    }

    /// The value of `name`, if present, as read by `read`.
    pub(super) fn read<T>(
        &self,
        name: &'static str,
        of: &'static str,
        read: impl FnOnce(Name<'_>, &'n Node) -> Result<T, Diagnostic>,
    ) -> Result<Option<T>, Diagnostic> {
        let node = self.get(name);
        node.map(|node| read(Name::from(name).of(of), node))
            .transpose()
    }
}

/// Whether a word means yes or no.
pub(super) fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A number written with digits only.
pub(super) fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}
