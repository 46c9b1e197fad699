//! A JSON document of which one value at a time is in memory.
//!
//! Values are found by hand, because serde_json takes a reader byte by byte and hands out copies of its values
//! (`Box<RawValue>`). In a buffer, they are only scanned and borrowed.

use std::io::{self, Read};
use std::ops::Range;

use serde_json::value::RawValue;

/// How much is read at once.
const CHUNK: usize = 1 << 18;

/// A JSON document that is read from its start to its end.
pub(super) struct Document<R> {
    source: R,
    /// What has been read and is not behind `at` for long.
    buffer: Vec<u8>,
    /// Where the rest starts.
    at: usize,
    /// How much has been read.
    length: u64,
    has_ended: bool,
}

impl<R: Read> Document<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            at: 0,
            length: 0,
            has_ended: false,
        }
    }

    /// The first byte of the next value or of what is between values; `None` at the end.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        loop {
            let rest = &self.buffer[self.at..];
            match rest.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(spaces) => {
                    self.at += spaces;
                    return Ok(Some(self.buffer[self.at]));
                }
                None if self.has_ended => return Ok(None),
                None => {
                    self.at = self.buffer.len();
                    self.fill()?;
                }
            }
        }
    }

    /// Reads the next value. It stays until the next call of a method.
    ///
    /// # Errors
    /// When it is not JSON, or the source cannot be read.
    pub(super) fn value(&mut self) -> io::Result<&[u8]> {
        let range = self.find()?;
        Ok(&self.buffer[range])
    }

    /// Reads an object: `each` gets the text of every key, with the document before its value, and reads that.
    ///
    /// # Errors
    /// When it is not an object, the source cannot be read, or `each` fails.
    pub(super) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        self.expect(b'{')?;
        if self.next()? == Some(b'}') {
            return self.expect(b'}');
        }
        let mut key = String::new();
        loop {
            if self.next()? != Some(b'"') {
                return Err(unexpected());
            }
            key.clear();
            key.push_str(std::str::from_utf8(self.value()?).map_err(io::Error::other)?);
            self.expect(b':')?;
            each(self, &key)?;
            if self.next()? != Some(b',') {
                return self.expect(b'}');
            }
            self.expect(b',')?;
        }
    }

    /// Whether nothing is left; how much was read in all.
    ///
    /// # Errors
    /// When the source cannot be read, or something is left.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        match self.next()? {
            None => Ok(self.length),
            Some(_) => Err(unexpected()),
        }
    }

    fn expect(&mut self, expected: u8) -> io::Result<()> {
        if self.next()? != Some(expected) {
            return Err(unexpected());
        }
        self.at += 1;
        Ok(())
    }

    /// Where the next value is in the buffer, which then has all of it.
    fn find(&mut self) -> io::Result<Range<usize>> {
        loop {
            if self.next()?.is_none() {
                return Err(unexpected());
            }
            let rest = &self.buffer[self.at..];
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
            match values.next() {
                Some(Ok(_)) => {
                    let end = self.at + values.byte_offset();
                    // A number may go on.
                    if end < self.buffer.len() || self.has_ended {
                        let start = std::mem::replace(&mut self.at, end);
                        return Ok(start..end);
                    }
                }
                Some(Err(error)) if !error.is_eof() || self.has_ended => return Err(error.into()),
                Some(Err(_)) | None => {}
            }
            self.fill()?;
        }
    }

    /// Reads more, as much as there is already: a long value is not looked at too often.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let more = self.buffer.len().max(CHUNK) as u64;
        let mut source = self.source.by_ref().take(more);
        let count = source.read_to_end(&mut self.buffer)?;
        self.length += count as u64;
        self.has_ended = count == 0;
        Ok(())
    }
}

/// The text of a key without quotation marks, unless it has escapes.
pub(super) fn plain(key: &str) -> Option<&str> {
    let text = key.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

fn unexpected() -> io::Error {
    io::Error::other("not the expected JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A source that gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    /// What a document has, read member by member.
    fn read(text: &str, step: usize) -> io::Result<Value> {
        let mut document = Document::new(Slow(text.as_bytes(), step));
        let mut found = serde_json::Map::new();
        document.members(|document, key| {
            let value = match plain(key) {
                Some("nested") => {
                    let mut inner = serde_json::Map::new();
                    document.members(|document, key| {
                        let value = serde_json::from_slice(document.value()?)?;
                        inner.insert(serde_json::from_str(key)?, value);
                        Ok(())
                    })?;
                    Value::Object(inner)
                }
                _ => serde_json::from_slice(document.value()?)?,
            };
            found.insert(serde_json::from_str(key)?, value);
            Ok(())
        })?;
        document.finish()?;
        Ok(Value::Object(found))
    }

    #[test]
    fn a_document_is_what_its_values_are() {
        let long = "x".repeat(3 * CHUNK);
        let documents = [
            json!({}),
            json!({"a": 1, "b": [1, {"c": "}\\\""}], "nested": {"x": null, "y\n": true}}),
            json!({"number": 12_345_678, "nested": {}, "long": long, "\"": "ü"}),
        ];
        for document in &documents {
            for text in [
                document.to_string(),
                serde_json::to_string_pretty(document).unwrap() + " \n",
            ] {
                for step in [1 << 20, 7] {
                    assert_eq!(read(&text, step).unwrap(), *document);
                }
            }
        }
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for text in [
            "",
            "[]",
            "{",
            "{} {}",
            "{\"a\": 1,}",
            "{\"a\" 1}",
            "{\"a\": [}",
            "{1: 2}",
            "{\"a\": 1 \"b\": 2}",
            "{\"nested\": 1}",
            "{\"a\": \"",
        ] {
            assert!(read(text, 3).is_err(), "{text}");
        }
    }
}
