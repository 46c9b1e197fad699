//! `copy`: a mapping of sources to destinations, or a list of more detailed entries.

use super::packages::context_path;
use super::reader::{Name, Reader};
use super::user;
use crate::section::image_section::{CopyFiles, Located, Mode};
use crate::yaml::{Key, Node};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

const FIELDS: &[&str] = &["from", "src", "dest", "chown", "chmod"];

impl CopyFiles {
    /// Whether a destination can only be a directory.
    pub fn is_folder(dest: &str) -> bool {
        dest.ends_with('/') || [".", ".."].contains(&dest.rsplit('/').next().unwrap_or(dest))
    }
}

/// Reads `copy`.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Vec<CopyFiles>, Diagnostic> {
    let name = Name::from("copy");
    if let Some(entries) = node.mapping() {
        if node.get("src").is_some() && node.get("dest").is_some() {
            let error = reader.error(node.lines, "`copy` must be a list to have `src` and `dest`");
            return Err(error.help(
                "Write copy: [{src: …, dest: …}]. If these are your own files, write ./src and ./dest.",
            ));
        }
        return entries
            .iter()
            .map(|(key, value)| pair(reader, key, value))
            .collect();
    }
    let Some(items) = node.list() else {
        return Err(reader.wrong_kind(
            name,
            node,
            "a mapping of sources to destinations, or a list",
        ));
    };
    items.iter().map(|item| entry(reader, item)).collect()
}

/// `source: destination`.
fn pair(reader: &Reader<'_>, key: &Key, value: &Node) -> Result<CopyFiles, Diagnostic> {
    let source = reader.expanded(Located {
        value: key.name.as_str(),
        lines: key.lines,
    })?;
    let lines = Lines {
        first: key.lines.first,
        last: key.lines.last.max(value.lines.last),
    };
    if value.text().is_none() {
        let message = format!(
            "the destination of `{}` must be a string, not {}",
            quoted(&source.value),
            value.what()
        );
        return Err(reader
            .error(lines, message)
            .help("For example: copy: {app: /srv/app}"));
    }
    Ok(CopyFiles {
        from: None,
        sources: vec![context_source(reader, &source)?],
        dest: reader.word("copy".into(), value)?.value,
        chown: None,
        chmod: None,
        lines,
    })
}

/// An entry of the list.
fn entry(reader: &Reader<'_>, item: &Node) -> Result<CopyFiles, Diagnostic> {
    const FORM: &str = "For example: copy: [{src: app, dest: /srv/app, chown: root}]";
    if item.mapping().is_none() {
        let message = format!("an entry in `copy` must be a mapping, not {}", item.what());
        return Err(reader.error(item.lines, message).help(FORM));
    }
    let fields = reader.fields(Name::from("copy").entry(), item, FIELDS)?;
    let from = fields.read("from", "copy", |name, node| {
        let found = reader.word(name, node)?;
        if found.value.contains(char::is_whitespace) {
            let message = format!("`{}` is not a valid image name", quoted(&found.value));
            return Err(reader.error(found.lines, message));
        }
        Ok(found.value)
    })?;
    let sources = fields.read("src", "copy", |name, node| {
        sources(reader, name, node, from.is_some())
    })?;
    let dest = fields.read("dest", "copy", |name, node| reader.word(name, node))?;
    let (Some(sources), Some(dest)) = (sources, dest) else {
        let error = reader.error(fields.lines, "an entry in `copy` needs `src` and `dest`");
        return Err(error.help(FORM));
    };
    if sources.len() > 1 && !CopyFiles::is_folder(&dest.value) {
        let message = format!(
            "`{}` must be a directory: several files are copied to it",
            quoted(&dest.value)
        );
        return Err(reader
            .error(dest.lines, message)
            .help("End it with a slash."));
    }
    Ok(CopyFiles {
        from,
        sources,
        dest: dest.value,
        chown: fields.read("chown", "copy", |name, node| {
            user::owner(reader, name, node)
        })?,
        chmod: fields.read("chmod", "copy", |name, node| chmod(reader, name, node))?,
        lines: fields.lines,
    })
}

fn sources(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
    from_image: bool,
) -> Result<Vec<String>, Diagnostic> {
    let items = node.list().unwrap_or(std::slice::from_ref(node));
    if items.is_empty() {
        return Err(reader.error(node.lines, format!("{name} is empty")));
    }
    let read = |item: &Node| {
        let source = reader.word(name, item)?;
        if from_image {
            Ok(source.value)
        } else {
            context_source(reader, &source)
        }
    };
    items.iter().map(read).collect()
}

/// A path in the build context. The whole context is `.`; a trailing slash is kept.
fn context_source(reader: &Reader<'_>, source: &Located<String>) -> Result<String, Diagnostic> {
    let path = context_path(reader, source)?;
    Ok(match path.as_str() {
        "" => ".".to_owned(),
        _ if source.value.ends_with('/') => format!("{path}/"),
        _ => path,
    })
}

fn chmod(reader: &Reader<'_>, name: Name<'_>, node: &Node) -> Result<Mode, Diagnostic> {
    let found = reader.word(name, node)?;
    if let Some(bits) = bits(&found.value) {
        return Ok(Mode::Bits(bits));
    }
    if found.value.split(',').all(is_symbolic) {
        return Ok(Mode::Symbolic(found.value));
    }
    let message = format!("{name} cannot be `{}`", quoted(&found.value));
    Err(reader
        .error(found.lines, message)
        .help("Write a mode as for chmod: 755 or u=rwX,go=rX"))
}

/// Octal permissions.
pub(super) fn bits(text: &str) -> Option<u32> {
    let octal = text.strip_prefix("0o").unwrap_or(text);
    let all_octal =
        (1..=5).contains(&octal.len()) && octal.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let bits = u32::from_str_radix(octal, 8).ok()?;
    (all_octal && bits <= 0o7777).then_some(bits)
}

/// One clause of chmod(1): `u=rwX`, `go-w`, `+x`, `g=u`.
fn is_symbolic(clause: &str) -> bool {
    let actions = clause.trim_start_matches(['u', 'g', 'o', 'a']);
    let mut permissions = actions.split(['=', '+', '-']);
    // Nothing is before the first operator.
    permissions.next() == Some("")
        && permissions.clone().next().is_some()
        && permissions.all(|what| {
            ["u", "g", "o"].contains(&what) || what.chars().all(|c| "rwxXst".contains(c))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_modes_are_those_of_chmod() {
        for clause in ["u=rwX", "go-w", "+x", "=", "g=u", "ug+rw-x", "o+g-w"] {
            assert!(is_symbolic(clause), "{clause}");
        }
        for clause in ["", "u", "u=n", "g=ur", "x=r", "755"] {
            assert!(!is_symbolic(clause), "{clause}");
        }
    }
}
