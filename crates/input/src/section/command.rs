//! `cmd`, `entrypoint` and `shell`: commands in shell form and in exec form. As in a Dockerfile, variables in them belong
//! to the shell: build-args are not substituted.

use super::reader::{Name, Reader};
use crate::section::image_section::{Command, Located};
use crate::yaml::Node;
use condafront_model::execve;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

/// Reads a string or a list.
pub(super) fn read(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<Located<Command>, Diagnostic> {
    let command = if node.list().is_some() {
        Command::Exec(words(reader, name, node)?)
    } else if node.text().is_some() {
        let found = reader.raw(name, node)?;
        reader.not_blank(name, &found)?;
        fits(reader, name, &found)?;
        Command::Shell(found.value.to_owned())
    } else {
        return Err(reader.wrong_kind(name, node, "a shell command or a list of strings"));
    };
    Ok(Located {
        value: command,
        lines: node.lines,
    })
}

/// Like [`read`], but refuses an empty list.
pub(super) fn read_something(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<Located<Command>, Diagnostic> {
    let found = read(reader, name, node)?;
    if found.value == Command::Exec(Vec::new()) {
        return Err(reader.error(found.lines, format!("{name} is empty")));
    }
    Ok(found)
}

/// Reads `shell`.
pub(super) fn shell(reader: &Reader<'_>, node: &Node) -> Result<Located<Vec<String>>, Diagnostic> {
    let name = Name::from("shell");
    if node.list().is_none() {
        return Err(reader.wrong_kind(name, node, "a list of strings"));
    }
    let words = words(reader, name, node)?;
    if words.is_empty() {
        let error = reader.error(node.lines, format!("{name} is empty"));
        return Err(error.help("For example: shell: [/bin/bash, -c]"));
    }
    Ok(Located {
        value: words,
        lines: node.lines,
    })
}

/// Refuses what Linux does not pass to a program, or to the shell.
fn fits(reader: &Reader<'_>, name: Name<'_>, found: &Located<&str>) -> Result<(), Diagnostic> {
    if execve::is_too_long(found.value) {
        let message = format!(
            "{name} has an argument of {} KiB, but Linux passes at most {} KiB to a program",
            found.value.len().div_ceil(1 << 10),
            execve::MAX_STRING >> 10
        );
        let error = reader.error(found.lines, message);
        return Err(error.help(
            "Put the text in a file of the image, for example with `copy`, and use the file.",
        ));
    }
    Ok(())
}

/// A program and its arguments. An argument may be empty; the program may not.
fn words(reader: &Reader<'_>, name: Name<'_>, node: &Node) -> Result<Vec<String>, Diagnostic> {
    let items = reader.list(name, node)?;
    let mut words = Vec::with_capacity(items.len());
    for item in items {
        if item.text().is_none() {
            let message = format!(
                "an argument of {name} must be a string, not {}",
                item.what()
            );
            return Err(reader.error(item.lines, message));
        }
        let word = reader.raw(name, item)?;
        fits(reader, name, &word)?;
        words.push(word.value.to_owned());
    }
    let (Some(program), Some(item)) = (words.first(), items.first()) else {
        return Ok(words);
    };
    if program.trim().is_empty() {
        return Err(reader.error(
            item.lines,
            format!("the program of {name} is an empty string"),
        ));
    }
    // A path may have spaces, but so does a command that was meant for a shell.
    if words.len() == 1 && program.contains(char::is_whitespace) && !program.starts_with('/') {
        let message = format!("`{}` does not look like a program", quoted(program));
        let error = reader.error(item.lines, message);
        return Err(error.help(
            "Write each argument as a separate entry, as in [python, -m, app], or write a shell command without brackets.",
        ));
    }
    Ok(words)
}
