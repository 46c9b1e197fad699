//! The build file, and the files of the build context that it names.

use std::sync::Arc;

use super::session::Session;
use crate::context::files::Context;
use crate::context::{self, BuildFile};
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use condafront_input as input;
use condafront_input::options::Options;
use condafront_input::section::Located;
use condafront_input::{InputSettings, specs};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

/// The build file. With `CONDA_SPECS` it may be missing or empty: the build-args then take its place.
///
/// # Errors
/// When a required file is missing.
pub(crate) async fn build_file(
    bridge: &Bridge,
    options: &Options,
    settings: &InputSettings,
    platform: Platform,
) -> Result<BuildFile, BuildError> {
    if settings.specs.is_empty() {
        return context::read_build_file(bridge, options).await;
    }
    let found = context::find_build_file(bridge, options).await?.file;
    if !input::is_empty(&found.file) {
        return Ok(found);
    }
    let (file, _) = specs::read(settings, platform)?;
    Ok(BuildFile { file, ..found })
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
