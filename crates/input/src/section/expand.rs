//! `${NAME}` in values, by the rules of Dockerfiles
//! (<https://docs.docker.com/reference/dockerfile/#environment-replacement>), with two differences. Quotes mean nothing,
//! for YAML has taken its own away already. A name that stands for nothing is an error instead of an empty text.

mod parse;
mod pattern;

use pattern::Pattern;

/// How long a value may become, in bytes.
const MAX_LENGTH: usize = 1 << 20;

/// A text with variables in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, form: Form },
}

/// What follows a variable's name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
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
enum Unset {
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

/// Why a text with variables has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// `${` to the end.
    #[error("`${{` has no `}}`")]
    Unclosed,
    /// `${}`, `${1}`.
    #[error("no variable's name follows `${{`")]
    NoName,
    /// `${NAME!}`.
    #[error("`${{{0}…}}` is no form of a build-arg")]
    Form(String),
    /// `${A:-${B:-…}}` without end.
    #[error("more than {} variables stand in each other", parse::MAX_DEPTH)]
    TooDeep,
    /// A name without a value.
    #[error("there is no build-arg {0}")]
    Unset(String),
    /// `${NAME:?message}`.
    #[error("build-arg {0} is needed{colon}{1}", colon = if .1.is_empty() { "" } else { ": " })]
    Required(String, String),
    /// A result beyond all measure.
    #[error("it becomes longer than {} MiB", MAX_LENGTH >> 20)]
    TooLong,
    /// A pattern or text that would take too long to match.
    #[error("the pattern, or the value of {0}, is too long")]
    PatternTooLong(String),
}

/// What becomes of names without a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Keep,
    Refuse,
}

type Lookup<'a, 'v> = &'a dyn Fn(&str) -> Option<&'v str>;

impl Template {
    /// Reads a text. `\$` stands for a dollar; any other backslash for itself, as does a dollar without a name.
    ///
    /// # Errors
    /// When a `${` makes no sense.
    pub fn parse(text: &str) -> Result<Self, ExpandError> {
        parse::read(text)
    }

    /// The text, if it has no variables (left).
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Puts in the variables that `lookup` knows and leaves the others. Values are put in as they are: a `$` in one is a
    /// dollar.
    ///
    /// # Errors
    /// When a value is needed and absent, or the result too long.
    pub fn bind<'v>(&self, lookup: &dyn Fn(&str) -> Option<&'v str>) -> Result<Self, ExpandError> {
        let mut bound = Output::default();
        self.eval(lookup, Unknown::Keep, &mut bound)?;
        Ok(bound.template)
    }

    /// The text with all variables put in.
    ///
    /// # Errors
    /// As [`Self::bind`], and when `lookup` does not know a name that has no default.
    pub fn expand<'v>(
        &self,
        lookup: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Result<String, ExpandError> {
        let mut expanded = Output::default();
        self.eval(lookup, Unknown::Refuse, &mut expanded)?;
        Ok(match expanded.template.0.pop() {
            Some(Part::Text(text)) => text,
            _ => String::new(),
        })
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
                    let value = value.ok_or_else(|| ExpandError::Unset(name.clone()))?;
                    out.text(&form.applied(name, value, lookup)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Form {
    /// The form with known variables put into its words.
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

    /// How many bytes its words have.
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

    /// What becomes of a value that is there.
    fn applied(
        &self,
        name: &str,
        value: &str,
        lookup: Lookup<'_, '_>,
    ) -> Result<String, ExpandError> {
        let too_long = || ExpandError::PatternTooLong(name.to_owned());
        match self {
            Self::Trim {
                at_end,
                longest,
                pattern,
            } => {
                let pattern = pattern.expand(lookup)?;
                let pattern = Pattern::new(&pattern, value).ok_or_else(too_long)?;
                Ok(if *at_end {
                    pattern.without_suffix(value, *longest)
                } else {
                    pattern.without_prefix(value, *longest)
                })
            }
            Self::Replace { all, pattern, word } => {
                let pattern = pattern.expand(lookup)?;
                let pattern = Pattern::new(&pattern, value).ok_or_else(too_long)?;
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

/// A result that grows no further than [`MAX_LENGTH`].
#[derive(Default)]
struct Output {
    template: Template,
    length: usize,
}

impl Output {
    fn text(&mut self, text: &str) -> Result<(), ExpandError> {
        self.grow(text.len())?;
        match self.template.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.template.0.push(Part::Text(text.to_owned())),
        }
        Ok(())
    }

    fn variable(&mut self, name: &str, form: Form) -> Result<(), ExpandError> {
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

#[cfg(test)]
mod tests;
