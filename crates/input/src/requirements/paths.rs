//! Paths in a list of requirements.

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
