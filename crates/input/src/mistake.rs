//! What is wrong with a part of a file, before it is known where the part is.

use condafront_model::source::Diagnostic;

use crate::place::Place;

/// A mistake, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    message: String,
    help: String,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }

    /// The diagnostic for the mistake at `place`.
    pub(crate) fn at(self, place: Place<'_>) -> Diagnostic {
        place.error(self.message).help(self.help)
    }
}
