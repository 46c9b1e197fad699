//! The headers of core metadata and of `WHEEL`, read as installers do: with python's `email`
//! (<https://packaging.python.org/en/latest/specifications/core-metadata/>).

/// A header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    pub(crate) name: &'a str,
    /// Its line, and the indented ones that continue it.
    pub(crate) lines: Vec<&'a str>,
}

impl Header<'_> {
    /// What follows the name, as python has it: without the spaces in front, but with those at the end.
    fn text(&self) -> String {
        let text = self.lines.join("\n");
        let (_, value) = text.split_once(':').unwrap_or_default();
        value.trim_start_matches([' ', '\t']).to_owned()
    }

    /// What follows the name, without spaces around it.
    pub(crate) fn value(&self) -> String {
        self.text().trim().to_owned()
    }
}

/// The headers of `text`. They end at the first empty line, and at one that neither is a header nor continues one.
pub(crate) fn headers(text: &str) -> Vec<Header<'_>> {
    let mut headers: Vec<Header<'_>> = Vec::new();
    for line in lines(text) {
        if line.starts_with([' ', '\t']) {
            if let Some(header) = headers.last_mut() {
                header.lines.push(line);
            }
        } else if let Some(name) = header_name(line) {
            let lines = vec![line];
            headers.push(Header { name, lines });
        } else if !line.starts_with("From ") {
            break;
        }
    }
    headers
}

/// The value of the first header with this name, whatever its case.
pub(crate) fn value(text: &str, name: &str) -> Option<String> {
    Some(first(text, name)?.value())
}

/// The same as python has it, with spaces at the end and line breaks.
pub(crate) fn text_of(text: &str, name: &str) -> Option<String> {
    Some(first(text, name)?.text())
}

fn first<'a>(text: &'a str, name: &str) -> Option<Header<'a>> {
    let mut headers = headers(text).into_iter();
    headers.find(|header| header.name.eq_ignore_ascii_case(name))
}

/// The lines of a text from any system: they may end in a carriage return alone.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\n');
    lines.flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// The lines of a text as python's `splitlines` has them: more characters end one.
pub(crate) fn all_lines(text: &str) -> impl Iterator<Item = &str> {
    const ENDS: [char; 8] = [
        '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    lines(text).flat_map(|line| line.split(ENDS))
}

fn header_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    name.chars().all(|c| c.is_ascii_graphic()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_that_python_finds() {
        for (what, text, expected) in [
            (
                "lines that continue",
                "Name: a\nSummary: b\n  c: d\n\te\nVersion: 1\n",
                vec![
                    ("Name", "a"),
                    ("Summary", "b\n  c: d\n\te"),
                    ("Version", "1"),
                ],
            ),
            (
                "an empty line",
                "Name: a.b \r\n\r\nVersion: 1\r\n",
                vec![("Name", "a.b")],
            ),
            (
                "a line that is no header",
                "Name: a\nLicense: Copyright\nPermission is granted\nRequires-Dist: b\n",
                vec![("Name", "a"), ("License", "Copyright")],
            ),
            (
                "old line ends",
                "Name: a\rVersion: 1\r\rText: x",
                vec![("Name", "a"), ("Version", "1")],
            ),
            (
                "doubled line ends",
                "Name: a\r\r\nVersion: 1\r\r\n",
                vec![("Name", "a")],
            ),
            ("a byte order mark", "\u{feff}Name: a\n", vec![]),
            ("a space in the name", "Name : a\n", vec![]),
            ("mail", " x\nFrom me\nName: a\n", vec![("Name", "a")]),
            (
                "a value of several lines",
                "Requires-Python: >=3.9,\n <4\n",
                vec![("Requires-Python", ">=3.9,\n <4")],
            ),
        ] {
            let found = headers(text);
            let found: Vec<(&str, String)> = found.iter().map(|it| (it.name, it.value())).collect();
            let expected: Vec<(&str, String)> = expected
                .into_iter()
                .map(|(name, value)| (name, value.to_owned()))
                .collect();
            assert_eq!(found, expected, "{what}");
        }
        assert_eq!(value("NAME: a\nName: b\n", "name").as_deref(), Some("a"));
        assert_eq!(value("Name: a\n", "Version"), None);
        for (text, expected) in [
            ("Name: \ta \t\r\nVersion: 1\r\n", "a \t"),
            ("Name:\n a\n", "\n a"),
            ("Name:a", "a"),
        ] {
            assert_eq!(text_of(text, "Name").as_deref(), Some(expected), "{text:?}");
        }
    }
}
