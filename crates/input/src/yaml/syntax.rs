//! What is wrong with the syntax of a file, in the words of its author instead of the parser's.

use std::borrow::Cow;

use crate::look_alike;
use condafront_model::redact::quoted;

/// What is wrong, as the end of a sentence, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault<'a> {
    pub(super) what: Cow<'a, str>,
    pub(super) help: Cow<'static, str>,
    /// Whether it is wrong with the line before.
    pub(super) is_before: bool,
}

impl<'a> Fault<'a> {
    fn new(what: impl Into<Cow<'a, str>>, help: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            help: help.into(),
            is_before: false,
        }
    }

    /// The same, but with the line before.
    fn before(self) -> Self {
        Self {
            is_before: true,
            ..self
        }
    }
}

const CHECK: &str = "Check quotes, brackets and indentation, here and on the lines above: entries of one list or mapping start in the same column.";
const COLUMNS: &str =
    "Start the entries of one list, and the keys of one mapping, in the same column.";
const CLOSE_QUOTE: &str = "Write the quote that closes it. It may belong on a line above.";
const QUOTE: &str = "Put the value in quotes.";

/// A line of the file, and those around it that are neither blank nor comments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines<'a> {
    /// The number of the line before.
    pub(super) number_before: usize,
    before: &'a str,
    line: &'a str,
    after: &'a str,
}

impl<'a> Lines<'a> {
    /// Those around line `number` of `text`, counted from 1.
    pub(super) fn around(text: &'a str, number: usize) -> Self {
        let is_content = |line: &&str| {
            let line = line.trim_start();
            !line.is_empty() && !line.starts_with('#')
        };
        let before = (1..).zip(text.lines()).take(number.saturating_sub(1));
        let before = before.filter(|(_, line)| is_content(line)).last();
        let (number_before, before) = before.unwrap_or_default();
        Self {
            number_before,
            before,
            line: text
                .lines()
                .nth(number.saturating_sub(1))
                .unwrap_or_default(),
            after: text
                .lines()
                .skip(number)
                .find(is_content)
                .unwrap_or_default(),
        }
    }
}

/// What is wrong with a line on which the parser stopped with `message`.
pub(super) fn fault<'a>(message: &'a str, lines: Lines<'_>) -> Fault<'a> {
    let line = lines.line;
    if has_tab(line) {
        return Fault::new(
            "a line is indented with a tab",
            "Indent with spaces: YAML does not allow tabs.",
        );
    }
    // Elsewhere in a line, it may well be meant.
    let structure = line.split(|c: char| c.is_ascii_alphanumeric()).next();
    if let Some(found) = look_alike::find(structure.unwrap_or_default()) {
        return Fault::new(format!("a line begins with {}", found.name()), found.help());
    }
    let content = line.trim_start();
    if content.starts_with("```") {
        return Fault::new(
            "a line is in the notation of Markdown",
            "Remove the lines that start with ```.",
        );
    }
    if content
        .strip_prefix('-')
        .is_some_and(|entry| entry.starts_with(char::is_alphanumeric))
    {
        return Fault::new(
            "a dash has no space after it",
            "Write a space after the dash.",
        );
    }
    of_columns(message, lines)
        .or_else(|| of_values(message, line))
        .or_else(|| of_brackets(message, line))
        .unwrap_or_else(|| Fault::new(message, CHECK))
}

/// Keys and entries in a place where they cannot be.
fn of_columns(message: &str, lines: Lines<'_>) -> Option<Fault<'static>> {
    let Lines { before, line, .. } = lines;
    let is_entry = |line: &str| line == "-" || line.starts_with("- ");
    let (content, earlier) = (line.trim(), before.trim());
    Some(match message {
        "simple key expected ':'" => neither_key_nor_entry(lines),
        "mapping values are not allowed in this context" if has_two_colons(content) => {
            Fault::new("a value contains a colon and a space", QUOTE)
        }
        "mapping values are not allowed in this context" => key_without_colon(earlier).map_or_else(
            || {
                Fault::new(
                    "a key is indented deeper than the line above, which is complete",
                    COLUMNS,
                )
            },
            Fault::before,
        ),
        "block sequence entries are not allowed in this context" => Fault::new(
            "a list starts on the line of its key",
            "Write each entry on its own line below the key, or the list in brackets: `[python, numpy]`.",
        ),
        "while parsing a block mapping, did not find expected key"
            if is_entry(content) && indent(before) == indent(line) && !is_entry(earlier) =>
        {
            Fault::new(
                "an entry of a list is not below a key without a value",
                "Write the key of the list on the line above, such as `dependencies:`.",
            )
        }
        "while parsing a block collection, did not find expected '-' indicator"
            if !is_entry(content) =>
        {
            Fault::new(
                "a line in the column of a list's entries has no dash",
                "Write a dash and a space in front of it if it belongs to the list. If not, start it in the column of the key above the list.",
            )
        }
        "while parsing a block mapping, did not find expected key"
        | "while parsing a block collection, did not find expected '-' indicator"
        | "invalid indentation" => Fault::new(
            "the indentation differs from that of the lines above",
            COLUMNS,
        ),
        "did not find expected <document start>"
            if !line.starts_with('%') && !before.starts_with('%') =>
        {
            key_without_colon(earlier).map_or_else(
                || {
                    Fault::new(
                        "the indentation differs from that of the lines above",
                        COLUMNS,
                    )
                },
                Fault::before,
            )
        }
        "invalid indentation in flow construct" => Fault::new(
            "a line in brackets is not indented deeper than their key",
            "Indent it, or close the bracket on a line above.",
        ),
        "recursive references require weak recursion types" => Fault::new(
            "an alias is inside the value that it repeats",
            "Write the value itself in place of `*name`.",
        ),
        "comment intercepting the multiline text" => Fault::new(
            "a comment is in the middle of a value",
            "Move the comment above the value, or start a new entry after it.",
        ),
        _ => return None,
    })
}

/// A line that is a word where a key or an entry is meant.
fn neither_key_nor_entry(lines: Lines<'_>) -> Fault<'static> {
    let Lines {
        before,
        line,
        after,
        ..
    } = lines;
    let (content, earlier) = (line.trim(), before.trim());
    let is_among_entries = earlier.starts_with("- ") && indent(line) >= indent(before);
    if !is_among_entries && let Some(fault) = key_without_colon(content) {
        return fault;
    }
    let what = "a line is neither `key: value` nor an entry with a dash";
    let is_word = !content.contains(char::is_whitespace);
    if is_word && after.trim_start().starts_with("- ") && indent(after) > indent(line) {
        return Fault::new(
            what,
            format!("Write a colon after it: `{}:`.", quoted(content)),
        );
    }
    if earlier.ends_with(['|', '>']) || earlier.ends_with("|-") || earlier.ends_with(">-") {
        return Fault::new(what, "Indent the text deeper than the line above it.");
    }
    if earlier.starts_with("- ") {
        let help = format!(
            "Write a dash and a space in front of it: `- {}`.",
            quoted(content)
        );
        return Fault::new(what, help);
    }
    Fault::new(
        what,
        "Write a colon and a space after a key, or a dash and a space in front of an entry.",
    )
}

/// A key without the colon and space after it: `name:lab`, `name = lab`.
fn key_without_colon(content: &str) -> Option<Fault<'static>> {
    let end = content.find(|c: char| !(c.is_alphanumeric() || "_-".contains(c)))?;
    let (key, rest) = content.split_at(end);
    let value = |sign: char| {
        rest.trim_start()
            .strip_prefix(sign)
            .filter(|value: &&str| !value.is_empty())
    };
    if key.is_empty() {
        None
    } else if let Some(value) = value(':').filter(|value| !value.starts_with([' ', ':', '/'])) {
        let help = format!(
            "Write a space after it: `{}: {}`.",
            quoted(key),
            quoted(value.trim())
        );
        Some(Fault::new("a colon has no space after it", help))
    } else {
        let value = value('=').filter(|value| !value.starts_with('='))?;
        let help = format!(
            "Write a colon in its place: `{}: {}`.",
            quoted(key),
            quoted(value.trim())
        );
        Some(Fault::new("a key has an equals sign after it", help))
    }
}

/// Values that need quotes, or other ones.
fn of_values(message: &str, line: &str) -> Option<Fault<'static>> {
    let first = match message {
        "unclosed quote"
        | "invalid indentation in multiline quoted scalar"
        | "while scanning a quoted scalar, found unexpected document indicator" => {
            return Some(Fault::new("a quote is not closed", CLOSE_QUOTE));
        }
        "invalid trailing content after double-quoted scalar"
        | "invalid trailing content after single-quoted scalar" => {
            return Some(Fault::new(
                "text follows a closing quote",
                "Put the whole value in quotes.",
            ));
        }
        "comments must be separated from other tokens by whitespace" => {
            return Some(Fault::new(
                "a comment has no space before it",
                "Write a space before the `#`.",
            ));
        }
        _ if message.starts_with("while parsing a quoted scalar") => {
            return Some(Fault::new(
                "a backslash in double quotes does not start a valid escape",
                "Use single quotes, in which a backslash is an ordinary character, or write `\\\\`.",
            ));
        }
        "while scanning a block scalar, did not find expected comment or line break" => {
            starts(line, "|>")
        }
        "alias references unknown anchor"
        | "while parsing node, found unknown anchor"
        | "while scanning an anchor or alias, did not find expected alphabetic or numeric character" => {
            starts(line, "*&")
        }
        _ => message
            .strip_prefix("unexpected character: `")
            .and_then(|rest| rest.chars().next()),
    }?;
    Some(Fault::new(
        format!("a value starts with `{first}`, which has another meaning in YAML"),
        QUOTE,
    ))
}

/// The one of `signs` that a value of the line starts with.
fn starts(line: &str, signs: &str) -> Option<char> {
    let mut before = ' ';
    line.chars().find(|c| {
        let is_first = " [{,".contains(before);
        before = *c;
        is_first && signs.contains(*c)
    })
}

/// Brackets and what is in them.
fn of_brackets(message: &str, line: &str) -> Option<Fault<'static>> {
    const COMMAS: &str = "Write a comma between entries, and quotes around a string that contains brackets, braces, commas or a colon and a space.";
    let closing = |open: char| if open == '[' { ']' } else { '}' };
    let named = |prefix: &str| {
        message
            .strip_prefix(prefix)
            .and_then(|rest| rest.chars().next())
    };
    if let Some(open) = named("unclosed bracket '") {
        let help = format!("Write `{}` at its end.", closing(open));
        return Some(Fault::new(format!("`{open}` is not closed"), help));
    }
    if let Some(open) = named("mismatched bracket '") {
        let (wrong, right) = (closing(if open == '[' { '{' } else { '[' }), closing(open));
        let help = format!("Write `{right}` in place of `{wrong}`.");
        return Some(Fault::new(format!("`{open}` is closed by `{wrong}`"), help));
    }
    let missing = match message {
        "misplaced bracket" => {
            return Some(Fault::new(
                "a bracket is closed that was not opened",
                "Remove it, or put a string that contains brackets in quotes.",
            ));
        }
        "illegal placement of ':' indicator" => {
            return Some(Fault::new(
                "a key is inside brackets",
                "Close the bracket on a line above.",
            ));
        }
        _ if line.replace(' ', "").contains(",,") => {
            return Some(Fault::new(
                "two commas have nothing between them",
                "Remove one of them.",
            ));
        }
        "while parsing a flow mapping, did not find expected ',' or '}'" => '}',
        "while parsing a flow sequence, expected ',' or ']'" => ']',
        _ => return None,
    };
    let help = if line.contains("${") {
        "Inside brackets or braces, quote a string that contains ${…}."
    } else {
        COMMAS
    };
    Some(Fault::new(
        format!("a comma or `{missing}` is missing"),
        help,
    ))
}

/// Whether a line has two colons with a space after them, outside comments.
fn has_two_colons(content: &str) -> bool {
    let content = content.split(" #").next().unwrap_or_default();
    content.matches(": ").count() + usize::from(content.ends_with(':')) > 1
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a line is indented with a tab.
pub(super) fn has_tab(line: &str) -> bool {
    !line.trim().is_empty() && line[..indent(line)].contains('\t')
}
