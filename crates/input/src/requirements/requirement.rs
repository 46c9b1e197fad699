//! A requirement: a name with versions, an address, or a path.

use url::Url;

use super::address::{self, is_repository, is_web, with_lower_scheme};
use super::check::{check_marker, check_syntax, check_variables};
use super::frozen;
use super::meant;
use super::paths::{LocalPath, context_path, of_file_url, on_a_machine};
use super::repository::{self, Repository};
use super::syntax::{allows, is_name, without_extras};
use crate::marker::Marker;
use crate::mistake::Mistake;
use condafront_model::package::Hashes;
use condafront_model::pypi_package::{PipPackage, normalized, requirement_name};
use condafront_model::redact::{in_full, quoted};
use condafront_step_spec::pip_variables::variables;

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
    /// Whether it asks for extras.
    pub(super) fn has_extras(&self) -> bool {
        let (target, _) = split_marker(&self.before, ";");
        let extras = target.split_once('[').map(|(_, rest)| rest);
        let extras = extras.and_then(|rest| rest.split(']').next());
        extras.is_some_and(|extras| !extras.trim().is_empty())
    }

    /// Whether pip learns its name from the line.
    pub(super) fn is_named(&self) -> bool {
        let fragment = match &self.source {
            Source::Web(Some(url)) => url.fragment(),
            _ => None,
        };
        let of_url = |fragment: &str| fragment.split('&').any(|part| part.starts_with("egg="));
        self.name.is_some()
            || matches!(self.source, Source::Web(None))
            || fragment.is_some_and(of_url)
    }

    /// Its marker.
    pub(crate) fn marker(&self) -> Option<&str> {
        let text = match self.source {
            Source::Index => &self.before,
            Source::Web(_) | Source::Context(_) | Source::Repository(_) => &self.after,
        };
        text.split_once(';').map(|(_, marker)| marker.trim())
    }

    /// Whether its marker says that it is not for Linux: pip ignores it there, and nothing must be found or built for it.
    pub(super) fn is_for_another_system(&self) -> bool {
        let marker = match self.source {
            Source::Index | Source::Web(_) => None,
            Source::Context(_) | Source::Repository(_) => self.after.split_once(';'),
        };
        let marker = marker.and_then(|(_, rest)| {
            let (marker, _) = rest.split_once(" -").unwrap_or((rest, ""));
            Marker::parse(marker).ok()
        });
        marker.is_some_and(|marker| !marker.may_hold_on_linux())
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

/// Whether a path is that of a wheel or a source archive, rather than of a folder.
pub fn is_archive(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ARCHIVES.iter().any(|suffix| path.ends_with(suffix))
}

/// The requirement that follows `-e`.
pub(super) fn after_editable(text: &str) -> Result<Requirement, Mistake> {
    if text.trim().is_empty() {
        return Err(Mistake::new(
            "`-e` names neither a folder nor a repository",
            "For example: -e ./demo",
        ));
    }
    // There, a name is that of a folder.
    let is_name = !text.contains(['/', '\\', ':', '@']) && !text.starts_with('.');
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

pub(super) fn requirement_alone(text: &str) -> Result<Requirement, Mistake> {
    if let Some(mistake) = address::of_git(text) {
        return Err(mistake);
    }
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
    if bare.contains(['/', '\\']) && !bare.ends_with('\\')
        || bare.starts_with('.')
        || is_archive(bare)
    {
        check_variables(bare, text)?;
        check_marker(marker, text)?;
        check_fragment(bare)?;
        let path = context_path(bare)?;
        check_wheel(bare)?;
        return Ok(Requirement {
            name: None,
            source: Source::Context(path),
            before: String::new(),
            after: format!("{extras}{marker}"),
            has_marker: !marker.is_empty(),
            hashes: Vec::new(),
            file_hashes: Box::default(),
            build_options: Vec::new(),
            is_editable: false,
        });
    }
    let asked = if marker.is_empty() { path } else { text };
    check_syntax(asked, text)?;
    Ok(Requirement {
        name: requirement_name(asked),
        source: Source::Index,
        before: asked.to_owned(),
        after: String::new(),
        has_marker: asked.contains(';'),
        hashes: Vec::new(),
        file_hashes: Box::default(),
        build_options: Vec::new(),
        is_editable: false,
    })
}

/// `NAME[extra] @ URL ; marker`.
fn at(head: &str, target: &str) -> Result<Requirement, Mistake> {
    let text = format!("{head} @ {target}");
    if target.starts_with("file:/") {
        return Err(frozen::mistake(head, &text));
    }
    let meant = meant::of_version(&format!("{head} {target}"));
    if let Some(help) = meant.filter(|_| !target.contains([':', '/'])) {
        let message = format!("`{}` is not how pip versions are written", quoted(&text));
        return Err(Mistake::new(message, help));
    }
    // Where the address has a name before it, pip takes the first semicolon for the start of the marker
    // (`parse_req_from_line` in its `req/constructors.py`).
    let (url, marker) = match target.find(|c: char| c.is_whitespace() || c == ';') {
        Some(end) => target.split_at(end),
        None => (target, ""),
    };
    let marker = match marker.strip_prefix(';') {
        _ if is_empty(marker) => "",
        Some(marker) => &format!(" ; {}", marker.trim_start()),
        None => marker,
    };
    check_syntax(head, &text)?;
    let found = from_url(url, marker, &text)?;
    let is_local = matches!(found.source, Source::Repository(_) | Source::Context(_));
    let egg = repository::egg(url).ok().flatten().unwrap_or_default();
    // pip takes extras at the end of the line for those of the name, whatever is in front of them.
    let before = match without_extras(&egg) {
        (_, extras) if is_local && !extras.is_empty() && url.ends_with(']') => {
            format!("{}{extras} @ ", without_extras(head).0)
        }
        _ => format!("{head} @ "),
    };
    Ok(Requirement {
        name: requirement_name(head),
        before,
        ..found
    })
}

/// The requirement for `url`, followed by `marker`. `text` is for messages.
fn from_url(url: &str, marker: &str, text: &str) -> Result<Requirement, Mistake> {
    if let Some(mistake) = address::mistake(url) {
        return Err(mistake);
    }
    check_marker(marker, text)?;
    let url = &with_lower_scheme(url);
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
    } else if url.starts_with("git+file:") {
        return Err(on_a_machine(url));
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
        check_variables(url, text)?;
        let found = found?;
        file_hashes = Box::new(found.hashes);
        Source::Context(found.path)
    } else if url.starts_with('/') {
        return Err(on_a_machine(url));
    } else {
        check_variables(url, text)?;
        let capitals = url
            .get(..5)
            .filter(|start| start.eq_ignore_ascii_case("file:"));
        let path = capitals.map_or(url.as_ref(), |_| &url[5..]);
        let is_path =
            capitals.is_some() || (!path.contains(':') && (path.contains('/') || is_archive(path)));
        return Err(Mistake::new(
            format!("`{shown}` is not a URL that the build can fetch"),
            if is_path {
                format!("Write `file:{}` for that path.", in_full(path))
            } else {
                "Give an http(s) URL, or a path in the build context without a name in front: ./demo"
                    .to_owned()
            },
        ));
    };
    let file = url.split(['?', '#']).next().unwrap_or(url);
    check_wheel(file)?;
    let name = file
        .rsplit('/')
        .next()
        .filter(|file| file.ends_with(".whl"));
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

/// Checks that a path has nothing that only a URL has: `./demo#egg=demo`.
fn check_fragment(path: &str) -> Result<(), Mistake> {
    let (alone, fragment) = path.split_once('#').unwrap_or_default();
    let names = ["egg=", "subdirectory=", "sha256=", "md5="];
    if !names.iter().any(|name| fragment.starts_with(name)) {
        return Ok(());
    }
    Err(Mistake::new(
        format!(
            "`{}` is a path, and pip reads `#` only in URLs",
            quoted(path)
        ),
        format!(
            "Write the path alone, `{}`, or `file:{}`.",
            in_full(alone),
            in_full(path)
        ),
    ))
}

/// Checks the name of the file at `path`, which may be in a URL, if it is a wheel.
fn check_wheel(path: &str) -> Result<(), Mistake> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let is_wheel = file.to_ascii_lowercase().ends_with(".whl");
    // A build tag is optional.
    if !is_wheel || [5, 6].contains(&file.split('-').count()) || !variables(file).is_empty() {
        return Ok(());
    }
    Err(Mistake::new(
        format!("`{}` is not the name of a wheel", quoted(file)),
        "Write the name that it was built with, NAME-VERSION-PYTHON-ABI-PLATFORM.whl: demo-1.0-py3-none-any.whl",
    ))
}

/// Splits off a marker, which keeps its leading semicolon. As for pip, there may be nothing after that.
fn split_marker<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    let Some(at) = text.find(mark) else {
        return (text, "");
    };
    let (target, marker) = text.split_at(text[..at].trim_end().len());
    (target, if is_empty(marker) { "" } else { marker })
}

/// Whether a marker with its semicolon says nothing.
fn is_empty(marker: &str) -> bool {
    marker.trim() == ";"
}
