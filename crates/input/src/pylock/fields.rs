//! Values of a `pylock.toml`, and how mistakes in it are reported.

use std::str::FromStr as _;
use std::sync::Arc;

use pep508_rs::pep440_rs::VersionSpecifiers;

use crate::marker::Marker;
use crate::section::image_section::Located;
use crate::yaml::Node;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_model::visible::unfit;

/// Help for what only another lock can change.
pub(super) const RELOCK: &str = "Regenerate the lock.";

/// Strings with a grammar of their own, in which line breaks may be space.
const PARSED: &[&str] = &["marker", "requires-python"];

/// A lock being read.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Arc<SourceFile>,
}

impl Reader<'_> {
    pub(super) fn error(&self, lines: Lines, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).at(self.file, lines).help(RELOCK)
    }

    pub(super) fn marker(&self, text: &str, lines: Lines) -> Result<Marker, Diagnostic> {
        Marker::parse(text).map_err(|why| {
            self.error(
                lines,
                format!("`{}` is not a valid marker: {why}", quoted(text)),
            )
        })
    }

    pub(super) fn requires_python(
        &self,
        table: &Node,
    ) -> Result<Option<Located<VersionSpecifiers>>, Diagnostic> {
        let Some(Located { value: text, lines }) = self.string(table, "requires-python")? else {
            return Ok(None);
        };
        match VersionSpecifiers::from_str(text) {
            Ok(value) => Ok(Some(Located { value, lines })),
            Err(error) => {
                let message = format!("`{}` does not say which versions of python", quoted(text));
                Err(self.error(lines, message).caused_by(error))
            }
        }
    }

    pub(super) fn string<'n>(
        &self,
        table: &'n Node,
        key: &str,
    ) -> Result<Option<Located<&'n str>>, Diagnostic> {
        let Some(node) = table.get(key) else {
            return Ok(None);
        };
        let lines = node.lines;
        match node.text().filter(|text| !text.is_empty()) {
            // Other values become names of steps and files, or parts of messages.
            Some(value) => match unfit(value).filter(|_| !PARSED.contains(&key)) {
                Some(what) => Err(self
                    .error(lines, format!("`{key}` contains {what}"))
                    .help(RELOCK)),
                None => Ok(Some(Located { value, lines })),
            },
            None => Err(self.error(
                lines,
                match node.text() {
                    Some(_) => format!("`{key}` is empty"),
                    None => format!("`{key}` must be a string, not {}", node.what()),
                },
            )),
        }
    }

    pub(super) fn strings<'n>(
        &self,
        table: &'n Node,
        key: &str,
    ) -> Result<Vec<Located<&'n str>>, Diagnostic> {
        let Some(node) = table.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = |node: &Node| {
            let what = node.what();
            self.error(
                node.lines,
                format!("`{key}` must be a list of strings, not {what}"),
            )
        };
        let items = node.list().ok_or_else(|| wrong(node))?.iter();
        let items = items.map(|item| {
            let lines = item.lines;
            let value = item.text().ok_or_else(|| wrong(item))?;
            Ok(Located { value, lines })
        });
        items.collect()
    }
}
