//! The build file, and the files that it names.

use std::sync::Arc;

use super::session::Session;
use crate::context::build_file::BuildFile;
use crate::context::sources::Sources;
use crate::gateway::error::BuildError;
use crate::options::settings::Settings;
use condafront_input::BuildSource;
use condafront_input::file_path::{NamedFile, NamedPath};
use condafront_input::options::Options;
use condafront_input::section::Located;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Location};

/// The build file, and what the build is made from. With `CONDA_SPECS` the file may be missing or empty: the build-args
/// then take its place. If it is not empty, the inner error says so at its line.
///
/// # Errors
/// When a required file is missing, or the build-args in its place are wrong.
pub(crate) async fn build_file(
    sources: &Sources<'_>,
    options: &Options,
    settings: &Settings,
    platform: Platform,
) -> Result<(BuildFile, Result<BuildSource, Diagnostic>), BuildError> {
    let found = sources.build_file().await?;
    let source = BuildSource::of(&found.file.file, &settings.specs, &settings.input);
    let file = match &source {
        Ok(BuildSource::File(_)) => found.required(options)?,
        Ok(BuildSource::Specs(specs)) => {
            specs.read(platform)?;
            let file = Arc::clone(specs.file());
            BuildFile { file, ..found.file }
        }
        Err(_) => found.file,
    };
    Ok((file, source))
}

impl Session<'_> {
    /// The file that `path` in the build file names.
    ///
    /// # Errors
    /// A diagnostic at the path, if the file is missing.
    pub(super) async fn beside_build_file(
        &self,
        path: &Located<String>,
    ) -> Result<NamedFile, BuildError> {
        let named = NamedPath {
            path: path.value.clone(),
            folder: self.sources.build_folder(),
            beside: None,
            or_context: true,
            location: Location {
                file: Arc::clone(&self.build_file.file),
                lines: path.lines,
            },
        };
        self.named_file(&named).await
    }

    /// The file that a path names.
    ///
    /// # Errors
    /// A diagnostic at the path, if the file is missing.
    pub(super) async fn named_file(&self, named: &NamedPath) -> Result<NamedFile, BuildError> {
        self.sources.named_file(named).await
    }
}
