//! Files in JSON, which is YAML too.

use condafront_model::source::SourceFile;

use crate::yaml::Key;

/// How a file that is not JSON names its frontend.
pub(crate) const SYNTAX_COMMENT: &str =
    "Write it as a comment in the first line: # syntax=org/condafront";

/// Whether BuildKit finds the name of the frontend at this key of the whole file
/// (`frontend/dockerfile/parser/directives.go`, `DetectSyntax`): JSON has no comments.
pub(crate) fn names_frontend(file: &SourceFile, key: &Key) -> bool {
    key.name == "syntax" && serde_json::from_str::<serde::de::IgnoredAny>(file.lossy_text()).is_ok()
}
