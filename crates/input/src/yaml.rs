//! YAML as a tree in which every node knows its lines in the user's file.
//!
//! No module but this one and its own uses the YAML library.

mod invalid;
mod syntax;

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// A value and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// The value.
    pub(crate) value: Value,
    /// Its first and last line. An alias has the lines where it is used.
    pub(crate) lines: Lines,
}

/// A YAML value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// A scalar, as text: a number keeps its digits as written (`3.10`).
    Scalar {
        /// The text, without quotes.
        text: String,
        /// How YAML reads it.
        kind: ScalarKind,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the file's order, without duplicate keys.
    Mapping(Vec<(Key, Node)>),
}

/// How YAML 1.2 reads a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
}

/// A mapping's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The text.
    pub(crate) name: String,
    /// Its line.
    pub(crate) lines: Lines,
}

impl Node {
    /// The text of a scalar of any kind.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// A list's items.
    pub(crate) fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// A mapping's entries.
    pub(crate) fn mapping(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// A mapping's value.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let entry = self.mapping()?.iter().find(|(key, _)| key.name == name)?;
        Some(&entry.1)
    }

    /// Whether the value is null.
    pub(crate) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The kind of value, for messages: `a list`.
    pub(crate) fn what(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Scalar {
                kind: ScalarKind::String,
                ..
            } => "a string",
            Value::Scalar {
                kind: ScalarKind::Number,
                ..
            } => "a number",
            Value::Scalar {
                kind: ScalarKind::Bool,
                ..
            } => "a boolean",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Reads a file's only document.
///
/// # Errors
/// A diagnostic at the line where it stops being YAML.
pub(crate) fn read(file: &Arc<SourceFile>, text: &str) -> Result<Node, Diagnostic> {
    let mut budget = serde_saphyr::Budget::default();
    // Lock files for several platforms have about ten thousand entries. Every event comes from at least one byte of the
    // file or from an alias.
    budget.max_events = invalid::most_values(text);
    budget.max_nodes = invalid::most_values(text);
    budget.max_depth = invalid::MAX_DEPTH;
    budget.max_total_scalar_bytes = text.len().max(1 << 20).saturating_mul(2);
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| invalid::explained(file, error))?;
    Ok(Tree { text }.node(raw))
}

/// A tree as the library returns it.
enum Raw {
    Null,
    Text(String),
    Other(ScalarKind, String),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Other(ScalarKind::Bool, value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Other(ScalarKind::Number, value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Other(ScalarKind::Number, value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Other(ScalarKind::Number, value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Other(ScalarKind::Number, value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Other(ScalarKind::Number, value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}

/// Turns the library's tree into ours.
struct Tree<'a> {
    text: &'a str,
}

impl Tree<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let written = self.written(&raw);
        let line = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        let first = line(raw.referenced.line());
        let mut last = first;
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Text(text) => {
                if raw.referenced == raw.defined {
                    let breaks = written.trim_end().matches('\n').count();
                    last = first.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
                }
                Value::Scalar {
                    text,
                    kind: ScalarKind::String,
                }
            }
            Raw::Other(kind, value) => {
                let written = written.trim();
                let is_plain = !written.is_empty() && !written.contains(['\n', ' ', '!', '&']);
                Value::Scalar {
                    text: if is_plain { written.to_owned() } else { value },
                    kind,
                }
            }
            Raw::List(items) => {
                let items: Vec<Node> = items.into_iter().map(|item| self.node(item)).collect();
                last = items
                    .iter()
                    .map(|item| item.lines.last)
                    .fold(last, u32::max);
                Value::List(items)
            }
            Raw::Mapping(entries) => {
                let entries: Vec<(Key, Node)> = entries
                    .into_iter()
                    .map(|(key, value)| (self.key(key), self.node(value)))
                    .collect();
                last = entries
                    .iter()
                    .map(|(key, value)| key.lines.last.max(value.lines.last))
                    .fold(last, u32::max);
                Value::Mapping(entries)
            }
        };
        Node {
            value,
            lines: Lines { first, last },
        }
    }

    fn key(&self, raw: Spanned<Raw>) -> Key {
        let node = self.node(raw);
        Key {
            lines: node.lines,
            name: match node.value {
                Value::Scalar { text, .. } => text,
                Value::Null => "null".to_owned(),
                Value::List(_) | Value::Mapping(_) => String::new(),
            },
        }
    }

    /// The source text of a node.
    fn written(&self, raw: &Spanned<Raw>) -> &str {
        let span = raw.defined.span();
        let range = span.byte_offset().zip(span.byte_len());
        range
            .and_then(|(start, length)| {
                let start = usize::try_from(start).ok()?;
                let end = start.checked_add(usize::try_from(length).ok()?)?;
                self.text.get(start..end)
            })
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
