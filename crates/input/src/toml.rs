//! TOML as the tree that YAML becomes, so that the same readers take both.
//!
//! No other module uses the TOML library.

use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Document, Item, TableLike};

use crate::look_alike;
use crate::yaml::{Key, Node, ScalarKind, Value};
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Whether a text begins as TOML does: with a header, or with a key and an equals sign.
pub(crate) fn is_likely(text: &str) -> bool {
    let is_content = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let first = text.lines().map(str::trim).find(is_content);
    first.is_some_and(|line| {
        let value = after_key(line).and_then(|rest| rest.trim_start().strip_prefix('='));
        line.starts_with('[') || value.is_some_and(|value| !value.starts_with('='))
    })
}

/// What follows a key, which may be quoted and have dots, at the beginning of a line.
fn after_key(line: &str) -> Option<&str> {
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        rest = match rest.chars().next()? {
            mark @ ('"' | '\'') => rest[1..].split_once(mark)?.1,
            _ => {
                let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                let after = rest.trim_start_matches(is_bare);
                (after.len() < rest.len()).then_some(after)?
            }
        };
        match rest.trim_start().strip_prefix('.') {
            Some(more) => rest = more,
            None => return Some(rest),
        }
    }
}

/// What is wrong with a key of more than 80 parts, and with lists and tables in each other: the library's limit.
const TOO_DEEP: &str = "nested more than 80 deep";

/// Reads a file.
///
/// # Errors
/// A diagnostic at the line where it stops being TOML.
pub(crate) fn read(file: &Arc<SourceFile>, text: &str) -> Result<Node, Diagnostic> {
    let reader = Reader {
        text,
        line_starts: std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect(),
    };
    let document = Document::parse(text).map_err(|error| {
        let reason = error.message().lines().next().unwrap_or_default();
        let (reason, lines) = match reason {
            // The library does not say where a key with too many dots is.
            "recursion limit" => (TOO_DEEP, longest_key(text)),
            reason if reason.contains("recursion depth") => (TOO_DEEP, reader.lines(error.span())),
            reason => (reason, reader.lines(error.span())),
        };
        let message = format!("{} is not valid TOML: {reason}", file.name());
        let lines = lines.unwrap_or(Lines::one(1));
        let invalid = Diagnostic::new(message).at(file, lines);
        let invalid = match syntax_help(text, reason, lines) {
            Some(help) => invalid.help(help),
            None => invalid,
        };
        invalid.caused_by(error)
    })?;
    Ok(reader.table(document.as_table(), Lines::one(1)))
}

/// The most likely fix for a syntax error.
fn syntax_help(text: &str, reason: &str, lines: Lines) -> Option<String> {
    let index = (lines.first as usize).saturating_sub(1);
    let mut rest = text.lines().skip(index);
    let line = rest.next().unwrap_or_default();
    // Quoted text may contain it.
    let content = line.split(" #").next().unwrap_or_default();
    let unquoted = content.split(['"', '\'']).step_by(2);
    if let Some(found) = unquoted.into_iter().find_map(look_alike::find) {
        return Some(format!(
            "The line contains {}. {}",
            found.name(),
            found.help()
        ));
    }
    if reason == "duplicate key" {
        return Some("Merge the two, or remove one of them.".to_owned());
    }
    let is_last = rest.all(|line| line.trim().is_empty());
    (is_last && reason.starts_with("unclosed"))
        .then(|| "The file ends here: check that it is complete.".to_owned())
}

/// The first of the lines with the most dots.
fn longest_key(text: &str) -> Option<Lines> {
    let dots = |line: &str| line.matches('.').count();
    let counted = text.lines().map(dots).enumerate();
    let most = counted.max_by_key(|(index, dots)| (*dots, std::cmp::Reverse(*index)));
    most.map(|(index, _)| Lines::one(index + 1))
}

struct Reader<'t> {
    text: &'t str,
    /// The offset of each line.
    line_starts: Vec<usize>,
}

impl Reader<'_> {
    fn lines(&self, span: Option<Range<usize>>) -> Option<Lines> {
        let line = |at: usize| self.line_starts.partition_point(|start| *start <= at);
        let span = span?;
        let last = Lines::one(line(span.end.saturating_sub(1).max(span.start)));
        Some(Lines {
            first: Lines::one(line(span.start)).first,
            last: last.last,
        })
    }

    /// A value as it is written.
    fn written(&self, span: Option<Range<usize>>) -> Option<&str> {
        span.and_then(|span| self.text.get(span))
    }

    /// A table; `lines` are those of its key.
    fn table(&self, table: &dyn TableLike, lines: Lines) -> Node {
        let entry = |(name, item): (&str, &Item)| {
            let own = table.key(name).and_then(toml_edit::Key::span);
            let lines = self.lines(own).unwrap_or(lines);
            let key = Key {
                name: name.to_owned(),
                lines,
            };
            (key, self.node(item, lines))
        };
        let entries: Vec<(Key, Node)> = table.iter().map(entry).collect();
        let last = entries.iter().map(|(_, node)| node.lines.last).max();
        Node {
            lines: Lines {
                last: last.unwrap_or(lines.last).max(lines.last),
                ..lines
            },
            value: Value::Mapping(entries),
        }
    }

    /// A value; `lines` are those of its key.
    fn node(&self, item: &Item, lines: Lines) -> Node {
        let lines = self.lines(item.span()).unwrap_or(lines);
        if let Some(table) = item.as_table_like() {
            return self.table(table, lines);
        }
        let value = match item {
            Item::ArrayOfTables(tables) => Value::List(
                tables
                    .iter()
                    .map(|table| self.table(table, lines))
                    .collect(),
            ),
            Item::Value(value) => self.value(value, lines),
            Item::None | Item::Table(_) => Value::Null,
        };
        Node { value, lines }
    }

    fn value(&self, value: &toml_edit::Value, lines: Lines) -> Value {
        let scalar = |kind, text: String| Value::Scalar { text, kind };
        match value {
            toml_edit::Value::String(text) => scalar(ScalarKind::String, text.value().clone()),
            toml_edit::Value::Integer(number) => {
                // Modes of files are as they are written in octal.
                let octal = self.written(number.span());
                let octal = octal.filter(|text| text.starts_with("0o"));
                let text = octal.map_or_else(|| number.value().to_string(), str::to_owned);
                scalar(ScalarKind::Number, text)
            }
            toml_edit::Value::Float(number) => {
                // As in YAML, a number keeps its digits: 3.10 is not 3.1.
                let written = self.written(number.span());
                let text = written
                    .map_or_else(|| number.value().to_string(), |text| text.replace('_', ""));
                scalar(ScalarKind::Number, text)
            }
            toml_edit::Value::Boolean(truth) => scalar(ScalarKind::Bool, truth.value().to_string()),
            // YAML has no dates: they are strings there.
            toml_edit::Value::Datetime(time) => {
                scalar(ScalarKind::String, time.value().to_string())
            }
            toml_edit::Value::Array(items) => {
                let items = items.iter().map(|item| {
                    let lines = self.lines(item.span()).unwrap_or(lines);
                    match item.as_inline_table() {
                        Some(table) => self.table(table, lines),
                        None => Node {
                            value: self.value(item, lines),
                            lines,
                        },
                    }
                });
                Value::List(items.collect())
            }
            toml_edit::Value::InlineTable(table) => self.table(table, lines).value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_lines() {
        let text = "# a comment\na = 1\n[t.sub]\nlist = [\n  'x',\n  {k = true},\n]\nday = 2026-11-01\nb.c = \"y\"\nx = [3.10, {y = 1_0.50e1}]\nmode = 0o640\n[[many]]\nn = 1.5\n[[many]]\n";
        let file = SourceFile::new("pixi.toml", text);
        let tree = read(&file, text).unwrap();
        let found = |path: &[&str]| {
            let mut node = &tree;
            for name in path {
                node = node.get(name).unwrap();
            }
            (node.lines.first, node.lines.last, node.text())
        };
        assert_eq!(found(&["a"]), (2, 2, Some("1")));
        assert_eq!(found(&["t", "sub", "list"]), (4, 7, None));
        assert_eq!(found(&["t", "sub", "day"]), (8, 8, Some("2026-11-01")));
        assert_eq!(found(&["t", "sub", "b", "c"]), (9, 9, Some("y")));
        assert_eq!(found(&["t", "sub", "mode"]), (11, 11, Some("0o640")));
        let numbers = tree.get("t").and_then(|t| t.get("sub")?.get("x")?.list());
        let numbers = numbers.unwrap();
        assert_eq!(numbers[0].text(), Some("3.10"));
        let inner = numbers[1].get("y").and_then(Node::text);
        assert_eq!(inner, Some("10.50e1"));
        let list = tree
            .get("t")
            .and_then(|t| t.get("sub")?.get("list")?.list());
        let lines: Vec<u32> = list.unwrap().iter().map(|item| item.lines.first).collect();
        assert_eq!(lines, [5, 6]);
        assert_eq!(tree.get("many").unwrap().list().unwrap().len(), 2);
    }

    #[test]
    fn toml_is_known_by_its_first_line() {
        for text in [
            "# a\n\n[a]\n",
            "[[a]]",
            "a=1",
            "a.b = 1",
            "'a b' . \"c\" = 1",
            " a = [",
        ] {
            assert!(is_likely(text), "{text}");
        }
        for text in [
            "", "# a", "a: b", "- a", "numpy==1", "a", "a b = 1", "'a = 1", "= 1", "a. = 1",
        ] {
            assert!(!is_likely(text), "{text}");
        }
    }

    #[test]
    fn the_likely_fix_of_a_syntax_error_is_named() {
        let help = |text: &str| {
            let file = SourceFile::new("pylock.toml", text);
            read(&file, text).unwrap_err().help
        };
        for (text, start) in [
            ("a = “b”\n", "The line contains `“` (U+201C)."),
            ("a = 1\na = 2\n", "Merge the two"),
            ("a = 1\nb = { c = 1\n\n", "The file ends here"),
            ("[workspace\n", "The file ends here"),
        ] {
            let found = help(text).unwrap_or_else(|| panic!("{text}"));
            assert!(found.starts_with(start), "{text}: {found}");
        }
        for text in [
            "a = \"“\" b\n",
            "a = b # “c”\n",
            "[workspace\nchannels = []\n",
        ] {
            assert_eq!(help(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_toml_is_reported_at_its_line() {
        for (text, line) in [("[a]\nb = \n", 2), ("[a]\nb = 1\nb = 2\n", 3), ("[a\n", 1)] {
            let file = SourceFile::new("pixi.toml", text);
            let error = read(&file, text).unwrap_err();
            assert_eq!(error.locations[0].lines.first, line, "{text}: {error}");
        }
        let many = |text: &str| text.repeat(10_000);
        for (text, line) in [
            (format!("b = 1\na = {}{}\n", many("["), many("]")), 2),
            (format!("b = 1\na = {}{}\n", many("[\n"), many("]\n")), 82),
            (format!("b = 1\na = {}1{}\n", many("{b="), many("}")), 2),
            (format!("b = 1\n{}a = 1\n", many("a.")), 2),
            (format!("b = 1\n[{}a]\n", many("a.")), 2),
            (format!("b = 1\n[[{}a]]\n", many("a.")), 2),
        ] {
            let file = SourceFile::new("pixi.toml", text.as_str());
            let error = read(&file, &text).unwrap_err();
            let start = &text[..20];
            assert_eq!(error.locations[0].lines.first, line, "{start:?}: {error}");
            assert!(
                error.message.ends_with(": nested more than 80 deep"),
                "{error}"
            );
        }
        let lists = |depth: usize| format!("a = {}{}\n", "[".repeat(depth), "]".repeat(depth));
        let key = |depth: usize| format!("{}a = 1\n", "a.".repeat(depth - 1));
        let is_read = |text: &str| read(&SourceFile::new("pixi.toml", text), text).is_ok();
        for text in [&lists as &dyn Fn(usize) -> String, &key] {
            assert!(is_read(&text(80)) && !is_read(&text(81)), "{}", text(80));
        }
    }
}
