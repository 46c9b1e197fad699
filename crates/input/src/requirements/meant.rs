//! What was probably meant by a line that is not a requirement: an entry of conda's, a command, several requirements, a
//! version or a condition in the notation of another tool.

use super::mistyped;
use super::syntax::{is_name, is_valid};
use crate::mistake::Mistake;
use crate::version_range;
use condafront_model::pypi_package::is_name_char;
use condafront_model::redact::{in_full, quoted};

/// The words in front of what a command installs.
const COMMANDS: &[&str] = &[
    "pip install ",
    "pip3 install ",
    "python -m pip install ",
    "python3 -m pip install ",
    "uv pip install ",
    "conda install ",
    "mamba install ",
];

/// A mistake that needs a message of its own, in a line that is not a requirement.
pub(super) fn mistake(text: &str) -> Option<Mistake> {
    let shown = quoted(text);
    if text.starts_with("<!") || text.starts_with("<html") {
        return Some(Mistake::new(
            "this is a web page, not a list of requirements",
            "Download the file again; if it needs a login, the server may send a page instead.",
        ));
    }
    if let Some((what, help)) = of_another_file(text) {
        return Some(Mistake::new(
            format!("`{shown}` is {what}, not a requirement"),
            help,
        ));
    }
    if let Some(mistake) = command(text) {
        return Some(mistake);
    }
    if let Some((_, spec)) = text.split_once("::")
        && !text.contains("://")
    {
        return Some(Mistake::new(
            format!("`{shown}` is a conda package, not one for pip"),
            format!(
                "List it under `dependencies:`, not for pip. For a package of that name from PyPI, write `{}`.",
                in_full(&of_condas(spec))
            ),
        ));
    }
    if is_of_conda_alone(text) {
        return Some(Mistake::new(
            format!("`{shown}` is a conda package, not one for pip"),
            "List it under `dependencies:`, not for pip.",
        ));
    }
    let (name, version, build) = with_build(text)?;
    let requirement = in_full(&format!("{name}=={version}"));
    Some(Mistake::new(
        format!("`{shown}` is in the form of `conda list --export`, which pip does not read"),
        match build {
            "pypi_0" | "<pip>" => format!("Write `{requirement}`."),
            _ => format!(
                "List it under `dependencies:`, not for pip. For that version from PyPI, write `{requirement}`."
            ),
        },
    ))
}

/// The mistake of a command that installs something, with its options.
pub(super) fn command(text: &str) -> Option<Mistake> {
    let (installed, is_condas) = installed(text)?;
    let is_for_command = |word: &str| word.starts_with('-') && !["-e", "-r", "-c"].contains(&word);
    let help = match installed.trim() {
        _ if is_condas => "List conda packages under `dependencies:`, not for pip.".to_owned(),
        text if text.is_empty() || text.split_whitespace().any(is_for_command) => {
            "Write what it installs, one requirement per line.".to_owned()
        }
        installed => format!(
            "Write what it installs, one requirement per line: `{}`.",
            in_full(installed)
        ),
    };
    let message = format!("`{}` is a command, not a requirement", quoted(text));
    Some(Mistake::new(message, help))
}

/// What a line is that belongs into a file of another kind, and what to do about it.
fn of_another_file(text: &str) -> Option<(&'static str, &'static str)> {
    let key = text.split_once(':').map(|(key, _)| key);
    if text.starts_with('[') && text.ends_with(']') {
        Some((
            "the head of a section in a file such as pyproject.toml",
            "Name a list of requirements, or the folder of the project without -r: `./demo`.",
        ))
    } else if text.starts_with("import ") || text.starts_with("from ") {
        Some((
            "a line of Python",
            "Name a list of requirements, or the folder of the project without -r: `./demo`.",
        ))
    } else if key.is_some_and(|key| ["name", "channels", "dependencies"].contains(&key)) {
        Some((
            "a line of an environment file",
            "Name a list of requirements. Dependencies of another environment file must be in this one.",
        ))
    } else {
        None
    }
}

/// What a command installs, and whether it is conda's.
fn installed(text: &str) -> Option<(&str, bool)> {
    let line = format!("{text} ");
    let start = line.find(|c: char| c.is_alphabetic())?;
    let is_prompt = |c: char| "$!%> ".contains(c);
    if !line[..start].chars().all(is_prompt) {
        return None;
    }
    let command = COMMANDS
        .iter()
        .find(|command| line[start..].starts_with(*command))?;
    let is_condas = command.starts_with("conda") || command.starts_with("mamba");
    let installed = text.get(start + command.len()..).unwrap_or_default();
    Some((installed, is_condas))
}

/// Whether a text starts with a name that only conda packages have: `_libgcc_mutex`.
fn is_of_conda_alone(text: &str) -> bool {
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_name = name.len() > 1 && name.starts_with('_') && !name.contains('.');
    is_name && (rest.is_empty() || rest.trim_start().starts_with('='))
}

/// The text of a line in quotes, which a comma may follow as in a list of Python or JSON.
pub(super) fn in_quotes(text: &str) -> Option<&str> {
    const QUOTES: [char; 2] = ['\'', '"'];
    let text = text.trim().trim_end_matches(',').trim_end();
    let quote = text.chars().next().filter(|c| QUOTES.contains(c))?;
    let inside = text[1..].strip_suffix(quote).unwrap_or(&text[1..]);
    Some(inside).filter(|inside| !inside.starts_with(QUOTES))
}

/// A dependency of conda's as a requirement, as far as that is possible.
fn of_condas(spec: &str) -> String {
    let written = with_build(spec)
        .map(|(name, version, _)| format!("{name}=={version}"))
        .or_else(|| with_single_sign(spec));
    written.unwrap_or_else(|| spec.to_owned())
}

/// The parts of `name=version=build`.
fn with_build(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let (version, build) = rest.strip_prefix('=').unwrap_or(rest).split_once('=')?;
    let is_word = |text: &str| {
        let ends = |c: char| c.is_whitespace() || "=<>!~;,".contains(c);
        !text.is_empty() && !text.contains(ends)
    };
    // An epoch: `1!2.0`.
    let number = match version.split_once('!') {
        Some((epoch, number)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => number,
        _ => version,
    };
    let is_option = version.contains("--");
    (is_name(name) && is_word(number) && is_word(build) && !is_option)
        .then_some((name, version, build))
}

/// `name = 1.0` with two signs.
fn with_single_sign(text: &str) -> Option<String> {
    let (name, version) = text.split_once('=')?;
    let (name, version) = (name.trim_end(), version.trim());
    let is_part = |c: char| is_name_char(c) || "*+!".contains(c);
    let is_version = !version.is_empty() && version.chars().all(is_part);
    (is_name(name) && is_version).then(|| format!("{name}=={version}"))
}

/// What to write instead of `requirement`, which is not valid.
pub(super) fn help(requirement: &str) -> Option<String> {
    if let Some(meant) = with_single_sign(requirement) {
        return Some(format!("pip needs two equals signs: {}", in_full(&meant)));
    }
    if let Some(help) = mistyped::help(requirement) {
        return Some(help);
    }
    if let Some((asked, marker)) = requirement.split_once(';') {
        return of_marker(asked, marker);
    }
    if requirement.ends_with('\\') {
        return Some(
            "If the line continues, nothing may follow the `\\`; otherwise remove it.".to_owned(),
        );
    }
    if let Some((before, _)) = requirement.split_once('#')
        && is_valid(before)
    {
        return Some("Write a space in front of the comment.".to_owned());
    }
    of_version(requirement).or_else(|| several(requirement))
}

/// What to write instead of `requirement`, if it is a name with a version in the notation of another tool.
pub(super) fn of_version(requirement: &str) -> Option<String> {
    let end = requirement.find(|c| !is_name_char(c))?;
    let (name, rest) = requirement.split_at(end);
    let (name, rest) = match rest.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(at) => requirement.split_at(end + at + 2),
        None => (name, rest),
    };
    let version = rest.trim_start_matches([' ', ':', '(', '@']).trim_end();
    let version = version.strip_suffix(')').unwrap_or(version);
    let is_number = version.starts_with(|c: char| c.is_ascii_digit());
    let range = match version_range::meant(version) {
        Some(range) if range == "*" => String::new(),
        Some(range) => range,
        None if is_number => format!("=={version}"),
        None => return None,
    };
    let meant = format!("{name}{range}");
    (is_valid(&meant) && !rest.is_empty()).then(|| format!("Write `{}`.", in_full(&meant)))
}

/// Several requirements on one line.
fn several(requirement: &str) -> Option<String> {
    let are_valid = |parts: Vec<&str>| parts.len() > 1 && parts.into_iter().all(is_valid);
    let by_comma = requirement.split(',').map(str::trim);
    let by_space = requirement.split_whitespace();
    let by_space = by_space.map(|part| part.trim_end_matches(','));
    (are_valid(by_comma.filter(|part| !part.is_empty()).collect()) || are_valid(by_space.collect()))
        .then(|| "Write each requirement on its own line.".to_owned())
}

/// A condition, `marker`, in which values have no quotes or names are not those of markers.
fn of_marker(asked: &str, marker: &str) -> Option<String> {
    if !is_valid(asked) {
        return None;
    }
    if marker.trim().is_empty() {
        return Some(format!(
            "Write a condition after the semicolon, or remove it: `{}`.",
            in_full(asked.trim_end())
        ));
    }
    let is_of_locks = |word: &str| ["extras", "dependency_groups"].contains(&word);
    if marker.split(|c| !is_name_char(c)).any(is_of_locks) {
        return Some(
            "Only a pylock.toml has conditions on `extras` and `dependency_groups`. Remove it; extras follow the name: NAME[extra]."
                .to_owned(),
        );
    }
    let meant = corrected(marker);
    (meant != marker && is_valid(&format!("x ; {meant}")))
        .then(|| format!("Write `{}` after the semicolon.", in_full(meant.trim())))
}

/// A marker with quotes around its values, and with the names that markers have.
fn corrected(marker: &str) -> String {
    let is_word = |c: char| is_name_char(c) || "*+".contains(c);
    let is_operator = |c: char| "=<>!~".contains(c);
    let mut meant = String::new();
    let mut rest = marker;
    let mut is_value = false;
    // Whether the comparison begins with a name: only then, the other side is a value.
    let mut is_named = false;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            c if is_operator(c) => rest.find(|c| !is_operator(c)).unwrap_or(rest.len()),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(end);
        let is_variable = || is_valid(&format!("x ; {part} == 'x'"));
        match part {
            "and" | "or" | "not" => meant.push_str(part),
            _ if is_word(first) && part != "in" && is_value && is_named && !is_variable() => {
                meant.extend(["\"", part, "\""]);
            }
            "in" => meant.push_str(part),
            _ if is_word(first) && !is_value => {
                is_named = true;
                meant.push_str(of_markers(part));
            }
            _ => {
                is_named &= !"'\"".contains(first) || is_value;
                meant.push_str(part);
            }
        }
        let is_space = first.is_whitespace() || first == '(';
        is_value = is_operator(first) || part == "in" || (is_value && is_space);
        rest = after;
    }
    meant
}

/// The name that a marker has for what people call `name`.
fn of_markers(name: &str) -> &str {
    match name {
        "python" => "python_version",
        "system" => "platform_system",
        "machine" | "arch" => "platform_machine",
        other => other,
    }
}

#[cfg(test)]
mod tests;
