//! Where the files are that the user's files name: beside the file that names them, as conda, mamba and pip look for
//! them, or else in the build context.

use std::sync::Arc;

use crate::context_path::{OUTSIDE, is_above, joined, normalized};
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Location, SourceFile};

/// A folder that paths start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// The build context.
    Context,
    /// The folder with the build file, if it is not known where in the build context it is. Paths may lead out of it.
    BuildFile,
}

/// A file or folder of the user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath {
    /// Where the path starts.
    pub root: Root,
    /// The path, normalized; empty for the root itself.
    pub path: String,
}

impl FilePath {
    /// The root of the build context.
    pub fn context() -> Self {
        Self {
            root: Root::Context,
            path: String::new(),
        }
    }

    /// The folder with the build file.
    pub fn build_file() -> Self {
        Self {
            root: Root::BuildFile,
            path: String::new(),
        }
    }

    /// `path` in this folder; `None` if it leads out of the build context.
    pub fn join(&self, path: &str) -> Option<Self> {
        let path = match self.root {
            Root::Context => joined(&self.path, path)?,
            Root::BuildFile => normalized(&self.path, path),
        };
        Some(Self {
            root: self.root,
            path,
        })
    }

    /// The folder that this file is in.
    #[must_use]
    pub fn folder(&self) -> Self {
        Self {
            root: self.root,
            path: match self.path.rsplit_once('/') {
                Some((folder, _)) => folder.to_owned(),
                None => String::new(),
            },
        }
    }

    /// Whether the path leads out of its root.
    pub fn is_above(&self) -> bool {
        is_above(&self.path)
    }

    /// Where `path` can be that a file in this folder names: in the folder, then in the build context. The places that are
    /// outside the build context are left out.
    pub fn candidates(&self, path: &str) -> Vec<Self> {
        let places = [self.join(path), Self::context().join(path)];
        let mut places: Vec<Self> = places.into_iter().flatten().collect();
        places.dedup();
        places
    }

    /// The path that leads from `folder` to this one, if both start from the same root.
    pub fn from_folder(&self, folder: &Self) -> Option<String> {
        if self.root != folder.root || self.is_above() || folder.is_above() {
            return None;
        }
        let parts = |path: &str| -> Vec<String> {
            let parts = path.split('/').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let (to, from) = (parts(&self.path), parts(&folder.path));
        let same = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
        let up = std::iter::repeat_n("..", from.len() - same);
        let down = to[same..].iter().map(String::as_str);
        let parts: Vec<&str> = up.chain(down).collect();
        Some(match parts.as_slice() {
            [] => ".".to_owned(),
            parts => parts.join("/"),
        })
    }
}

/// A path that a user's file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    /// The path as it is named, normalized.
    pub path: String,
    /// The folder that it is relative to.
    pub folder: FilePath,
    /// The folder of the file that names it, if that is another one: a requirements file in another folder than the
    /// environment's file.
    pub beside: Option<FilePath>,
    /// Whether it can also be relative to the build context. What a requirements file names cannot: pip knows no context.
    pub or_context: bool,
    /// Where it is named.
    pub location: Location,
}

/// What is at a place where a named file can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file.
    File(Vec<u8>),
    /// A folder, or something else that is not a file.
    Folder,
    /// Nothing.
    Nothing,
    /// Nobody knows: it is outside the folder of the build file, whose place in the build context is unknown.
    Unknown,
}

/// A named file that was found.
#[derive(Clone, Debug)]
pub struct NamedFile {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Where it is.
    pub path: FilePath,
    /// The warning that there is another one.
    pub warning: Option<Warning>,
}

impl NamedPath {
    /// Where it can be, the first place first.
    ///
    /// # Errors
    /// A diagnostic if it is outside the build context.
    pub fn candidates(&self) -> Result<Vec<FilePath>, Diagnostic> {
        let places = if self.or_context {
            self.folder.candidates(&self.path)
        } else {
            self.folder.join(&self.path).into_iter().collect()
        };
        if places.is_empty() {
            return Err(self.outside());
        }
        Ok(places)
    }

    /// The file among what is at its [`candidates`](Self::candidates()).
    ///
    /// # Errors
    /// A diagnostic if there is none.
    pub fn choose(&self, places: Vec<(FilePath, Content)>) -> Result<NamedFile, Diagnostic> {
        let candidates: Vec<FilePath> = places.iter().map(|(path, _)| path.clone()).collect();
        let found = self.find(places)?;
        found.ok_or_else(|| self.nowhere(&candidates, None))
    }

    /// The same for a file that may be missing.
    ///
    /// # Errors
    /// A diagnostic if there is something else, or if nobody knows.
    pub fn find(&self, places: Vec<(FilePath, Content)>) -> Result<Option<NamedFile>, Diagnostic> {
        let is_file = |place: &(FilePath, Content)| matches!(place.1, Content::File(_));
        let mut files = places.iter().filter(|place| is_file(place));
        let (Some((path, Content::File(data))), other) = (files.next(), files.next()) else {
            return self.other(&places).map_or(Ok(None), Err);
        };
        let warning = other
            .filter(|(_, other)| *other != Content::File(data.clone()))
            .map(|(other, _)| self.ambiguous(other));
        Ok(Some(NamedFile {
            file: SourceFile::new(path.path.as_str(), data.as_slice()),
            path: path.clone(),
            warning,
        }))
    }

    /// Where it would be if it were relative to the file that names it, if it is not.
    pub fn mistaken(&self) -> Option<FilePath> {
        self.beside.as_ref()?.join(&self.path)
    }

    /// The warning that there is something else at `other`.
    pub fn ambiguous(&self, other: &FilePath) -> Warning {
        let (path, folder) = (self.shown(), self.folder_name());
        let message = format!(
            "`{path}` is in {folder}, and something else has the same path in the build context: the build uses the one in the folder"
        );
        self.warning(
            message,
            match other.from_folder(&self.folder) {
                Some(path) => format!(
                    "Write `{}` for the other one, or rename one of the two.",
                    quoted(&path)
                ),
                None => "Rename one of the two.".to_owned(),
            },
        )
    }

    /// The warning that the whole build context is used, at `root`, because the folder of the file is not a package;
    /// `None` if another path is meant, or if no other path leads to it.
    pub fn root_instead(&self, root: &FilePath) -> Option<Warning> {
        let path = root.from_folder(&self.folder)?;
        let message = format!(
            "`{}` is {}, which is not a Python package: the build uses the root of the build context",
            self.shown(),
            self.folder_name()
        );
        let help = format!(
            "Write `{}` for the root of the build context.",
            quoted(&path)
        );
        self.path.is_empty().then(|| self.warning(message, help))
    }

    fn warning(&self, message: String, help: String) -> Warning {
        Warning {
            rule: Rule::AmbiguousPath,
            diagnostic: Diagnostic::new(message).help(help),
        }
        .at(&self.location.file, self.location.lines)
    }

    /// The error that it is outside the build context.
    pub fn outside(&self) -> Diagnostic {
        self.error(format!("`{}` is outside the build context", self.shown()))
            .help(OUTSIDE)
    }

    /// The error that nobody knows where it is.
    pub fn unknown(&self) -> Diagnostic {
        let file = self.location.file.name();
        let inside = self.path.trim_start_matches("../");
        let error = self.error(format!(
            "`{}` cannot be found: the build cannot tell where in the build context {file} is",
            self.shown()
        ));
        match inside {
            _ if !self.or_context => error.help(format!(
                "Put the file in the folder of {file} or below, or {file} in the build context."
            )),
            ".." => error.help(
                "Write `.` for the root of the build context, or put the build file in the build context.",
            ),
            inside => error.help(format!(
                "Write the path from the root of the build context: `{}`",
                quoted(inside)
            )),
        }
    }

    /// The error that nothing is at any of its `places`. `meant` is [where it would be](Self::mistaken()) beside the file that
    /// names it, if something is there.
    pub fn nowhere(&self, places: &[FilePath], meant: Option<&FilePath>) -> Diagnostic {
        let (file, folder) = (self.location.file.name(), self.folder_name());
        let error = match places {
            [
                FilePath {
                    root: Root::Context,
                    path,
                },
            ] => self.error(format!("`{}` is not in the build context", quoted(path))),
            [FilePath { path, .. }] => self.error(format!(
                "`{}` is not in the folder of the build file",
                quoted(path)
            )),
            _ => self.error(format!(
                "`{}` is neither in {folder} nor in the build context",
                self.shown()
            )),
        };
        error.help(if self.beside.is_some() {
            let meant = meant.and_then(|meant| meant.from_folder(&self.folder));
            let meant = meant.map(|path| {
                if path.starts_with("..") {
                    path
                } else {
                    format!("./{path}")
                }
            });
            match meant {
                Some(path) => format!(
                    "Write `{}`: paths of packages in {file} are relative to {folder}, not to the file.",
                    quoted(&path)
                ),
                None => format!("Give the path relative to {folder}: the folder of {file} does not count."),
            }
        } else if self.or_context {
            format!(
                "Give the path relative to {file}, or to the build context, the folder that you pass to docker build."
            )
        } else {
            format!("Paths in {file} are relative to it.")
        })
    }

    /// The error about what is at its places instead of a file, if that is not nothing.
    fn other(&self, places: &[(FilePath, Content)]) -> Option<Diagnostic> {
        let is = |wanted: &Content| places.iter().any(|(_, content)| content == wanted);
        if is(&Content::Folder) {
            let error = self.error(format!("`{}` is a folder, not a file", self.shown()));
            return Some(error.help("Name a file."));
        }
        is(&Content::Unknown).then(|| self.unknown())
    }

    fn error(&self, message: String) -> Diagnostic {
        Diagnostic::new(message).at(&self.location.file, self.location.lines)
    }

    /// The folder that it is relative to, in messages.
    fn folder_name(&self) -> String {
        match (&self.beside, self.folder.root, self.folder.path.as_str()) {
            (None, ..) => format!("the folder of {}", self.location.file.name()),
            (_, Root::Context, "") => "the root of the build context".to_owned(),
            (_, Root::BuildFile, "") => "the folder of the build file".to_owned(),
            (_, _, folder) => format!("the folder `{}`", quoted(folder)),
        }
    }

    /// The path in messages.
    fn shown(&self) -> String {
        match self.path.as_str() {
            "" => ".".to_owned(),
            path => quoted(path),
        }
    }
}

#[cfg(test)]
mod tests;
