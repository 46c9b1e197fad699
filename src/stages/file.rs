//! The build file, and the files of the build context that it names.

use std::sync::Arc;

use super::session::Session;
use crate::context::files::Context;
use crate::context::{self, BuildFile};
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::options::settings::Settings;
use condafront_input::BuildSource;
use condafront_input::options::Options;
use condafront_input::section::Located;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

/// The build file, and what the build is made from. With `CONDA_SPECS` the file may be missing or empty: the build-args
/// then take its place. If it is not empty, the inner error says so at its line.
///
/// # Errors
/// When a required file is missing, or the build-args in its place are wrong.
pub(crate) async fn build_file(
    bridge: &Bridge,
    options: &Options,
    settings: &Settings,
    platform: Platform,
) -> Result<(BuildFile, Result<BuildSource, Diagnostic>), BuildError> {
    let found = context::find_build_file(bridge, options).await?;
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
    /// A file of the build context that `file` names; the path is relative to the context.
    ///
    /// # Errors
    /// A diagnostic at the path, if the file is missing.
    pub(super) async fn context_file(
        &self,
        path: &Located<String>,
        file: &Arc<SourceFile>,
    ) -> Result<Arc<SourceFile>, BuildError> {
        let context = Context::find(self.bridge, self.options).await?;
        let found = context.read(&path.value).await?;
        found.ok_or_else(|| {
            Diagnostic::new(format!("`{}` is not in the build context", path.value))
                .at(file, path.lines)
                .help("Give the path relative to the build context, the folder that you pass to docker build.")
                .into()
        })
    }
}
