//! The lines of our own files in what pip prints: pip names them by file and number, the user knows them by their text.

use std::path::PathBuf;

/// A file that pip reads.
pub(super) struct ListFile {
    pub(super) path: PathBuf,
    /// The pip option that names it.
    pub(super) option: &'static str,
    pub(super) text: String,
    /// The index of the list's entry on each line.
    pub(super) entries: Vec<usize>,
}

impl ListFile {
    /// The entry on a line, counted from 1.
    fn entry(&self, line: usize) -> Option<usize> {
        self.entries.get(line.checked_sub(1)?).copied()
    }

    /// A line's requirement, without its options.
    fn requirement(&self, line: usize) -> Option<&str> {
        let text = self.text.lines().nth(line.checked_sub(1)?)?;
        Some(text.split(" --").next().unwrap_or(text).trim())
    }

    /// The entries that `text` names: `-r <path> (line 2)`, or `line 2 of <path>`.
    pub(super) fn entries_in(&self, text: &str) -> Vec<usize> {
        let path = self.path.display().to_string();
        let mut found = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(&path) {
            let digits = match after.strip_prefix(" (line ") {
                Some(after) => after.split(')').next(),
                None => before
                    .strip_suffix(" of ")
                    .and_then(|before| before.rsplit(' ').next()),
            };
            let line = digits.and_then(|digits| digits.parse().ok());
            found.extend(line.and_then(|line| self.entry(line)));
            rest = after;
        }
        found
    }

    /// `text` with this file's lines by their text: `Cannot install -r <path> (line 2)`. Parentheses that only name a
    /// line, `(from flask->-r <path> (line 2))`, are removed.
    pub(super) fn without_lines(&self, text: &str) -> String {
        let path = self.path.display().to_string();
        let mut short = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(&path) {
            let before = &rest[..at];
            let after = &rest[at + path.len()..];
            let line = after
                .strip_prefix(" (line ")
                .and_then(|after| after.split_once(')'));
            let (number, after) = match line {
                Some((digits, after)) => (digits.parse().ok(), after),
                None => (None, after),
            };
            // Nothing is closed between the parenthesis and the path.
            let origin = before
                .rfind(" (from ")
                .filter(|start| !before[*start..].contains(')'));
            rest = match origin {
                Some(start) => {
                    short.push_str(&before[..start]);
                    after.strip_prefix(')').unwrap_or(after)
                }
                None => {
                    let option = ["-r ", "-c "]
                        .iter()
                        .find_map(|option| before.strip_suffix(option));
                    short.push_str(option.unwrap_or(before));
                    let requirement = number.and_then(|number| self.requirement(number));
                    short.push_str(requirement.unwrap_or("the list"));
                    after
                }
            };
        }
        short + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> ListFile {
        ListFile {
            path: PathBuf::from("/tmp/pip/requirements.txt"),
            option: "--requirement",
            text: "--pre\nflask>=3 --hash=sha256:aa\nwerkzeug<1\n".to_owned(),
            entries: vec![4, 5, 9],
        }
    }

    #[test]
    fn lines_are_shown_by_their_text() {
        for (text, shown, entries) in [
            (
                "Cannot install -r /tmp/pip/requirements.txt (line 2) and -r /tmp/pip/requirements.txt (line 3) because",
                "Cannot install flask>=3 and werkzeug<1 because",
                vec![5, 9],
            ),
            (
                "the requirement a>5 (from flask->-r /tmp/pip/requirements.txt (line 2)) (from versions: 1.0)",
                "the requirement a>5 (from versions: 1.0)",
                vec![5],
            ),
            (
                "Invalid requirement: 'x===' (from line 3 of /tmp/pip/requirements.txt)",
                "Invalid requirement: 'x==='",
                vec![9],
            ),
            (
                "Double requirement given: b==1 (from -r /tmp/pip/requirements.txt (line 3)) (already in b==2 (from -r /tmp/pip/requirements.txt (line 2)), name='b')",
                "Double requirement given: b==1 (already in b==2, name='b')",
                vec![9, 5],
            ),
            ("in /tmp/pip/requirements.txt", "in the list", vec![]),
            ("nothing", "nothing", vec![]),
        ] {
            assert_eq!(file().without_lines(text), shown);
            assert_eq!(file().entries_in(text), entries, "{text}");
        }
    }
}
