//! Paths in a list of requirements.

use percent_encoding::percent_decode_str;

use crate::context_path::normalized;
use crate::file_path::{FilePath, NamedPath};
use crate::mistake::Mistake;
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

    /// The path, named at `location`.
    pub fn named(&self, location: Location) -> NamedPath {
        NamedPath {
            path: self.path.clone(),
            folder: self.folder.clone(),
            or_context: true,
            location,
        }
    }
}

/// A path without a leading `./`, in a list whose folder is not known yet.
pub(super) fn context_path(path: &str) -> Result<LocalPath, Mistake> {
    if path.starts_with('/') {
        return Err(on_a_machine(path));
    }
    Ok(LocalPath {
        path: normalized("", path),
        folder: FilePath::context(),
    })
}

/// The path in a `file:` URL; `None` if it is none. pip takes paths that are relative to where it runs.
pub(super) fn of_file_url(url: &str) -> Option<Result<LocalPath, Mistake>> {
    let path = url.strip_prefix("file:")?;
    if path.starts_with('/') {
        return Some(Err(on_a_machine(url)));
    }
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    let mut parts = url::form_urlencoded::parse(fragment.as_bytes());
    let folder = parts.find(|(name, _)| name == "subdirectory");
    let path = percent_decode_str(path).decode_utf8_lossy();
    Some(match folder {
        Some((_, folder)) => context_path(&format!("{path}/{folder}")),
        None => context_path(&path),
    })
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
