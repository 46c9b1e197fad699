//! The entries of a `pip:` list, which are lines of a requirements file
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).

use std::sync::Arc;

use url::Url;

use super::normalized;
use crate::input::PipRequirement;
use crate::redact;
use crate::source::{Diagnostic, Lines, SourceFile};

/// Options of a requirements file that are left to pip.
const OPTIONS: &[&str] = &[
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--no-index",
    "--no-binary",
    "--only-binary",
    "--prefer-binary",
    "--pre",
    "--require-hashes",
    "--trusted-host",
    "--use-feature",
];

/// How version control systems begin in URLs of requirements.
const REPOSITORIES: &[&str] = &["git+", "hg+", "svn+", "bzr+"];

/// Whether the build can have each entry.
///
/// # Errors
/// A diagnostic at the first one that it cannot.
pub(super) fn check(list: &[PipRequirement], file: &Arc<SourceFile>) -> Result<(), Diagnostic> {
    for entry in list {
        check_entry(entry.text.trim())
            .map_err(|(message, help)| Diagnostic::new(message).at(file, entry.lines).help(help))?;
    }
    Ok(())
}

fn check_entry(text: &str) -> Result<(), (String, String)> {
    let shown = redact::masked(text);
    if text.starts_with('-') {
        return check_option(text, &shown);
    }
    let target = target(text);
    if REPOSITORIES.iter().any(|start| target.starts_with(start)) {
        return Err((
            format!("{shown} is a repository, from which condafront cannot install"),
            "Take a release instead, or an archive of the commit: NAME @ https://…/archive/<commit>.tar.gz.".to_owned(),
        ));
    }
    if target.starts_with("file:") || target.starts_with('/') {
        return Err((
            format!("{shown} is a file on one machine: the build cannot see it"),
            "Take the package from an index, or give the URL of its file.".to_owned(),
        ));
    }
    if target.starts_with('.') {
        return Err((
            format!(
                "{shown} is in the build context, from which condafront cannot install packages yet"
            ),
            "Take the package from an index, or install it in a Dockerfile on top of this image."
                .to_owned(),
        ));
    }
    Ok(())
}

fn check_option(text: &str, shown: &str) -> Result<(), (String, String)> {
    let (name, value) = split_option(text);
    match name {
        "-r" | "--requirement" | "-c" | "--constraint" => Err((
            format!("condafront cannot read other requirement files yet: {shown}"),
            "Write the requirements themselves into the list.".to_owned(),
        )),
        "-e" | "--editable" => Err((
            format!("packages cannot be installed in editable form in an image: {shown}"),
            "Leave -e away and give a package that an index has.".to_owned(),
        )),
        "-f" | "--find-links" if !is_url(value) => Err((
            format!("{shown} names a folder, which the build cannot see"),
            "Give the http(s) URL of a page with links.".to_owned(),
        )),
        name if OPTIONS.contains(&name) => Ok(()),
        name => Err((
            format!("a list of requirements cannot have the option {name}"),
            format!("It can have {}.", OPTIONS.join(", ")),
        )),
    }
}

/// An option's name and value: `--index-url=x`, `--index-url x`, `-ix`.
fn split_option(text: &str) -> (&str, &str) {
    if !text.starts_with("--") {
        let at = text.char_indices().nth(2).map_or(text.len(), |(at, _)| at);
        let (name, value) = text.split_at(at);
        return (name, value.trim_start_matches(['=', ' ', '\t']));
    }
    match text.split_once(|c: char| c == '=' || c.is_whitespace()) {
        Some((name, value)) => (name, value.trim()),
        None => (text, ""),
    }
}

/// Where a requirement says that its package is, or the requirement itself.
fn target(text: &str) -> &str {
    match text.split_once('@') {
        Some((name, target)) if is_name(name.split('[').next().unwrap_or_default()) => {
            target.trim()
        }
        _ => text,
    }
}

fn is_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// The normalized name of the package that an entry asks for, if it says.
pub(super) fn name(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(text.len());
    let name = &text[..end];
    let is_path = name.starts_with(['-', '.']) || text[end..].starts_with(':');
    (!name.is_empty() && !is_path).then(|| normalized(name))
}

/// Where the list asks for a package: at its own entry, or, for what others need, anywhere in the list.
pub(super) fn lines(list: &[PipRequirement], package: &str) -> Option<Lines> {
    let own = list
        .iter()
        .find(|entry| name(entry.text.trim()).is_some_and(|name| name == normalized(package)));
    if let Some(entry) = own {
        return Some(entry.lines);
    }
    Some(Lines {
        first: list.iter().map(|entry| entry.lines.first).min()?,
        last: list.iter().map(|entry| entry.lines.last).max()?,
    })
}

/// The indexes and pages that the list names.
pub(super) fn indexes(list: &[PipRequirement]) -> impl Iterator<Item = Url> {
    list.iter().filter_map(|entry| {
        let (name, value) = split_option(entry.text.trim());
        let names_url = [
            "-i",
            "--index-url",
            "--extra-index-url",
            "-f",
            "--find-links",
        ];
        names_url.contains(&name).then(|| Url::parse(value).ok())?
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::Level;

    fn entry(text: &str, line: usize) -> PipRequirement {
        PipRequirement {
            text: text.to_owned(),
            lines: Lines::one(line),
        }
    }

    #[test]
    fn what_pip_can_have_is_left_to_it() {
        let texts = [
            "requests>=2",
            "requests [socks] == 2.* ; python_version > '3'",
            "x@https://f.example/x-1-py3-none-any.whl",
            "x @ https://f.example/x.tar.gz",
            "https://f.example/x-1.tar.gz",
            "--index-url https://i.example/simple",
            "-i=https://i.example/simple",
            "--only-binary=:all:",
            "--pre",
            "-fhttps://f.example/links.html",
        ];
        let file = SourceFile::new("env.yml", "");
        let list: Vec<_> = texts.iter().map(|text| entry(text, 1)).collect();
        check(&list, &file).unwrap();
    }

    #[test]
    fn what_the_build_cannot_have_is_said_at_its_line() {
        let texts = [
            "git+https://me:hunter2@g.example/x.git",
            "x @ git+https://g.example/x.git@main",
            "-r requirements.txt",
            "--constraint=c.txt",
            "-e .",
            "./x",
            "/home/me/x.whl",
            "x @ file:///home/me/x.whl",
            "--find-links ./wheels",
            "--target /opt",
        ];
        let text = texts.map(|text| format!("  - {text}\n")).concat();
        let file = SourceFile::new("env.yml", text);
        let mut all = String::new();
        for (index, text) in texts.iter().enumerate() {
            let error = check(&[entry(text, index + 1)], &file).unwrap_err();
            all.push_str(&format!("{}\n\n", error.render(Level::Error)));
        }
        assert!(!all.contains("hunter2"));
        insta::assert_snapshot!(all);
    }

    #[test]
    fn packages_are_found_in_the_list() {
        let list = [
            entry("--index-url https://me:pw@i.example/simple", 4),
            entry("Flask_SQLAlchemy[x]>=2", 5),
            entry("https://f.example/x.whl", 6),
        ];
        assert_eq!(lines(&list, "flask-sqlalchemy"), Some(Lines::one(5)));
        let whole = Lines { first: 4, last: 6 };
        assert_eq!(lines(&list, "click"), Some(whole));
        assert_eq!(lines(&[], "click"), None);
        let indexes: Vec<String> = indexes(&list).map(String::from).collect();
        assert_eq!(indexes, ["https://me:pw@i.example/simple"]);
        assert_eq!(name("https://f.example/x.whl"), None);
        assert_eq!(name("--pre"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-a-z@ .:/=\\[+é]{0,20}|.*") {
            let file = SourceFile::new("env.yml", "");
            let _ = check(&[entry(&text, 1)], &file);
            let _ = name(&text);
            let _ = indexes(&[entry(&text, 1)]).count();
        }
    }
}
