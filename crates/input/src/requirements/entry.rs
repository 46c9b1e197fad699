//! One line of a list: what it asks for.
//!
//! pip parses the line again itself. This module extracts what the build needs to know: which files to read or fetch,
//! what it does not support, and which requirements are invalid, so that the user hears of it before anything is built.

use url::Url;

use super::editable;
use super::options::{self, PipOption};
use super::paths::{LocalPath, context_path, of_file_url, on_a_machine};
use super::repository::{self, Repository};
use super::syntax::{allows, check_marker, check_syntax, is_name, without_extras};
use crate::file_path::FilePath;
use crate::mistake::Mistake;
use condafront_model::package::Hashes;
use condafront_model::pypi_package::{PipPackage, normalized, requirement_name};
use condafront_model::redact::quoted;
use condafront_step_spec::pip_variables::variables;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A package.
    Package(Requirement),
    /// Another file to read, `-r` or `-c`.
    File {
        /// Its path as written.
        path: String,
        /// Whether its lines are constraints.
        constraints: bool,
    },
    /// Options that only pip interprets.
    Options(Vec<PipOption>),
}

/// A requested package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its normalized name, if the line gives one.
    pub name: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// The text before the source: `NAME[extra] @ `.
    pub before: String,
    /// The text after it: extras, markers and options.
    pub(super) after: String,
    /// Whether it has a marker.
    pub(crate) has_marker: bool,
    /// The accepted hashes of its file, `sha256:<hex>`.
    pub hashes: Vec<String>,
    /// The hashes that a file of the user must have.
    pub file_hashes: Box<Hashes>,
    /// The options for building it, as command-line words.
    pub build_options: Vec<String>,
    /// Whether it is to be installed as editable, which only images for development have.
    pub is_editable: bool,
}

impl Requirement {
    /// Its marker.
    pub(crate) fn marker(&self) -> Option<&str> {
        let text = match self.source {
            Source::Index => &self.before,
            Source::Web(_) | Source::Context(_) | Source::Repository(_) => &self.after,
        };
        text.split_once(';').map(|(_, marker)| marker.trim())
    }

    /// Whether `package`, which has its name, has a version that it asks for, as far as its text says.
    pub(crate) fn allows(&self, package: &PipPackage) -> bool {
        let version = package.version.clone().or_else(|| package.file_version());
        match (&self.source, version) {
            (Source::Index, Some(version)) => allows(&self.before, &version),
            _ => true,
        }
    }
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An index.
    Index,
    /// A file on a web server; `None` if the URL has variables that only pip can expand.
    Web(Option<Url>),
    /// A file or folder of the user.
    Context(LocalPath),
    /// A git repository.
    Repository(Box<Repository>),
}

/// The suffixes of source archives and wheels (`pip/_internal/utils/filetypes.py`).
const ARCHIVES: &[&str] = &[
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
];

impl Entry {
    /// The same entry, in a list of a file in `folder`.
    #[must_use]
    pub(super) fn in_folder(mut self, folder: &FilePath) -> Self {
        if let Self::Package(Requirement {
            source: Source::Context(path),
            ..
        }) = &mut self
        {
            path.folder = folder.clone();
        }
        self
    }

    /// Parses a line without comments.
    ///
    /// # Errors
    /// A line that pip would not understand, or that the build does not support.
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        let editable = editable::of_line(text)?;
        if editable.is_none() && text.starts_with('-') {
            return options_alone(text);
        }
        let (requirement, options) = split_options(editable.as_deref().unwrap_or(text));
        let mut found = match editable {
            Some(_) => after_editable(requirement)?,
            None => requirement_alone(requirement)?,
        };
        for option in options::read(options, true)? {
            match option.name {
                "--hash" => found.hashes.push(hash(&option.value)?),
                name => found.build_options.push(format!("{name}={}", option.value)),
            }
        }
        if !options.is_empty() {
            found.after.push(' ');
            found.after.push_str(options);
        }
        Ok(Self::Package(found))
    }
}

fn options_alone(text: &str) -> Result<Entry, Mistake> {
    let options = options::read(text, false)?;
    for option in &options {
        check_option(option)?;
    }
    let file = options
        .iter()
        .find(|option| ["--requirement", "--constraint"].contains(&option.name));
    match file {
        Some(_) if options.len() > 1 => Err(Mistake::new(
            format!("`{}` has options besides the file", quoted(text)),
            "Put each option on its own line.",
        )),
        Some(option) => Ok(Entry::File {
            path: option.value.clone(),
            constraints: option.name == "--constraint",
        }),
        None => Ok(Entry::Options(options)),
    }
}

fn check_option(option: &PipOption) -> Result<(), Mistake> {
    let shown = quoted(&option.value);
    let is_file = ["--requirement", "--constraint"].contains(&option.name);
    let is_web = is_web(&option.value) || option.value.starts_with("${");
    match option.name {
        "--editable" => Err(Mistake::new(
            format!("`-e {shown}` must be a line of its own, with a space after -e"),
            "For example: -e ./demo",
        )),
        _ if is_file && option.value.contains("://") => Err(Mistake::new(
            format!("`{shown}` is on a web server, where it can change without the build noticing"),
            "Put the file into the build context.",
        )),
        "--index-url" | "--extra-index-url" if !is_web => Err(Mistake::new(
            format!("`{shown}` is not an index that the build can reach"),
            "Give the http(s) URL of an index: --index-url https://pypi.org/simple",
        )),
        "--find-links" if !is_web => Err(Mistake::new(
            format!("`{shown}` is a folder: pip cannot search folders for packages during a build"),
            "List the files themselves, one per line: ./wheels/demo-1.0-py3-none-any.whl. Or give the http(s) URL of a page with links.",
        )),
        _ => Ok(()),
    }
}

/// Splits a line into the requirement and the options after it, as pip does.
fn split_options(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = text[from..].find(" -") {
        let at = from + at;
        let after_dash = text[at + 2..].chars().next();
        if after_dash.is_some_and(|c| c == '-' || c.is_ascii_alphabetic()) {
            return (text[..at].trim_end(), text[at..].trim_start());
        }
        from = at + 2;
    }
    (text, "")
}

fn hash(value: &str) -> Result<String, Mistake> {
    /// The algorithms that pip accepts, with their numbers of hex digits.
    const ALGORITHMS: &[(&str, usize)] = &[("sha256", 64), ("sha384", 96), ("sha512", 128)];
    let digits = |name: &str, digits: &str| {
        ALGORITHMS.iter().any(|(known, length)| {
            *known == name
                && digits.len() == *length
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    match value.split_once(':') {
        Some((name, hex)) if digits(name, hex) => {
            Ok(format!("{name}:{}", hex.to_ascii_lowercase()))
        }
        _ => Err(Mistake::new(
            format!("`{}` is not a hash that pip accepts", quoted(value)),
            "Write --hash=sha256:<64 hex digits>; sha384 and sha512 also work.",
        )),
    }
}

/// The requirement that follows `-e`.
fn after_editable(text: &str) -> Result<Requirement, Mistake> {
    if text.trim().is_empty() {
        return Err(Mistake::new(
            "`-e` names neither a folder nor a repository",
            "For example: -e ./demo",
        ));
    }
    // There, a name is that of a folder.
    let is_name = !text.contains(['/', ':', '@']) && !text.starts_with('.');
    let found = if is_name {
        requirement_alone(&format!("./{text}"))?
    } else if text.starts_with("file:") && !text.contains('#') {
        // Only there, extras follow such a URL.
        let (target, marker) = split_marker(text, "; ");
        let (url, extras) = without_extras(target);
        let found = from_url(url, marker, text)?;
        Requirement {
            after: format!("{extras}{}", found.after),
            ..found
        }
    } else {
        requirement_alone(text)?
    };
    match found.source {
        Source::Context(_) | Source::Repository(_) => Ok(Requirement {
            is_editable: true,
            ..found
        }),
        Source::Index | Source::Web(_) => Err(Mistake::new(
            format!(
                "`{}` cannot be installed as editable: it is neither a folder nor a repository",
                quoted(text)
            ),
            "Remove -e.",
        )),
    }
}

fn requirement_alone(text: &str) -> Result<Requirement, Mistake> {
    if let Some((head, target)) = text.split_once('@')
        && is_name(without_extras(head.trim()).0)
        && !target.is_empty()
    {
        return at(head.trim(), target.trim());
    }
    if text.contains("://") || text.starts_with("file:") || is_repository(text) {
        let (target, marker) = split_marker(text, "; ");
        return from_url(target, marker, text);
    }
    let (path, marker) = split_marker(text, ";");
    let (bare, extras) = without_extras(path);
    let is_archive = ARCHIVES
        .iter()
        .any(|suffix| bare.to_ascii_lowercase().ends_with(suffix));
    if bare.contains('/') || bare.starts_with('.') || is_archive {
        check_marker(marker, text)?;
        return Ok(Requirement {
            name: None,
            source: Source::Context(context_path(bare)?),
            before: String::new(),
            after: format!("{extras}{marker}"),
            has_marker: !marker.is_empty(),
            hashes: Vec::new(),
            file_hashes: Box::default(),
            build_options: Vec::new(),
            is_editable: false,
        });
    }
    check_syntax(text, text)?;
    Ok(Requirement {
        name: requirement_name(text),
        source: Source::Index,
        before: text.to_owned(),
        after: String::new(),
        has_marker: text.contains(';'),
        hashes: Vec::new(),
        file_hashes: Box::default(),
        build_options: Vec::new(),
        is_editable: false,
    })
}

/// `NAME[extra] @ URL ; marker`.
fn at(head: &str, target: &str) -> Result<Requirement, Mistake> {
    let text = format!("{head} @ {target}");
    let (url, marker) = match target.find(char::is_whitespace) {
        Some(end) => target.split_at(end),
        None => (target, ""),
    };
    check_syntax(head, &text)?;
    Ok(Requirement {
        name: requirement_name(head),
        before: format!("{head} @ "),
        ..from_url(url, marker, &text)?
    })
}

/// The requirement for `url`, followed by `marker`. `text` is for messages.
fn from_url(url: &str, marker: &str, text: &str) -> Result<Requirement, Mistake> {
    check_marker(marker, text)?;
    let shown = quoted(url);
    let mut file_hashes = Box::default();
    let source = if is_web(url) {
        let parsed = Url::parse(url).ok().filter(Url::has_host);
        if parsed.is_none() && variables(url).is_empty() {
            return Err(Mistake::new(
                format!("`{shown}` is not a valid URL"),
                "For example: https://files.example/demo-1.0-py3-none-any.whl",
            ));
        }
        Source::Web(parsed.filter(|_| variables(url).is_empty()))
    } else if let Some(repository) = url.strip_prefix("git+") {
        Source::Repository(Box::new(Repository::parse(repository, url)?))
    } else if is_repository(url) {
        return Err(Mistake::new(
            format!(
                "condafront cannot install from `{shown}`: only git repositories are supported"
            ),
            "Use a release instead, or an archive of the commit: NAME @ https://…/<commit>.tar.gz.",
        ));
    } else if let Some(found) = of_file_url(url) {
        let found = found?;
        file_hashes = Box::new(found.hashes);
        Source::Context(found.path)
    } else if url.starts_with('/') {
        return Err(on_a_machine(url));
    } else {
        return Err(Mistake::new(
            format!("`{shown}` is not a URL that the build can fetch"),
            "Give an http(s) URL, or a path in the build context without a name in front: ./demo",
        ));
    };
    let name = url.rsplit('/').next().filter(|file| file.ends_with(".whl"));
    let name = name.and_then(|file| file.split('-').next()).map(normalized);
    let egg = match &source {
        Source::Repository(_) | Source::Context(_) => repository::egg(url)?,
        _ => None,
    };
    let own = name.filter(|_| matches!(source, Source::Web(_)));
    Ok(Requirement {
        name: own.or_else(|| requirement_name(egg.as_deref()?)),
        before: egg.map_or_else(String::new, |egg| format!("{egg} @ ")),
        source,
        after: marker.to_owned(),
        has_marker: !marker.trim().is_empty(),
        hashes: Vec::new(),
        file_hashes,
        build_options: Vec::new(),
        is_editable: false,
    })
}

/// Splits off a marker, which keeps its leading semicolon.
fn split_marker<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    match text.find(mark) {
        Some(at) => (text[..at].trim_end(), &text[text[..at].trim_end().len()..]),
        None => (text, ""),
    }
}

fn is_web(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn is_repository(text: &str) -> bool {
    ["git+", "hg+", "svn+", "bzr+"]
        .iter()
        .any(|start| text.starts_with(start))
}
