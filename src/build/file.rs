//! The file that a build is about.

use crate::context::{self, BuildFile};
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::gateway::options::Options;
use crate::input::{self, InputSettings, specs};
use crate::platform::Platform;

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
