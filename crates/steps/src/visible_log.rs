//! A log that shows the control characters that programs print, instead of sending them to terminals.

use std::io::{self, Write};

use condafront_model::visible::visible;

/// Writes text to another log with its hidden characters as escapes. Carriage returns become line breaks, so that each
/// state of a progress bar is a line.
pub(crate) struct VisibleLog<'a> {
    log: &'a mut dyn Write,
    /// The start of a character whose end has not arrived.
    rest: Vec<u8>,
    /// Whether the last character was a carriage return, which is already a line break in the log.
    after_return: bool,
}

impl<'a> VisibleLog<'a> {
    pub(crate) fn new(log: &'a mut dyn Write) -> Self {
        Self {
            log,
            rest: Vec::new(),
            after_return: false,
        }
    }
}

impl Write for VisibleLog<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let mut shown = String::with_capacity(self.rest.len());
        let mut end = 0;
        for chunk in self.rest.utf8_chunks() {
            shown.push_str(chunk.valid());
            end += chunk.valid().len();
            let invalid = chunk.invalid();
            let is_cut_off = end + invalid.len() == self.rest.len()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_cut_off {
                break;
            }
            if !invalid.is_empty() {
                shown.push(char::REPLACEMENT_CHARACTER);
                end += invalid.len();
            }
        }
        self.rest.drain(..end);
        if self.after_return && shown.starts_with('\n') {
            shown.remove(0);
        }
        if let Some(last) = shown.chars().next_back() {
            self.after_return = last == '\r';
        }
        let shown = shown.replace("\r\n", "\n").replace('\r', "\n");
        self.log.write_all(visible(&shown).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_however_the_text_arrives() {
        let text = "a\u{1b}[2J ü \u{202e}b\r10%\r\nc\n\nd\n".as_bytes();
        for size in 1..=text.len() {
            let mut log = Vec::new();
            let mut visible = VisibleLog::new(&mut log);
            for piece in text.chunks(size) {
                visible.write_all(piece).unwrap();
            }
            let shown = String::from_utf8(log).unwrap();
            assert_eq!(shown, "a\\u{1b}[2J ü \\u{202e}b\n10%\nc\n\nd\n", "{size}");
        }
        let mut log = Vec::new();
        VisibleLog::new(&mut log).write_all(b"a\xffb\n").unwrap();
        assert_eq!(log, "a\u{fffd}b\n".as_bytes());
    }
}
