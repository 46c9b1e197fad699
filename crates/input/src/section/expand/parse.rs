//! The parser for strings with variables.

use super::error::{ExpandError, MAX_DEPTH};
use super::template::{Form, Output, Template, Unset};

impl Template {
    /// Parses a string. `\$` is a dollar; any other backslash is itself, as is a dollar without a name.
    ///
    /// # Errors
    /// If a `${` is malformed.
    pub fn parse(text: &str) -> Result<Self, ExpandError> {
        let mut parser = Parser {
            rest: text,
            is_shell: false,
        };
        parser.until(None, 0)
    }

    /// Parses what a shell has in double quotes: `\\` and ``\` `` are escapes too, and so is the end of a line.
    ///
    /// # Errors
    /// Like [`Self::parse`], and if only the shell itself can tell what it is: a command, a parameter such as `$1`, or a pattern
    /// that Dockerfiles do not have.
    pub(crate) fn parse_as_shell(text: &str) -> Result<Self, ExpandError> {
        let mut parser = Parser {
            rest: text,
            is_shell: true,
        };
        parser.until(None, 0)
    }
}

struct Parser<'a> {
    rest: &'a str,
    /// Whether the rules are those of a shell.
    is_shell: bool,
}

impl Parser<'_> {
    /// Reads to the end, or past `stop`.
    fn until(&mut self, stop: Option<char>, depth: usize) -> Result<Template, ExpandError> {
        if depth > MAX_DEPTH {
            return Err(ExpandError::TooDeep);
        }
        let mut out = Output::default();
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                _ if Some(c) == stop => {
                    out.text(&text)?;
                    return Ok(out.template);
                }
                '\\' if self.is_shell && self.peek() == Some('\n') => {
                    self.next();
                }
                '\\' => match self.peek() {
                    Some(escaped) if self.is_escaped(escaped) || Some(escaped) == stop => {
                        self.next();
                        text.push(escaped);
                    }
                    _ => text.push(c),
                },
                '`' if self.is_shell => return Err(ExpandError::Command),
                '$' if self.is_shell && self.peek() == Some('(') => {
                    return Err(ExpandError::Command);
                }
                '$' if self.is_shell && self.peek().is_some_and(is_parameter) => {
                    let parameter = self.peek().map(String::from).unwrap_or_default();
                    return Err(ExpandError::Parameter(parameter));
                }
                '$' => match self.variable(depth)? {
                    Some((name, form)) => {
                        out.text(&std::mem::take(&mut text))?;
                        out.variable(&name, form)?;
                    }
                    None => text.push(c),
                },
                _ => text.push(c),
            }
        }
        if stop.is_some() {
            return Err(ExpandError::Unclosed);
        }
        out.text(&text)?;
        Ok(out.template)
    }

    /// Whether a backslash before it is not part of the value.
    fn is_escaped(&self, c: char) -> bool {
        c == '$' || self.is_shell && ['\\', '`'].contains(&c)
    }

    /// Reads what follows a dollar; `None` if it is only a dollar.
    fn variable(&mut self, depth: usize) -> Result<Option<(String, Form)>, ExpandError> {
        if self.peek() != Some('{') {
            let name = self.name();
            return Ok((!name.is_empty()).then_some((name, Form::Plain)));
        }
        self.next();
        let name = self.name();
        if name.is_empty() {
            let is_open = self.peek().is_none();
            return Err(if is_open {
                ExpandError::Unclosed
            } else {
                ExpandError::NoName
            });
        }
        let word = |parser: &mut Self| parser.until(Some('}'), depth + 1);
        let pattern = |parser: &mut Self, stop: char| parser.pattern(&name, stop, depth + 1);
        let mut sign = self.next().ok_or(ExpandError::Unclosed)?;
        let mut unset = Unset::Absent;
        if sign == ':' {
            unset = Unset::AbsentOrEmpty;
            sign = self.next().ok_or(ExpandError::Unclosed)?;
        }
        let form = match (sign, unset) {
            ('}', Unset::Absent) => Form::Plain,
            ('-', _) => Form::Default(unset, word(self)?),
            ('+', _) => Form::Alternative(unset, word(self)?),
            ('?', _) => Form::Required(unset, word(self)?),
            ('#' | '%', Unset::Absent) => Form::Trim {
                at_end: sign == '%',
                longest: self.next_if(sign),
                pattern: pattern(self, '}')?,
            },
            ('/', Unset::Absent) => Form::Replace {
                all: self.next_if('/'),
                pattern: pattern(self, '/')?,
                word: self.replacement(&name, depth + 1)?,
            },
            ('}', Unset::AbsentOrEmpty) => return Err(ExpandError::Form(format!("{name}:"))),
            (sign, Unset::AbsentOrEmpty) => {
                return Err(ExpandError::Form(format!("{name}:{sign}")));
            }
            (sign, Unset::Absent) => return Err(ExpandError::Form(format!("{name}{sign}"))),
        };
        Ok(Some((name, form)))
    }

    /// Reads a pattern, past `stop`. In a shell, quotes and brackets mean something there, and so does what is first in a
    /// pattern to replace.
    fn pattern(&mut self, name: &str, stop: char, depth: usize) -> Result<Template, ExpandError> {
        let before = self.rest;
        let pattern = self.until(Some(stop), depth)?;
        let written = before.strip_suffix(self.rest).unwrap_or(before);
        let is_to_replace = stop == '/';
        let is_own =
            written.contains(['[', '\'']) || is_to_replace && written.starts_with(['#', '%', '/']);
        if self.is_shell && is_own {
            return Err(ExpandError::Form(format!("{name}{stop}")));
        }
        Ok(pattern)
    }

    /// Reads what replaces a pattern, and past the brace. In a shell, `&` can be what has matched.
    fn replacement(&mut self, name: &str, depth: usize) -> Result<Template, ExpandError> {
        let before = self.rest;
        let word = self.until(Some('}'), depth)?;
        let written = before.strip_suffix(self.rest).unwrap_or(before);
        if self.is_shell && written.contains('&') {
            return Err(ExpandError::Form(format!("{name}/")));
        }
        Ok(word)
    }

    /// Reads a name, which may be empty.
    fn name(&mut self) -> String {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return String::new();
        }
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_owned()
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }
}

/// Whether a shell has a parameter of this name, which is not a variable, or calculates what follows.
fn is_parameter(c: char) -> bool {
    c.is_ascii_digit() || "@*#?-!$[".contains(c)
}
