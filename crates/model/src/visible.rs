//! Text from elsewhere as a terminal may show it: a package, a server or a file can contain characters that change what
//! the terminal shows, or the order in which it shows other text.

use std::borrow::Cow;

/// Whether a character is not shown itself, but changes how other text is shown: control characters except tabs and
/// line breaks, and those that set the direction of text.
pub fn is_hidden(c: char) -> bool {
    let sets_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    (c.is_control() && !['\n', '\t'].contains(&c)) || sets_direction
}

/// The text with its hidden characters as escapes: `\u{1b}`. A carriage return at the end of a line stays.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_hidden(c) && !(c == '\r' && chars.peek() == Some(&'\n')) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// The same on one line.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    let is_break = |c: char| ['\n', '\t'].contains(&c);
    match visible(text) {
        shown if shown.contains(is_break) => Cow::Owned(shown.replace(is_break, " ")),
        shown => shown,
    }
}

/// At most `longest` characters of a text, with a sign that more follows.
pub fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// What the text contains, if it does not fit into a list or a script with one name per line: a line break, or a hidden
/// character.
pub fn unfit(text: &str) -> Option<String> {
    let found = text.chars().find(|c| *c == '\n' || is_hidden(*c))?;
    Some(match found {
        '\n' | '\r' => "a line break".to_owned(),
        other => format!("the invisible character U+{:04X}", u32::from(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped() {
        for (text, shown) in [
            ("plain ü 漢 🐍", "plain ü 漢 🐍"),
            ("a\tb\nc\r\n", "a\tb\nc\r\n"),
            ("\u{1b}[2J\rgone", "\\u{1b}[2J\\rgone"),
            ("\u{202e}txt.exe\u{2066}", "\\u{202e}txt.exe\\u{2066}"),
            ("\u{7f}\u{85}\0", "\\u{7f}\\u{85}\\u{0}"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(visible_line("a\nb\t\u{1b}"), "a b \\u{1b}");
        assert_eq!(unfit("a\tb ü"), None);
        assert_eq!(unfit("a\nb").as_deref(), Some("a line break"));
        let escape = unfit("a\u{1b}b");
        assert_eq!(escape.as_deref(), Some("the invisible character U+001B"));
    }
}
