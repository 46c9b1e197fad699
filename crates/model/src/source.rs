//! The user's files and places in them, which diagnostics point at.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::redact;

/// A file that the user wrote, as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    name: String,
    data: Vec<u8>,
    language: &'static str,
}

impl SourceFile {
    /// A file named `name` (as the user wrote it) with the content `data`.
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Arc<Self> {
        let name = name.into();
        let language = match name.rsplit_once('.').map(|(_, ext)| ext) {
            Some("yml" | "yaml") => "YAML",
            _ => "Conda",
        };
        Arc::new(Self {
            name,
            data: data.into(),
            language,
        })
    }

    /// The name that the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The file as an excerpt of `lines` may show it. Credentials in URLs are masked. A file that is too large to send
    /// with every message is blank except for those lines and some around them, which keep their line numbers.
    pub fn excerpt(&self, lines: Lines) -> Vec<u8> {
        /// How many lines clients show before and after a place.
        const CONTEXT: u32 = 4;
        self.excerpt_of(std::iter::once(Lines {
            first: lines.first.saturating_sub(CONTEXT),
            last: lines.last.saturating_add(CONTEXT),
        }))
    }

    /// The same for several places, without lines around them.
    pub fn excerpt_of(&self, places: impl Iterator<Item = Lines>) -> Vec<u8> {
        /// Lines outside the places are left blank in files of more than this many bytes.
        const LARGE: usize = 128 << 10;
        let whole = self.data.len() <= LARGE;
        let mut places: Vec<Lines> = places.collect();
        places.sort_unstable();
        let end = places.iter().map(|lines| lines.last).max().unwrap_or(0);
        let mut next = places.into_iter().peekable();
        let mut shown = Vec::with_capacity(self.data.len().min(2 * LARGE));
        for (number, line) in (1u32..).zip(self.data.split_inclusive(|byte| *byte == b'\n')) {
            if !whole && number > end {
                break;
            }
            while next.next_if(|lines| lines.last < number).is_some() {}
            if whole || next.peek().is_some_and(|lines| lines.first <= number) {
                shown.extend_from_slice(&shortened(masked(line)));
            } else {
                shown.push(b'\n');
            }
        }
        shown
    }

    /// The file's language, for clients that highlight excerpts.
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// The content as text.
    ///
    /// # Errors
    /// A diagnostic at the first line that is not UTF-8.
    pub fn text(self: &Arc<Self>) -> Result<&str, Diagnostic> {
        std::str::from_utf8(&self.data).map_err(|error| {
            let line = 1 + self.data[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            Diagnostic::new(format!("{} is not a UTF-8 text file", self.name))
                .at(self, Lines::one(line))
                .help("Check the file name after -f: environment and lock files are text.")
                .caused_by(error)
        })
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({:?}, {} bytes)", self.name, self.data.len())
    }
}

/// A range of whole lines of a file, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lines {
    /// The first line.
    pub first: u32,
    /// The last line, not before the first.
    pub last: u32,
}

impl Lines {
    /// One line.
    pub fn one(line: usize) -> Self {
        let line = u32::try_from(line).unwrap_or(u32::MAX).max(1);
        Self {
            first: line,
            last: line,
        }
    }
}

/// A place in a user's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The lines.
    pub lines: Lines,
}

/// An error or warning for the user, and the places in the user's files that it is about.
///
/// Two are equal if they tell the user the same, whatever caused them.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// What happened and why.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where, most relevant place first; empty when no file is to blame.
    pub locations: Vec<Location>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n{help}"),
            None => Ok(()),
        }
    }
}

impl Error for Diagnostic {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_deref()?;
        Some(cause)
    }
}

impl PartialEq for Diagnostic {
    fn eq(&self, other: &Self) -> bool {
        self.message == other.message
            && self.help == other.help
            && self.locations == other.locations
    }
}

impl Eq for Diagnostic {}

impl Diagnostic {
    /// A diagnostic without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            locations: Vec::new(),
            cause: None,
        }
    }

    /// The diagnostic for an error whose own message says all that the user needs.
    pub fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self::new(error.to_string()).caused_by(error)
    }

    /// Sets the error behind it, which the message already names.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, file: &Arc<SourceFile>, lines: Lines) -> Self {
        self.locations.push(Location {
            file: Arc::clone(file),
            lines,
        });
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The diagnostic as a terminal shows it: message, excerpts with line numbers, help.
    pub fn render(&self, level: Level) -> String {
        use annotate_snippets::{AnnotationKind, Group, Level as Style, Renderer, Snippet};
        let style = match level {
            Level::Error => Style::ERROR,
            Level::Warning => Style::WARNING,
        };
        let texts: Vec<(String, &Location)> = self
            .locations
            .iter()
            .map(|location| {
                let shown = location.file.excerpt(location.lines);
                let text = String::from_utf8_lossy(&shown).into_owned();
                (text, location)
            })
            .collect();
        let mut group = Group::with_title(style.primary_title(self.message.as_str()));
        for (text, location) in &texts {
            group = group.element(
                Snippet::source(text.as_str())
                    .path(location.file.name())
                    .annotation(AnnotationKind::Primary.span(byte_span(text, location.lines))),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Style::HELP.message(help.as_str()));
        }
        Renderer::plain().render(&[group])
    }
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The build fails.
    Error,
    /// The build continues.
    Warning,
}

/// The start of a line that is too long to read, or to send with every message.
fn shortened(line: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    /// In bytes.
    const LONGEST: usize = 4 << 10;
    if line.len() <= LONGEST {
        return line;
    }
    let mut start = String::from_utf8_lossy(&line[..LONGEST]).into_owned();
    start.push_str("…\n");
    Cow::Owned(start.into_bytes())
}

/// A line with the credentials of its URLs masked.
fn masked(line: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Owned(redact::masked(text).into_bytes()),
        Err(_) => Cow::Borrowed(line),
    }
}

/// The byte range of `lines` in `text`, without the last line break.
fn byte_span(text: &str, lines: Lines) -> std::ops::Range<usize> {
    let mut start = text.len();
    let mut end = text.len();
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if number == lines.first {
            start = offset;
        }
        if number == lines.last {
            end = offset + line.trim_end_matches(['\n', '\r']).len();
            break;
        }
        offset += line.len();
    }
    start.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_utf8_is_reported_at_its_line() {
        let file = SourceFile::new("env.lock", b"# syntax=x\n@EXPLICIT\n\xff\xfe\n".to_vec());
        let error = file.text().unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(3));
    }

    #[test]
    fn excerpts_hide_credentials_and_keep_line_numbers() {
        let mut text = String::from("@EXPLICIT\n");
        text.push_str(&"# a comment that makes the file large\n".repeat(5000));
        text.push_str("https://me:hunter2@c.example/t/tk-9/f/noarch/a-1-0.conda#md5\n");
        text.push_str(&"# and more\n".repeat(50));
        let file = SourceFile::new("env.lock", text);
        let shown = String::from_utf8(file.excerpt(Lines::one(5002))).unwrap();
        assert!(shown.len() < 10_000, "{}", shown.len());
        assert_eq!(
            shown.lines().nth(5001),
            Some("https://***@c.example/t/***/f/noarch/a-1-0.conda#md5")
        );
    }

    #[test]
    fn excerpts_show_the_start_of_long_lines() {
        let long = format!("A: \"{}\"\nB: 2\n", "x".repeat(300 << 10));
        let file = SourceFile::new("env.yml", long);
        let shown = String::from_utf8(file.excerpt(Lines::one(1))).unwrap();
        assert!(shown.len() < 5000, "{}", shown.len());
        assert!(shown.ends_with("xxx…\nB: 2\n"));
    }

    #[test]
    fn a_diagnostic_keeps_its_cause() {
        let file = SourceFile::new("env.lock", b"\xff".to_vec());
        let error = file.text().unwrap_err();
        let cause = error.clone();
        let cause = cause
            .source()
            .unwrap()
            .downcast_ref::<std::str::Utf8Error>();
        assert_eq!(cause.unwrap().valid_up_to(), 0);
        let same = Diagnostic {
            cause: None,
            ..error.clone()
        };
        assert_eq!((&same, same.source().is_none()), (&error, true));
    }

    #[test]
    fn a_diagnostic_renders_with_an_excerpt() {
        let file = SourceFile::new("env.lock", "@EXPLICIT\r\nhttps://x/y\r\n");
        let text = Diagnostic::new("no package")
            .at(&file, Lines::one(2))
            .help("name one")
            .render(Level::Error);
        insta::assert_snapshot!(text);
    }
}
