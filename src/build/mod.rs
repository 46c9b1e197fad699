//! The way from the user's options to an image: the only place that knows the order of things.

mod assembly;
pub mod file;
mod image;
mod locks;
mod packages;
mod pip;
mod provenance;
mod session;
mod solve;

use buildkit_llb::Output;
use buildkit_proto::gateway;

use crate::context::BuildFile;
use crate::context::named::Finder;
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::gateway::options::Options;
use crate::gateway::own_image;
use crate::graph::programs;
use crate::platform::Platform;
use crate::settings::Settings;
use crate::source::Diagnostic;
use crate::target::Target;

/// Builds what the user asked for.
///
/// # Errors
/// Whatever keeps the image from being built.
pub async fn build(bridge: &mut Bridge, options: &Options) -> Result<gateway::Result, BuildError> {
    provenance::check_build_args(options)?;
    let imports = options.cache_imports().map_err(as_diagnostic)?;
    bridge.import_caches(imports);
    let target = Target::parse(options.get("target"))?;
    let settings = Settings::from_build_args(options.build_args())?;
    let platform = match target {
        Target::Image => platform(bridge, options)?,
        // Each lock has a platform of its own.
        Target::Lock => native(bridge),
    };
    let build_file = file::build_file(bridge, options, &settings.input, platform).await?;
    let session = Session {
        settings,
        platform,
        bridge,
        options,
        build_file: &build_file,
    };
    match target {
        Target::Image => session.image().await,
        Target::Lock => session.locks().await,
    }
}

fn as_diagnostic(error: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(error.to_string())
}

/// The platform that steps run on.
fn native(bridge: &Bridge) -> Platform {
    let native = bridge.abilities().build_platform;
    native.unwrap_or(Platform::LinuxAmd64)
}

/// The one platform that is built for.
///
/// # Errors
/// When the options name another one than the engine's own.
pub fn platform(bridge: &Bridge, options: &Options) -> Result<Platform, Diagnostic> {
    let native = native(bridge);
    match options.platforms().map_err(as_diagnostic)?.as_slice() {
        [] => Ok(native),
        [one] if *one == native => Ok(native),
        [other] => Err(Diagnostic::new(format!(
            "this engine builds for {native}, and condafront {} cannot build for {other} on it",
            env!("CARGO_PKG_VERSION")
        ))
        .help(format!("Use a builder of the platform {other}."))),
        several => Err(Diagnostic::new(format!(
            "condafront {} builds for one platform at a time, not for {}",
            env!("CARGO_PKG_VERSION"),
            several.len()
        ))
        .help("Build once per platform and join the images with docker buildx imagetools create.")),
    }
}

/// One build.
struct Session<'a> {
    bridge: &'a Bridge,
    options: &'a Options,
    build_file: &'a BuildFile,
    settings: Settings,
    platform: Platform,
}

impl Session<'_> {
    fn finder(&self, platform: Platform) -> Finder<'_> {
        Finder {
            bridge: self.bridge,
            options: self.options,
            platform,
        }
    }

    /// The frontend's own programs, in which steps run.
    async fn programs(&self) -> Result<Output, BuildError> {
        let finder = self.finder(native(self.bridge));
        Ok(programs(&own_image::find(finder).await?))
    }
}
