//! The file that a build is about, and those of the build context that it names.

use std::sync::Arc;

use super::Session;
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

/// The build file. A build with `CONDA_SPECS` may have none, or one that says nothing; what the build-args say stands in
/// for it.
///
/// # Errors
/// When there is no file and should be one.
pub async fn build_file(
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
    /// A diagnostic where the path stands, if there is no such file.
    pub(super) async fn context_file(
        &self,
        path: &Located<String>,
        file: &Arc<SourceFile>,
    ) -> Result<Arc<SourceFile>, BuildError> {
        let context = Context::find(self.bridge, self.options).await?;
        let found = context.read(&path.value).await?;
        found.ok_or_else(|| {
            Diagnostic::new(format!("there is no file {} in the build context", path.value))
                .at(file, path.lines)
                .help("Paths are relative to the build context, which is the folder that docker build is given.")
                .into()
        })
    }
}
