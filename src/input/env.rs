//! env.yml: an environment to be solved.

use std::sync::Arc;

use super::{EnvironmentInput, InputSettings};
use crate::source::{Diagnostic, SourceFile};
use crate::yaml::Node;

/// Reads the file.
///
/// # Errors
/// A diagnostic at the user's line.
pub fn read(
    file: &Arc<SourceFile>,
    _text: &str,
    _tree: &Node,
    _platform: crate::platform::Platform,
    _settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    Err(Diagnostic::new(format!(
        "{} cannot be read yet",
        file.name()
    )))
}
