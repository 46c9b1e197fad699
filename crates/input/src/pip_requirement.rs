//! The entries of `pip:` lists.

use std::sync::Arc;

use condafront_model::source::{Lines, Location, SourceFile};

/// One entry of a `pip:` list, as pip reads it in a requirements file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipRequirement {
    /// The text: `requests>=2`, `-r requirements.txt`, a URL.
    pub text: String,
    /// The file that contains it.
    pub file: Arc<SourceFile>,
    /// Its lines there.
    pub lines: Lines,
}

impl PipRequirement {
    /// Where it is.
    pub fn location(&self) -> Location {
        Location {
            file: Arc::clone(&self.file),
            lines: self.lines,
        }
    }
}
