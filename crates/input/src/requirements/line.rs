//! One line of a list as its file has it, and what is wrong with it there.

use super::entry::Entry;
use super::frozen;
use crate::leftover;
use crate::logical_lines;
use crate::mistake::Mistake;
use crate::pip_requirement::PipRequirement;
use crate::place::Place;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;
use condafront_model::visible::unfit;

/// Reads a line without its comment.
pub(super) fn parsed(line: &PipRequirement) -> Result<Entry, Mistake> {
    if let Some(what) = odd(&line.text) {
        let message = format!("`{}` contains {what}", quoted(&line.text));
        return Err(Mistake::new(message, "Remove it."));
    }
    match leftover::template(&line.text) {
        Some(found) => Err(leftover::not_rendered(found)),
        None => Entry::parse(&line.text),
    }
}

/// What a line contains that no line should.
fn odd(text: &str) -> Option<String> {
    // pip takes these for the end of a line, too.
    let separator = text.contains(['\u{2028}', '\u{2029}']);
    unfit(text).or(separator.then(|| "a line break".to_owned()))
}

/// The error for the mistake in a line, with advice if the rest of its file says how it came about.
pub(super) fn explained(mistake: Mistake, line: &PipRequirement) -> Diagnostic {
    let error = mistake.at(Place {
        file: &line.file,
        lines: line.lines,
    });
    if odd(&line.text).is_some() {
        return error;
    }
    if let Some(help) = frozen::help(&line.text, line.file.lossy_text()) {
        return error.help(help);
    }
    // A requirement of its own starts with its name.
    let is_rest = !line.text.starts_with(char::is_alphanumeric);
    let cut = logical_lines::cut(line.file.lossy_text(), line.lines);
    match cut.filter(|_| is_rest) {
        Some("") => error.help(
            "The empty line above it ends the requirement that a `\\` continues: remove the empty line.",
        ),
        Some(comment) => error.help(format!(
            "The comment `{}` ends the requirement that the `\\` before it continues: move the comment above the requirement.",
            quoted(comment)
        )),
        None => error,
    }
}
