//! What other tools left in a file or in its place: merge conflicts, pointers of Git LFS, and templates that have not been
//! rendered.
//!
//! YAML reads some of it as mappings or text, so that the error would be about something else.

use std::sync::Arc;

use crate::mistake::Mistake;
use crate::place::Place;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_model::{placeholder, redact};

/// How the parts of templates begin, and end.
const TEMPLATES: &[(&str, &str)] = &[("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("<%", "%>")];

/// The error for a file that git or Git LFS left unfinished.
pub(crate) fn of_git(file: &Arc<SourceFile>, text: &str) -> Option<Diagnostic> {
    pointer(file, text).or_else(|| conflict(file, text))
}

/// The error for a pointer of Git LFS.
fn pointer(file: &Arc<SourceFile>, text: &str) -> Option<Diagnostic> {
    let is_it = |line: &str| line.starts_with("version https://git-lfs.github.com/");
    let lines = (1..).zip(text.lines());
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let (number, _) = lines.next().filter(|(_, line)| is_it(line))?;
    let message = format!("{} is a Git LFS pointer, not the file itself", file.name());
    let error = Diagnostic::new(message).at(file, Lines::one(number));
    Some(error.help("Load the file with `git lfs pull`.").settled())
}

/// The error for a file with a merge conflict, at its first marker.
fn conflict(file: &Arc<SourceFile>, text: &str) -> Option<Diagnostic> {
    let is_marker = |line: &str| {
        let rest = ["<<<<<<<", "|||||||", ">>>>>>>"]
            .iter()
            .find_map(|marker| line.strip_prefix(marker));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) || line == "======="
    };
    let (number, line) = (1..)
        .zip(text.lines())
        .find(|(_, line)| is_marker(line.trim_end()))?;
    Some(
        Diagnostic::new(format!(
            "`{}` marks an unresolved merge conflict",
            redact::quoted(line.trim_end())
        ))
        .at(file, Lines::one(number))
        .help("Choose what to keep, and remove the lines that start with <<<<<<<, =======, ||||||| or >>>>>>>. If a tool writes the file, run it again."),
    )
}

/// The part of a template in a line, unless it is in a comment.
pub(crate) fn template(line: &str) -> Option<&str> {
    let (at, end) = TEMPLATES
        .iter()
        .filter_map(|(start, end)| Some((line.find(start)?, *end)))
        .min()?;
    let is_comment = |(at, _): (usize, &str)| at == 0 || line[..at].ends_with(char::is_whitespace);
    if line[..at].match_indices('#').any(is_comment) {
        return None;
    }
    let found = &line[at..];
    let length = found
        .find(end)
        .map_or(found.len(), |found| found + end.len());
    Some(found[..length].trim_end())
}

/// The same where a statement of a template takes the place of an entry or a key: `{% if gpu %}`.
fn statement(line: &str) -> Option<&str> {
    let entry = line.trim_start_matches([' ', '\t', '-']);
    let starts = ["{%", "{#", "<%", "{{"]
        .iter()
        .any(|start| entry.starts_with(start));
    template(entry).filter(|_| starts)
}

/// The same where it is a value, or a part of one: commands have other uses for the signs.
fn value(line: &str) -> Option<&str> {
    let found = template(line)?;
    let before = &line[..line.find(found)?];
    let before = before.split_once(": ").map_or(before, |(_, value)| value);
    let before = before.trim_start_matches([' ', '\t', '-']);
    let before = before.rsplit([',', '[', '{']).next().unwrap_or_default();
    let is_own = !before.trim_start().contains(char::is_whitespace) || statement(line).is_some();
    Some(found).filter(|_| is_own)
}

/// The mistake of a part of a template.
pub(crate) fn not_rendered(found: &str) -> Mistake {
    let message = format!(
        "`{}` belongs to a template that has not been rendered",
        redact::quoted(found)
    );
    Mistake::new(
        message,
        if found.contains("cookiecutter") {
            "Create the project with cookiecutter, and build from the file in it."
        } else {
            "Render the template, or write the value itself."
        },
    )
}

/// The error for the first line of `lines` in which `part` finds a part of a template.
fn first(
    file: &Arc<SourceFile>,
    lines: Lines,
    part: impl Fn(&str) -> Option<&str>,
) -> Option<Diagnostic> {
    let all = (1..).zip(file.lossy_text().lines());
    let mut inside = all
        .skip_while(|(number, _)| *number < lines.first)
        .take_while(|(number, _)| *number <= lines.last);
    inside.find_map(|(number, line)| {
        let lines = Lines {
            first: number,
            last: number,
        };
        Some(not_rendered(part(line)?).at(Place { file, lines }))
    })
}

const ALL: Lines = Lines {
    first: 1,
    last: u32::MAX,
};

/// The error for a file in which a template's statement takes the place of an entry or a key.
pub(crate) fn first_statement(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    first(file, ALL, statement)
}

/// The error for a list of URLs that is part of a template. A placeholder for credentials in a URL is not one.
pub(crate) fn first_template(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    first(file, ALL, |line| {
        let is_rest = placeholder::without(line).is_none_or(|bare| template(&bare).is_some());
        template(line).filter(|_| is_rest)
    })
}

/// `error`, unless a template in its lines is the reason.
pub(crate) fn explained(file: &Arc<SourceFile>, error: Diagnostic) -> Diagnostic {
    let place = error.locations.first().filter(|place| place.file == *file);
    match place.and_then(|place| first(file, place.lines, value)) {
        Some(explained) => explained,
        None => error,
    }
}

/// The same for YAML that cannot be read, of which the reason may be a line earlier.
pub(crate) fn explained_near(file: &Arc<SourceFile>, error: Diagnostic) -> Diagnostic {
    let place = error.locations.first().filter(|place| place.file == *file);
    let near = place.map(|place| Lines {
        first: place.lines.first.saturating_sub(1).max(1),
        ..place.lines
    });
    near.and_then(|lines| first(file, lines, value))
        .unwrap_or(error)
}

/// Whether a value names something that was to be filled in: `${NAME}`, `$(name)`, `%NAME%`, `@NAME@`, `<name>`.
pub(crate) fn has_placeholder(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || " _-.".contains(c);
    let between = |open: char, close: char| {
        text.match_indices(open).any(|(at, _)| {
            let rest = &text[at + open.len_utf8()..];
            let end = rest.find(|c| !is_word(c));
            let starts = rest.starts_with(|c: char| c.is_alphabetic() || c == '_');
            starts && end.is_some_and(|end| rest[end..].starts_with(close))
        })
    };
    let variable = text.match_indices('$').any(|(at, _)| {
        let next = text[at + 1..].chars().next();
        next.is_some_and(|c| c.is_alphabetic() || "_({".contains(c))
    });
    TEMPLATES.iter().any(|(start, _)| text.contains(start))
        || variable
        || [('<', '>'), ('@', '@'), ('{', '}'), ('%', '%')]
            .into_iter()
            .any(|(open, close)| between(open, close))
        || text.contains("%(")
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::source::Advice;

    #[test]
    fn the_first_marker_of_a_conflict_is_reported() {
        for (text, line) in [
            (
                "a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n",
                2,
            ),
            ("a\n||||||| merged common ancestors\n=======\n", 2),
            ("a\r\n=======\r\nb\r\n", 2),
            ("a\n>>>>>>> 1a2b3c (Add numpy)\n", 2),
        ] {
            let file = SourceFile::new("env.yml", text);
            let found = conflict(&file, text).unwrap();
            assert_eq!(found.locations[0].lines, Lines::one(line), "{text}");
        }
        for text in [
            "# ======= \n",
            "<<<<<<<<<< a\n",
            "x: <<<<<<< HEAD\n",
            "<<: *base\n",
            "========\n",
        ] {
            assert_eq!(
                conflict(&SourceFile::new("env.yml", text), text),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn a_pointer_of_git_lfs_is_not_the_file() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
        for text in [pointer.to_owned(), format!("# syntax=x\n\n{pointer}")] {
            let file = SourceFile::new("pylock.toml", text.as_str());
            let found = of_git(&file, &text).unwrap();
            assert!(found.message.contains("Git LFS"), "{found}");
            assert_eq!(found.advice, Advice::Complete);
        }
        let text = format!("numpy\n{pointer}");
        assert_eq!(
            of_git(&SourceFile::new("r.txt", text.as_str()), &text),
            None
        );
    }

    #[test]
    fn parts_of_templates_are_found_outside_comments() {
        for (line, found) in [
            ("  - python={{ version }}  # pinned", Some("{{ version }}")),
            ("{%- for p in packages %}", Some("{%- for p in packages %}")),
            ("  - {# gpu #}", Some("{# gpu #}")),
            ("name: <%= @name %>", Some("<%= @name %>")),
            ("name: ${{ env.NAME }}", Some("{{ env.NAME }}")),
            ("{{#if gpu", Some("{{#if gpu")),
            ("# {% if gpu %}", None),
            ("  - numpy  # {{ version }}", None),
            ("run: echo ${X} {a,b}", None),
        ] {
            assert_eq!(template(line), found, "{line}");
        }
    }

    #[test]
    fn commands_use_the_signs_of_templates() {
        for line in [
            "name: {{ x }}",
            "name: \"{{ x }}\"",
            "  - lab-{{ x }}",
            "a: [b, {{ x }}]",
            "  {% if x %}",
        ] {
            assert!(value(line).is_some(), "{line}");
        }
        for line in [
            "run: docker inspect --format '{{.Id}}' x",
            "  - echo {{ x }}",
            "  curl -w '{{%s}}'",
        ] {
            assert_eq!(value(line), None, "{line}");
        }
    }

    #[test]
    fn placeholders_are_told_from_conditions() {
        for text in [
            "python=$V",
            "python=${V}",
            "python=$(cat v)",
            "python=%V%",
            "python=%(v)s",
            "a=<version>",
            "a=@V@",
            "a={v}",
            "a={{ v }}",
        ] {
            assert!(has_placeholder(text), "{text}");
        }
        for text in [
            "a>=1,<2",
            "a<2,>1",
            "a <2|>=3",
            "a=1=^py3.*$",
            "a=1=*_cpython",
            "a=1.0=^py{2}$",
        ] {
            assert!(!has_placeholder(text), "{text}");
        }
    }
}
