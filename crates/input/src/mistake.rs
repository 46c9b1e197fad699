//! What is wrong with a part of a file, before it is known where the part is.

use std::error::Error;

use condafront_model::source::Diagnostic;

use crate::place::Place;

/// A mistake, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake(Diagnostic);

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self(Diagnostic::new(message).help(help))
    }

    /// Sets the error behind it, which the message already names.
    pub(crate) fn caused_by(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(self.0.caused_by(cause))
    }

    /// The diagnostic for the mistake at `place`.
    pub(crate) fn at(self, place: Place<'_>) -> Diagnostic {
        self.0.at(place.file, place.lines)
    }
}
