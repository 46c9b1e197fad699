//! The build file, and what `.dockerignore` leaves out of the build context.

use std::sync::Arc;

use buildkit_llb::Digest;

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
    /// The file; empty if there is none and none is needed.
    pub file: Arc<SourceFile>,
    /// The vertex that loaded it, under which warnings are shown.
    pub vertex: Digest,
    /// What `.dockerignore` leaves out of the build context.
    pub ignored: Vec<String>,
}

/// A build file that may be missing.
pub(crate) struct FoundFile {
    /// The file; empty if it is missing.
    pub file: BuildFile,
    /// Whether there is none.
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
        let (bridge, options) = (self.bridge, self.options);
        let name = match &self.file {
            Tree::SingleFile { name, .. } => name,
            Tree::Client(_) | Tree::State { .. } => options.file_name(),
        };
        let state = self.file.output(
            options,
            &Load {
                paths: &[name.to_owned(), format!("{name}{}", ignore::NAME)],
                key: options.file_local(),
                title: &format!("[internal] load build definition from {name}"),
            },
        );
        let reference = loaded(bridge, &state).await?;
        let path = self.file.full(name);
        let data = match content(bridge, &reference, &path, name).await? {
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
        let of_file = format!("{path}{}", ignore::NAME);
        let of_file = bridge.read_if_sent(&reference, &of_file).await;
        let of_file = ignore::patterns(&format!("{name}{}", ignore::NAME), of_file)?;
        let ignored = match of_file {
            Some(ignored) => ignored,
            None => self.ignored_by(&self.context).await?,
        };
        let file = BuildFile {
            file: SourceFile::new(name, data.unwrap_or_default()),
            vertex: state.digest(),
            ignored,
        };
        Ok(FoundFile { file, is_missing })
    }
}
