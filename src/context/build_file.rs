//! The build file, and what `.dockerignore` leaves out of the build context.

use std::sync::Arc;

use buildkit_llb::{Digest, Output};

use super::ignore;
use super::sources::Sources;
use super::tree::{Load, Tree, content, loaded};
use crate::gateway::error::BuildError;
use condafront_input::file_path::Content;
use condafront_input::options::Options;
use condafront_model::source::{Diagnostic, SourceFile};

/// The build file, as it was read.
#[derive(Clone, Debug)]
pub(crate) struct BuildFile {
    /// The file; empty if it is missing and not needed.
    pub file: Arc<SourceFile>,
    /// The vertex that loaded it, under which warnings are shown.
    pub vertex: Digest,
}

/// A build file that may be missing.
pub(crate) struct FoundFile {
    /// The file; empty if it is missing.
    pub file: BuildFile,
    /// Whether it is missing.
    is_missing: bool,
}

impl FoundFile {
    /// The file of a build that needs one.
    ///
    /// # Errors
    /// When it is missing.
    pub(crate) fn required(self, options: &Options) -> Result<BuildFile, Diagnostic> {
        if self.is_missing {
            let name = options.file_name();
            return Err(Diagnostic::new(format!("`{name}` is not in the build context")).help(
                "Name the environment or lock file with -f, relative to where docker build runs.",
            ));
        }
        Ok(self.file)
    }
}

impl Sources<'_> {
    /// Looks for the build file.
    ///
    /// # Errors
    /// When it exists but cannot be read.
    pub(crate) async fn build_file(&self) -> Result<FoundFile, BuildError> {
        let (name, state) = self.definition();
        let reference = loaded(self.bridge, &state).await?;
        let path = self.file.full(name);
        let data = match content(self.bridge, &reference, &path, name).await? {
            Content::File(data) => Some(data),
            Content::Folder => {
                let error = Diagnostic::new(format!("`{name}` is a folder, not a file"));
                return Err(error
                    .help("Name the environment or lock file with -f.")
                    .into());
            }
            Content::Nothing | Content::Unknown => None,
        };
        let is_missing = data.is_none();
        let file = BuildFile {
            file: SourceFile::new(name, data.unwrap_or_default()),
            vertex: state.digest(),
        };
        Ok(FoundFile { file, is_missing })
    }

    /// The build file's name, and the file system that has it and its own `.dockerignore`.
    fn definition(&self) -> (&str, Output) {
        let name = match &self.file {
            Tree::SingleFile { name, .. } => name,
            Tree::Client(_) | Tree::State { .. } => self.options.file_name(),
        };
        let load = Load {
            paths: &[name.to_owned(), format!("{name}{}", ignore::NAME)],
            key: self.options.file_local(),
            title: &format!("[internal] load build definition from {name}"),
        };
        (name, self.file.output(self.options, &load))
    }

    /// What `.dockerignore` leaves out of the build context: the build file's own, or else the context's. It is read when it
    /// is first needed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn ignored(&self) -> Result<&[String], BuildError> {
        let ignored = self.ignored.get_or_try_init(async || {
            let (name, state) = self.definition();
            let name = format!("{name}{}", ignore::NAME);
            let reference = loaded(self.bridge, &state).await?;
            let path = self.file.full(&name);
            let found = self.bridge.read_if_sent(&reference, &path).await;
            match ignore::patterns(&name, found)? {
                Some(ignored) => Ok(ignored),
                None => self.ignored_by(&self.context).await,
            }
        });
        ignored.await.map(Vec::as_slice)
    }
}
