//! The user's files and places in them, which diagnostics point at.

mod excerpt;
mod lines;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

pub use self::lines::Lines;
use crate::encoding::{self, Damage, DamageKind, Decoded};
use crate::redact;
use crate::visible::{visible, visible_line};

/// A file that the user wrote, as it was read. Two are equal if they say the same, whatever their encodings.
#[derive(Clone)]
pub struct SourceFile {
    name: String,
    text: String,
    /// The content, if it is not the text in UTF-8.
    other: Option<Vec<u8>>,
    /// What is not text in it.
    damaged: Option<Damaged>,
    language: &'static str,
}

impl PartialEq for SourceFile {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.text == other.text && self.damaged == other.damaged
    }
}

impl Eq for SourceFile {}

/// A file that is not text, or in an encoding that only its kind can tell.
#[derive(Clone, PartialEq, Eq)]
struct Damaged {
    first: Damage,
    data: Vec<u8>,
}

impl SourceFile {
    /// A file named `name` (as the user wrote it) with the content `data`, in any encoding of Unicode.
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Arc<Self> {
        let data = data.into();
        let decoded = encoding::decode(&data);
        Self::decoded(name.into(), decoded, data)
    }

    fn decoded(name: String, decoded: Decoded, data: Vec<u8>) -> Arc<Self> {
        let other = (decoded.text.as_bytes() != data).then(|| data.clone());
        let language = match name.rsplit_once('.').map(|(_, ext)| ext) {
            Some("yml" | "yaml") => "YAML",
            _ => "Conda",
        };
        Arc::new(Self {
            name,
            text: decoded.text,
            other,
            damaged: decoded.damage.map(|first| Damaged { first, data }),
            language,
        })
    }

    /// The same file, read in the encoding that it declares as a Python file does (PEP 263). Other files are returned as
    /// they are.
    ///
    /// # Errors
    /// A diagnostic at the line that declares an unknown encoding.
    pub fn as_declared(self: &Arc<Self>) -> Result<Arc<Self>, Diagnostic> {
        let declared = self.damaged.as_ref().map(|damaged| {
            let decoded = encoding::decode_as_declared(&damaged.data)?;
            Some((decoded, &damaged.data))
        });
        match declared.flatten() {
            None => Ok(Arc::clone(self)),
            Some((Ok(decoded), data)) => {
                Ok(Self::decoded(self.name.clone(), decoded, data.clone()))
            }
            Some((Err((line, encoding)), _)) => Err(Diagnostic::new(format!(
                "condafront cannot read the encoding `{}`",
                redact::quoted(&encoding)
            ))
            .at(self, Lines::one(line))
            .help("Save the file as UTF-8, and remove the line.")),
        }
    }

    /// The name that the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content as it was read.
    pub fn bytes(&self) -> &[u8] {
        self.other.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The content, with U+FFFD for what is not text.
    pub fn lossy_text(&self) -> &str {
        &self.text
    }

    /// The file as an excerpt of `lines` may show it. Credentials in URLs and the values of variables that look like
    /// secrets are masked, and control characters escaped. A
    /// file that is too large to send with every message is blank except for those lines and some around them, which keep
    /// their line numbers.
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
        excerpt::of(&self.text, places)
    }

    /// The file's language, for clients that highlight excerpts.
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// The content as text.
    ///
    /// # Errors
    /// A diagnostic at the first line that is not text.
    pub fn text(self: &Arc<Self>) -> Result<&str, Diagnostic> {
        const OTHER_FILE: &str = "If it is not a text file, check the name after -f.";
        let Some(Damaged { first, data }) = &self.damaged else {
            return Ok(&self.text);
        };
        let name = &self.name;
        if let Some(kind) = binary_kind(data) {
            let help = match name.rsplit('.').next() {
                Some("conda" | "bz2") => {
                    "To install a conda package from a file, list its URL in an explicit lock."
                }
                _ => "Check the name after -f: an environment file or a lock is text.",
            };
            return Err(Diagnostic::new(format!("{name} is {kind}")).help(help));
        }
        let (message, help) = match first.kind {
            DamageKind::Invalid(encoding) => (
                format!("{name} is not valid {encoding}"),
                format!("Save the file as UTF-8. {OTHER_FILE}"),
            ),
            DamageKind::CutOff(encoding) => (
                format!("{name} ends in the middle of a character of {encoding}"),
                format!(
                    "The file may be incomplete: copy it again, or save it as UTF-8. {OTHER_FILE}"
                ),
            ),
            DamageKind::Nul => (
                format!("{name} contains a NUL byte"),
                format!(
                    "Save the file as UTF-8: a part of it may be in UTF-16, which PowerShell's `>>` appends to any file. {OTHER_FILE}"
                ),
            ),
        };
        let error = Diagnostic::new(message)
            .at(self, Lines::one(first.line))
            .help(help);
        let cause = std::str::from_utf8(data).err();
        Err(
            match cause.filter(|_| first.kind == DamageKind::Invalid("UTF-8")) {
                Some(cause) => error.caused_by(cause),
                None => error,
            },
        )
    }
}

/// What a file is that begins as no text does (file(1) knows them by the same bytes).
fn binary_kind(data: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "compressed with gzip"),
        (b"BZh", "compressed with bzip2"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
        (b"\xfd7zXZ\0", "compressed with xz"),
        (b"\x7fELF", "a program"),
        (b"\x89PNG", "an image"),
        (b"\xff\xd8\xff", "an image"),
        (b"%PDF-", "a PDF document"),
    ];
    let found = KINDS.iter().find(|(start, _)| data.starts_with(start));
    found.map(|(_, kind)| *kind)
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({:?}, {} bytes)", self.name, self.text.len())
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
    /// What the help is, for those who would add to it.
    pub advice: Advice,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// What the help of a diagnostic is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Advice {
    /// It may be one of several ways out.
    #[default]
    Open,
    /// To write the file again, with the command of the tool whose file it is.
    WriteAgain,
    /// All that can be done: to write the file again would not help.
    Complete,
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
            advice: Advice::Open,
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

    /// Adds a place, unless it is known.
    #[must_use]
    pub fn at(mut self, file: &Arc<SourceFile>, lines: Lines) -> Self {
        let place = Location {
            file: Arc::clone(file),
            lines,
        };
        if !self.locations.contains(&place) {
            self.locations.push(place);
        }
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says that the help is all that can be done about it: advice for the whole file, such as to write it again, would not help.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.advice = Advice::Complete;
        self
    }

    /// Sets help that says how to write the file again, with the command of the tool whose file it is.
    #[must_use]
    pub fn help_to_write_again(mut self, help: impl Into<String>) -> Self {
        self.advice = Advice::WriteAgain;
        self.help(help)
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
        let message = visible(&self.message);
        let help = self.help.as_deref().map(visible);
        let mut group = Group::with_title(style.primary_title(message));
        for (text, location) in &texts {
            group = group.element(
                Snippet::source(text.as_str())
                    .path(visible_line(location.file.name()))
                    .annotation(AnnotationKind::Primary.span(byte_span(text, location.lines))),
            );
        }
        if let Some(help) = help {
            group = group.element(Style::HELP.message(help));
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
mod tests;
