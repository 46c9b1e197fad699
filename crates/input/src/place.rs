//! Places in files, for diagnostics.

use std::sync::Arc;

use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// A place in a file.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) lines: Lines,
}

impl Place<'_> {
    pub(super) fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).at(self.file, self.lines)
    }
}
