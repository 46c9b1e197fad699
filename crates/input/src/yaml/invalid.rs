//! What is wrong with a file that is not YAML, or not what we read of it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::look_alike;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// How deep lists and mappings may be nested.
pub(super) const MAX_DEPTH: usize = 32;

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
            diagnostic.message = format!("{} repeats too much with aliases", file.name());
            diagnostic = diagnostic.help("Write the values themselves in place of `*name`.");
        }
        _ => {
            let line = location.and_then(|location| usize::try_from(location.line()).ok());
            let line = line.map(|line| indented_by_tab(file.lossy_text(), line).unwrap_or(line));
            let diagnostic = diagnostic.help(syntax_help(file, line));
            return match line {
                Some(line) => diagnostic.at(file, Lines::one(line)),
                None => diagnostic,
            };
        }
    }
    if let Some(location) = location {
        let line = usize::try_from(location.line()).unwrap_or(1);
        diagnostic = diagnostic.at(file, Lines::one(line));
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

/// Whether a line is indented with a tab.
fn has_tab(line: &str) -> bool {
    let end = line.trim_start();
    !end.is_empty() && line[..line.len() - end.len()].contains('\t')
}

/// The most likely fix for a syntax error.
fn syntax_help(file: &SourceFile, line: Option<usize>) -> Cow<'static, str> {
    let line = line.and_then(|line| file.lossy_text().lines().nth(line.checked_sub(1)?));
    let line = line.unwrap_or_default();
    let entry = line.trim_start().strip_prefix('-').unwrap_or_default();
    // Elsewhere in a line, it may well be meant.
    let structure = line.split(|c: char| c.is_ascii_alphanumeric()).next();
    let structure = structure.unwrap_or_default();
    if has_tab(line) {
        "Indent with spaces: YAML does not allow tabs.".into()
    } else if let Some(found) = look_alike::find(structure) {
        format!("The line contains {}. {}", found.name(), found.help()).into()
    } else if line.contains("${") {
        "Inside brackets or braces, quote a string that contains ${…}.".into()
    } else if entry.starts_with(char::is_alphanumeric) {
        "Write a space after the dash.".into()
    } else {
        "Check quotes, brackets and indentation, here and on the lines above: entries of one list or mapping start in the same column.".into()
    }
}
