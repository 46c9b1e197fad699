//! What diagnostics show of a file.

use std::borrow::Cow;

use super::lines::Lines;
use crate::redact;
use crate::secrets::Masking;
use crate::visible::visible;

/// The lines of `text` at these places, which keep their line numbers. A short text is shown as a whole. Secrets are masked, and
/// control characters escaped.
pub(super) fn of(text: &str, places: impl Iterator<Item = Lines>) -> Vec<u8> {
    /// Lines outside the places are left blank in files of more than this many bytes.
    const LARGE: usize = 128 << 10;
    let whole = text.len() <= LARGE;
    let mut places: Vec<Lines> = places.collect();
    places.sort_unstable();
    let end = places.iter().map(|lines| lines.last).max().unwrap_or(0);
    let mut next = places.into_iter().peekable();
    let mut shown = Vec::with_capacity(text.len().min(2 * LARGE));
    let mut masking = Masking::default();
    for (number, line) in (1u32..).zip(text.split_inclusive('\n')) {
        if !whole && number > end {
            break;
        }
        while next.next_if(|lines| lines.last < number).is_some() {}
        let line = bounded(line);
        let secret = masking.line(&line);
        let line = secret.as_deref().unwrap_or(&line);
        if whole || next.peek().is_some_and(|lines| lines.first <= number) {
            shown.extend_from_slice(shortened(&visible(&masked(line))).as_bytes());
        } else {
            shown.push(b'\n');
        }
    }
    shown
}

/// The start of a line that is too long to look for secrets in. It does not end inside a URL, whose start need not show that
/// a login follows.
fn bounded(line: &str) -> Cow<'_, str> {
    /// In bytes.
    const LONGEST: usize = 16 << 10;
    if line.len() <= LONGEST {
        return Cow::Borrowed(line);
    }
    let start = &line[..line.floor_char_boundary(LONGEST)];
    let is_edge = |c: char| c.is_whitespace() || "\"'".contains(c);
    let end = match start.rfind(is_edge).unwrap_or(0) {
        edge if start[edge..].contains("://") => edge,
        _ => start.len(),
    };
    Cow::Owned(format!("{}…\n", &start[..end]))
}

/// The start of a line that is too long to read, or to send with every message.
fn shortened(line: &str) -> Cow<'_, str> {
    /// In bytes.
    const LONGEST: usize = 4 << 10;
    if line.len() <= LONGEST {
        return Cow::Borrowed(line);
    }
    let end = line.floor_char_boundary(LONGEST);
    Cow::Owned(format!("{}…\n", &line[..end]))
}

/// A line with the credentials of its URLs masked. Where a character is damaged, a URL may not look like one: such words are
/// masked as a whole.
fn masked(line: &str) -> Cow<'_, str> {
    // UTF-16 in a file of another encoding is text with NUL in between.
    let is_damaged =
        |c: char| c == char::REPLACEMENT_CHARACTER || (c.is_control() && !c.is_whitespace());
    if !line.contains(is_damaged) {
        return Cow::Owned(redact::masked(line));
    }
    let words: Vec<&str> = line.split_inclusive(char::is_whitespace).collect();
    let may_be_url = |word: &&str| {
        let word = word.trim_end();
        word.strip_suffix(':')
            .unwrap_or(word)
            .contains(|c: char| ":/@?=".contains(c))
    };
    let first = words.iter().position(may_be_url).unwrap_or(words.len());
    let last = words.iter().rposition(may_be_url).unwrap_or(0);
    // A password may have spaces although it must not.
    let shown = words.iter().enumerate().map(|(index, word)| {
        let end = &word[word.trim_end().len()..];
        if (first..=last).contains(&index) {
            format!("***{end}")
        } else {
            (*word).to_owned()
        }
    });
    Cow::Owned(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_end_before_a_url_that_is_cut() {
        let secret = format!("TOKEN: '{}'", "x".repeat(16_000));
        let url = format!("https://me:{}@c.example", "hunter2".repeat(1_000));
        let file = format!("{{{secret}, {url}}}\n{}\n", "a: ".repeat(100_000));
        let shown =
            String::from_utf8(of(&file, [Lines { first: 1, last: 2 }].into_iter())).unwrap();
        let mut lines = shown.lines();
        assert_eq!(lines.next(), Some("{TOKEN: ***,…"));
        let second = lines.next().unwrap();
        assert!(second.starts_with("a: a: ") && second.ends_with('…'));
        assert!(second.len() < 5_000);
    }

    #[test]
    fn damaged_lines_hide_credentials() {
        let utf16: String = "https://me:hunter2@c.example\n"
            .chars()
            .flat_map(|c| [c, '\0'])
            .collect();
        for (line, shown) in [
            (
                "- https://me:hunter2@c.example/f \u{fffd}\n",
                "- *** \u{fffd}\n",
            ),
            (
                "a: https://me:hun or ter2@c.example \u{fffd}\n",
                "a: *** *** *** \u{fffd}\n",
            ),
            (&utf16, "***\n\0"),
            ("name: caf\u{fffd}\n", "name: caf\u{fffd}\n"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }
}
