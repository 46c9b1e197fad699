//! What is wrong with a file that is not YAML, or not what we read of it.

use std::sync::Arc;

use super::syntax::{self, Lines, has_tab};
use condafront_model::source::{self, Diagnostic, SourceFile};

/// How deep lists and mappings may be nested.
pub(super) const MAX_DEPTH: usize = 32;

/// How many values and ends of values a short file may have with what its aliases repeat. A longer one may have as many as
/// it has bytes.
const OF_ALIASES: usize = 100_000;

/// How many values and ends of values a file may have.
pub(super) fn most_values(text: &str) -> usize {
    text.len().max(OF_ALIASES)
}

/// Why the file is not the YAML that we read.
pub(super) fn explained(file: &Arc<SourceFile>, whole: serde_saphyr::Error) -> Diagnostic {
    let error = whole.without_snippet();
    let location = error.location();
    let mut message = error.to_string();
    if let Some(location) = &location {
        // The place is shown next to the message.
        let place = format!(" at line {}, column {}", location.line(), location.column());
        message = message.replace(&place, "");
    }
    let mut diagnostic = Diagnostic::new(format!("{} is not valid YAML: {message}", file.name()));
    match error {
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => {
            diagnostic.message = match key {
                Some(key) => format!("the key `{key}` appears twice"),
                None => "a key appears twice".to_owned(),
            };
            diagnostic = diagnostic.help("Merge the two, or remove one of them.");
        }
        serde_saphyr::Error::MultipleDocuments { .. } => {
            diagnostic.message = format!("{} contains several YAML documents", file.name());
            diagnostic = diagnostic.help("Keep one, and remove the `---` line before the next.");
        }
        _ if is_too_deep(&message) => {
            diagnostic.message =
                format!("lists and mappings are nested more than {MAX_DEPTH} deep");
            diagnostic = diagnostic.help("Check the brackets and the indentation.");
        }
        _ if message.contains(BREACH) => {
            diagnostic.message = format!(
                "{} has more than {} values with what its aliases repeat",
                file.name(),
                most_values(file.lossy_text())
            );
            diagnostic = diagnostic.help("Write the values themselves in place of `*name`.");
        }
        _ => {
            let line = location.and_then(|location| usize::try_from(location.line()).ok());
            let line = line.map(|line| indented_by_tab(file.lossy_text(), line).unwrap_or(line));
            let lines = line.map(|line| Lines::around(file.lossy_text(), line));
            let lines = lines.unwrap_or_default();
            let fault = syntax::fault(&message, lines);
            diagnostic.message = format!("{} is not valid YAML: {}", file.name(), fault.what);
            let line = line.map(|line| {
                if fault.is_before {
                    lines.number_before
                } else {
                    line
                }
            });
            if let Some(line) = line {
                diagnostic = diagnostic.at(file, source::Lines::one(line));
            }
            return diagnostic.help(fault.help).caused_by(whole);
        }
    }
    if let Some(location) = location {
        let line = usize::try_from(location.line()).unwrap_or(1);
        diagnostic = diagnostic.at(file, source::Lines::one(line));
    }
    diagnostic.caused_by(whole)
}

/// How the library begins to say that a limit is exceeded. It has no type for that if an alias leads there.
const BREACH: &str = "budget breached: ";

/// Whether the library says that values are nested too deep: it has two such limits.
fn is_too_deep(message: &str) -> bool {
    message.contains("recursion limit exceeded") || message.contains(&format!("{BREACH}Depth"))
}

/// The line of a tab that YAML notices at `line`: where the value before it began, or at the tab itself.
fn indented_by_tab(text: &str, line: usize) -> Option<usize> {
    let lines = (1..).zip(text.lines()).skip(line.saturating_sub(1));
    let mut lines = lines.filter(|(number, text)| *number == line || !text.trim().is_empty());
    let found = lines.by_ref().take(2).find(|(_, text)| has_tab(text));
    found.map(|(number, _)| number)
}
