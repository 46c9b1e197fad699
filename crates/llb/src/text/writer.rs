//! Lines and quoting.

use std::fmt::{self, Write as _};

/// Collects lines.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
}

// Writing to a string cannot fail.
impl Writer {
    /// The first line of an entry.
    pub(super) fn head(&mut self, text: fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{text}");
    }

    /// A further line of an entry.
    pub(super) fn line(&mut self, text: fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "    {text}");
    }

    /// A name and a value.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        self.line(format_args!("{} {}", quoted(name), quoted(value)));
    }

    /// A name and a value, unless that is empty.
    pub(super) fn optional(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.field(name, value);
        }
    }

    /// The content of a file: its lines, or its size and digest if it is not
    /// text.
    pub(super) fn content(&mut self, data: &[u8]) {
        let text = std::str::from_utf8(data).ok().filter(|text| {
            let hidden = |char: char| char.is_control() && char != '\n';
            !text.contains(hidden)
        });
        match text {
            Some(text) => {
                for line in text.split_inclusive('\n') {
                    let (line, end) = match line.strip_suffix('\n') {
                        Some(line) => (line, ""),
                        None => (line, "\\"),
                    };
                    self.line(format_args!("  | {line}{end}"));
                }
            }
            None => self.line(format_args!(
                "  {} bytes {}",
                data.len(),
                crate::digest::Digest::of(data)
            )),
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A string as it is, or in quotes if it contains spaces or special characters.
pub(super) fn quoted(text: &str) -> Quoted<'_> {
    Quoted(text)
}

pub(super) struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |char: char| char.is_ascii_graphic() && !matches!(char, '"' | '\\');
        if !self.0.is_empty() && self.0.chars().all(plain) {
            f.write_str(self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}
