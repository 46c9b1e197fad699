//! How pip preprocesses the lines of a requirements file (`pip/_internal/req/req_file.py`, `preprocess`): it joins
//! continuations and drops comments.

use condafront_model::source::Lines;

/// The logical lines of `text` that are not empty, each with the lines of the file that it spans.
pub(crate) fn lines(text: &str) -> Vec<(String, Lines)> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize)> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let (mut joined, first) = open.take().unwrap_or((String::new(), number));
        let is_comment = line.trim_start().starts_with('#');
        match line.strip_suffix('\\') {
            Some(line) if !is_comment => {
                // As in pip, all of them.
                joined.push_str(line.trim_matches('\\'));
                open = Some((joined, first));
            }
            _ => {
                if is_comment {
                    // A comment ends a continuation and is not part of it.
                    joined.push(' ');
                }
                joined.push_str(line);
                push(&joined, first, number, &mut found);
            }
        }
    }
    if let Some((joined, first)) = open {
        push(&joined, first, text.lines().count(), &mut found);
    }
    found
}

/// The comment or empty line above `line` of a file with this text that ends a continuation, although `line` was probably meant
/// to belong to it.
pub(crate) fn cut(text: &str, line: Lines) -> Option<&str> {
    let lines: Vec<&str> = text.lines().take(line.first as usize - 1).collect();
    let says_nothing = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let end = lines.iter().rposition(|line| !says_nothing(line))?;
    let ended_by = lines.get(end + 1)?;
    lines[end].ends_with('\\').then(|| ended_by.trim())
}

/// The lines of an entry of a list, which is at `lines` of its file. An entry may have several: tools write it to a
/// requirements file as it is.
pub(crate) fn lines_of_entry(text: &str, lines: Lines) -> Vec<(String, Lines)> {
    let text = text.trim_end();
    if !text.trim_start().contains('\n') {
        return vec![(text.trim().to_owned(), lines)];
    }
    let in_file = |own: Lines| {
        let (first, last) = (lines.first + own.first - 1, lines.first + own.last - 1);
        if last <= lines.last {
            Lines { first, last }
        } else {
            lines
        }
    };
    let found = self::lines(text).into_iter();
    found.map(|(text, own)| (text, in_file(own))).collect()
}

fn push(line: &str, first: usize, last: usize, found: &mut Vec<(String, Lines)>) {
    let text = without_comment(line).trim();
    if !text.is_empty() {
        let lines = Lines {
            first: Lines::one(first).first,
            last: Lines::one(last).last,
        };
        found.push((text.to_owned(), lines));
    }
}

/// `line` without its comment, which starts at a `#` at the start of the line or after a space.
pub(crate) fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = c;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_joined_as_pip_joins_them() {
        let text = "requests>=2  # the newest\n\n  # nothing\nflask==3.0 \\\n    --hash=sha256:aa \\\n  # a comment within\nx @ https://f.example/x.whl#sha256=bb\r\nidna\\\\\n>=3\nlast \\\n";
        let found = lines(text);
        let expected = [
            ("requests>=2", 1, 1),
            ("flask==3.0     --hash=sha256:aa", 4, 6),
            ("x @ https://f.example/x.whl#sha256=bb", 7, 7),
            ("idna>=3", 8, 9),
            ("last", 10, 10),
        ];
        let expected: Vec<(String, Lines)> = expected
            .into_iter()
            .map(|(text, first, last)| (text.to_owned(), Lines { first, last }))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_cuts_a_continuation_is_found() {
        for (text, expected) in [
            ("six==1 \\\n# via x\n--hash=x\n", Some("# via x")),
            ("six==1 \\\r\n\r\n--hash=x\r\n", Some("")),
            ("six==1 \\\n  # a\n\n# b\n--hash=x\n", Some("# a")),
            ("six==1\n# via x\n--hash=x\n", None),
            ("six==1 \\\n--hash=x\n", None),
            ("# six \\\n\n--hash=x\n", None),
            ("--hash=x\n", None),
        ] {
            let last = text.lines().count();
            assert_eq!(cut(text, Lines::one(last)), expected, "{text}");
        }
    }

    #[test]
    fn entries_of_several_lines_are_split() {
        let at = |first, last| Lines { first, last };
        for (text, lines, expected) in [
            (" six>=1 ", at(7, 7), vec![("six>=1", at(7, 7))]),
            (
                "six==1 \\\n  --hash=x\n# c\nidna\n",
                at(7, 10),
                vec![("six==1   --hash=x", at(7, 8)), ("idna", at(10, 10))],
            ),
            // Folded, or in quotes.
            (
                "six\nidna",
                at(7, 7),
                vec![("six", at(7, 7)), ("idna", at(7, 7))],
            ),
            ("# a\n# b\n", at(7, 9), vec![]),
            ("six \\", at(7, 7), vec![("six \\", at(7, 7))]),
        ] {
            let found = lines_of_entry(text, lines);
            let found: Vec<(&str, Lines)> = found
                .iter()
                .map(|(text, lines)| (text.as_str(), *lines))
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_line_is_in_the_file(text in "([a-z#\\\\ ${}A-Z\r\n\u{2028}é]{0,40})|.*") {
            let count = text.lines().count().max(1) as u32;
            let mut last = 0;
            for (line, lines) in lines(&text) {
                prop_assert!(!line.is_empty());
                prop_assert!(last < lines.first && lines.first <= lines.last && lines.last <= count);
                last = lines.last;
            }
        }
    }
}
