//! Strings with variables, and their expansion.

use super::error::{ExpandError, MAX_LENGTH};
use super::pattern::Pattern;

/// A string with variables in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, form: Form },
}

/// What follows a variable's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `${NAME}`
    Plain,
    /// `${NAME-word}`, `${NAME:-word}`
    Default(Unset, Template),
    /// `${NAME+word}`, `${NAME:+word}`
    Alternative(Unset, Template),
    /// `${NAME?word}`, `${NAME:?word}`
    Required(Unset, Template),
    /// `${NAME#pattern}`, `##`, `%`, `%%`
    Trim {
        at_end: bool,
        longest: bool,
        pattern: Template,
    },
    /// `${NAME/pattern/word}`, `//`
    Replace {
        all: bool,
        pattern: Template,
        word: Template,
    },
}

/// When a variable counts as unset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unset {
    Absent,
    AbsentOrEmpty,
}

impl Unset {
    fn is_set(self, value: Option<&str>) -> bool {
        match self {
            Self::Absent => value.is_some(),
            Self::AbsentOrEmpty => value.is_some_and(|value| !value.is_empty()),
        }
    }
}

/// What to do with names that have no value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Keep,
    Refuse,
    Empty,
}

/// What a mention of a variable asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need<'a> {
    /// Nothing: without a value, something else happens.
    Nothing,
    /// A value.
    Value,
    /// A value; this one stands in for it.
    Default(&'a Template),
    /// A value; this is the message if it is missing.
    Required(&'a Template),
}

type Lookup<'a, 'v> = &'a dyn Fn(&str) -> Option<&'v str>;

impl Template {
    /// A string without variables.
    pub(crate) fn of_text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// The string, if it has no variables (left).
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Substitutes the variables that `lookup` knows and leaves the others. Values are taken literally: a `$` in one is a
    /// dollar.
    ///
    /// # Errors
    /// If a required value is missing, or the result is too long.
    pub fn bind<'v>(&self, lookup: &dyn Fn(&str) -> Option<&'v str>) -> Result<Self, ExpandError> {
        let mut bound = Output::default();
        self.eval(lookup, Unknown::Keep, &mut bound)?;
        Ok(bound.template)
    }

    /// The string with all variables substituted.
    ///
    /// # Errors
    /// Like [`Self::bind`], and if `lookup` does not know a name that has no default.
    pub(crate) fn expand<'v>(
        &self,
        lookup: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Result<String, ExpandError> {
        let mut expanded = Output::default();
        self.eval(lookup, Unknown::Refuse, &mut expanded)?;
        Ok(expanded.into_text())
    }

    /// The string as a shell expands it: a name that `lookup` does not know is empty. Also returns these names.
    ///
    /// # Errors
    /// Like [`Self::expand`], but not for such names.
    pub(crate) fn expand_as_shell<'v>(
        &self,
        lookup: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Result<(String, Vec<String>), ExpandError> {
        let mut expanded = Output::default();
        self.eval(lookup, Unknown::Empty, &mut expanded)?;
        let unset = std::mem::take(&mut expanded.unset);
        Ok((expanded.into_text(), unset))
    }

    /// Calls `found` with the name of each variable, and with what it asks for.
    pub(crate) fn visit<'a>(&'a self, found: &mut impl FnMut(&'a str, Need<'a>)) {
        for part in &self.0 {
            let Part::Variable { name, form } = part else {
                continue;
            };
            let (need, words) = match form {
                Form::Plain => (Need::Value, [None, None]),
                Form::Default(_, word) => (Need::Default(word), [Some(word), None]),
                Form::Alternative(_, word) => (Need::Nothing, [Some(word), None]),
                Form::Required(_, word) => (Need::Required(word), [Some(word), None]),
                Form::Trim { pattern, .. } => (Need::Value, [Some(pattern), None]),
                Form::Replace { pattern, word, .. } => (Need::Value, [Some(pattern), Some(word)]),
            };
            found(name, need);
            for word in words.into_iter().flatten() {
                word.visit(found);
            }
        }
    }

    fn size(&self) -> usize {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Variable { name, form } => name.len() + form.size(),
        });
        parts.sum()
    }

    fn eval(
        &self,
        lookup: Lookup<'_, '_>,
        unknown: Unknown,
        out: &mut Output,
    ) -> Result<(), ExpandError> {
        for part in &self.0 {
            let (name, form) = match part {
                Part::Text(text) => {
                    out.text(text)?;
                    continue;
                }
                Part::Variable { name, form } => (name, form),
            };
            let value = lookup(name);
            if value.is_none() && unknown == Unknown::Keep {
                let form = form.bind(lookup)?;
                out.variable(name, form)?;
                continue;
            }
            match form {
                Form::Default(unset, word) if !unset.is_set(value) => {
                    word.eval(lookup, unknown, out)?;
                }
                Form::Alternative(unset, word) => {
                    if unset.is_set(value) {
                        word.eval(lookup, unknown, out)?;
                    }
                }
                Form::Required(unset, word) if !unset.is_set(value) => {
                    let message = word.expand(lookup)?;
                    return Err(ExpandError::Required(name.clone(), message));
                }
                _ => {
                    let value = match value {
                        Some(value) => value,
                        None if unknown == Unknown::Empty => {
                            out.unset.push(name.clone());
                            ""
                        }
                        None => return Err(ExpandError::Unset(name.clone())),
                    };
                    out.text(&form.applied(name, value, lookup)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Form {
    /// The form with known variables substituted in its words.
    fn bind(&self, lookup: Lookup<'_, '_>) -> Result<Self, ExpandError> {
        Ok(match self {
            Self::Plain => Self::Plain,
            Self::Default(unset, word) => Self::Default(*unset, word.bind(lookup)?),
            Self::Alternative(unset, word) => Self::Alternative(*unset, word.bind(lookup)?),
            Self::Required(unset, word) => Self::Required(*unset, word.bind(lookup)?),
            Self::Trim {
                at_end,
                longest,
                pattern,
            } => Self::Trim {
                at_end: *at_end,
                longest: *longest,
                pattern: pattern.bind(lookup)?,
            },
            Self::Replace { all, pattern, word } => Self::Replace {
                all: *all,
                pattern: pattern.bind(lookup)?,
                word: word.bind(lookup)?,
            },
        })
    }

    /// The length of its words, in bytes.
    fn size(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Default(_, word) | Self::Alternative(_, word) | Self::Required(_, word) => {
                word.size()
            }
            Self::Trim { pattern, .. } => pattern.size(),
            Self::Replace { pattern, word, .. } => pattern.size() + word.size(),
        }
    }

    /// Applies the form to a value.
    fn applied(
        &self,
        name: &str,
        value: &str,
        lookup: Lookup<'_, '_>,
    ) -> Result<String, ExpandError> {
        match self {
            Self::Trim {
                at_end,
                longest,
                pattern,
            } => {
                let pattern = pattern.expand(lookup)?;
                let pattern = Pattern::new(name, &pattern, value)?;
                Ok(if *at_end {
                    pattern.without_suffix(value, *longest)
                } else {
                    pattern.without_prefix(value, *longest)
                })
            }
            Self::Replace { all, pattern, word } => {
                let pattern = pattern.expand(lookup)?;
                let pattern = Pattern::new(name, &pattern, value)?;
                let word = word.expand(lookup)?;
                if word.len().saturating_mul(value.len()) > MAX_LENGTH {
                    return Err(ExpandError::TooLong);
                }
                Ok(pattern.replaced(value, &word, *all))
            }
            _ => Ok(value.to_owned()),
        }
    }
}

/// A result of at most [`MAX_LENGTH`].
#[derive(Default)]
pub(super) struct Output {
    pub(super) template: Template,
    length: usize,
    /// The names that were empty because nothing sets them.
    unset: Vec<String>,
}

impl Output {
    /// What it is if it has no variables (left).
    fn into_text(mut self) -> String {
        match self.template.0.pop() {
            Some(Part::Text(text)) => text,
            _ => String::new(),
        }
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), ExpandError> {
        self.grow(text.len())?;
        match self.template.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.template.0.push(Part::Text(text.to_owned())),
        }
        Ok(())
    }

    pub(super) fn variable(&mut self, name: &str, form: Form) -> Result<(), ExpandError> {
        self.grow(name.len() + form.size())?;
        self.template.0.push(Part::Variable {
            name: name.to_owned(),
            form,
        });
        Ok(())
    }

    fn grow(&mut self, by: usize) -> Result<(), ExpandError> {
        self.length = self.length.saturating_add(by);
        if self.length > MAX_LENGTH {
            return Err(ExpandError::TooLong);
        }
        Ok(())
    }
}
