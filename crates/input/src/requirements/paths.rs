//! Paths in a list of requirements.

use percent_encoding::percent_decode_str;

use crate::context_path::normalized;
use crate::file_path::{FilePath, NamedPath};
use crate::mistake::Mistake;
use condafront_model::package::Hashes;
use condafront_model::redact::quoted;
use condafront_model::source::Location;

/// The path of a package's file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath {
    /// The path as the list has it, normalized.
    pub path: String,
    /// The folder that it is relative to: that of the file with the list, in which conda runs pip.
    pub folder: FilePath,
}

impl LocalPath {
    /// The path of a place that is known.
    pub fn at(place: &FilePath) -> Self {
        Self {
            path: place.path.clone(),
            folder: FilePath {
                root: place.root,
                path: String::new(),
            },
        }
    }

    /// The path, named at `location` in a file in the folder `beside`.
    pub(super) fn named(&self, location: Location, beside: Option<&FilePath>) -> NamedPath {
        NamedPath {
            path: self.path.clone(),
            folder: self.folder.clone(),
            beside: beside.filter(|beside| **beside != self.folder).cloned(),
            or_context: true,
            location,
        }
    }
}

/// A path without a leading `./`, in a list whose folder is not known yet.
pub(super) fn context_path(path: &str) -> Result<LocalPath, Mistake> {
    if path.starts_with(['/', '~']) || has_drive(path) {
        return Err(on_a_machine(path));
    }
    if path.contains('\\') {
        return Err(Mistake::new(
            format!(
                "`{}` has a backslash, which does not separate folders here",
                quoted(path)
            ),
            format!(
                "Write `/` between folders: {}",
                quoted(&path.replace('\\', "/"))
            ),
        ));
    }
    Ok(LocalPath {
        path: normalized("", path),
        folder: FilePath::context(),
    })
}

/// Whether a path starts with a drive of Windows: `C:\x`.
pub(super) fn has_drive(path: &str) -> bool {
    let mut chars = path.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.next() == Some(':')
        && chars.next().is_some_and(|c| ['/', '\\'].contains(&c))
}

/// What a `file:` URL names.
pub(super) struct FileUrl {
    /// The path.
    pub(super) path: LocalPath,
    /// The hashes that its file must have.
    pub(super) hashes: Hashes,
}

/// What a `file:` URL names; `None` for other URLs. pip takes paths that are relative to where it runs.
pub(super) fn of_file_url(url: &str) -> Option<Result<FileUrl, Mistake>> {
    let rest = url.strip_prefix("file:")?;
    Some(read_file_url(rest, url))
}

fn read_file_url(rest: &str, url: &str) -> Result<FileUrl, Mistake> {
    if rest.starts_with('/') {
        return Err(on_a_machine(url));
    }
    let (path, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let path = percent_decode_str(path).decode_utf8_lossy();
    if path.is_empty() {
        return Err(Mistake::new(
            format!("`{}` names no file", quoted(url)),
            "Write the path after it: file:./demo",
        ));
    }
    let mut folder = None;
    let mut hashes = Hashes::default();
    for (name, value) in url::form_urlencoded::parse(fragment.as_bytes()) {
        match &*name {
            "egg" => {}
            "subdirectory" => folder = Some(value),
            "sha256" => hashes.sha256 = Some(hash(&value, 64, url)?),
            "md5" => hashes.md5 = Some(hash(&value, 32, url)?),
            _ => {
                return Err(Mistake::new(
                    format!(
                        "`{}` is not supported after the # in `{}`",
                        quoted(&name),
                        quoted(url)
                    ),
                    "Write egg=, subdirectory=, sha256= or md5= there.",
                ));
            }
        }
    }
    let path = match folder {
        Some(folder) => context_path(&format!("{path}/{folder}"))?,
        None => context_path(&path)?,
    };
    Ok(FileUrl { path, hashes })
}

/// A hash with this number of hex digits in `url`.
fn hash(value: &str, digits: usize, url: &str) -> Result<String, Mistake> {
    if value.len() == digits && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(value.to_ascii_lowercase());
    }
    Err(Mistake::new(
        format!(
            "`{}` has a hash that is not {digits} hex digits",
            quoted(url)
        ),
        "Correct it, or remove it.",
    ))
}

/// The mistake of naming a file of the user's machine.
pub(super) fn on_a_machine(path: &str) -> Mistake {
    Mistake::new(
        format!(
            "`{}` is a local file, which the build cannot see",
            quoted(path)
        ),
        "Put it in the build context and write its path there (./demo or ./demo-1.0-py3-none-any.whl), take the package from an index, or give the URL of its file.",
    )
}
