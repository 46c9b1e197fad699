//! From the user's options to an image. Only this module knows the order of the steps.

mod assembly;
mod channel;
mod commands;
mod compiler;
mod copy;
mod fetching;
pub mod file;
mod ground;
mod image;
pub mod input;
mod libc;
mod link;
mod linked;
mod locks;
mod offline;
mod owners;
mod packages;
mod pip;
mod pip_list;
mod platforms;
mod prefix;
mod provenance;
mod run;
mod session;
mod solve;
mod system;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use buildkit_llb::Output;
use buildkit_llb::caps::EXEC_MOUNT_CONTENT_CACHE;
use buildkit_proto::gateway;

use crate::context::BuildFile;
use crate::context::named::Finder;
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::gateway::own_image;
use crate::options::settings::Settings;
use crate::options::target::Target;
use condafront_graph::{Tools, programs};
use condafront_input::options::Options;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

pub use platforms::platforms;

/// Builds what the user asked for.
///
/// # Errors
/// Whatever makes the build fail.
pub async fn build(bridge: &mut Bridge, options: &Options) -> Result<gateway::Result, BuildError> {
    provenance::check_build_args(options)?;
    let imports = options.cache_imports().map_err(as_diagnostic)?;
    bridge.import_caches(imports);
    let target = Target::parse(options.get("target"))?;
    let settings = Settings::from_build_args(options.build_args())?;
    let platforms = match target {
        Target::Image | Target::Prefix => platforms(bridge, options)?,
        // These targets choose their platforms themselves.
        Target::Lock | Target::Channel => vec![native(bridge)],
    };
    let first = platforms.first().copied();
    let platform = first.unwrap_or_else(|| native(bridge));
    let build_file = file::build_file(bridge, options, &settings.input, platform).await?;
    let session = Session {
        settings: &settings,
        platform,
        bridge,
        options,
        build_file: &build_file,
        file: &build_file.file,
        so_far: &SoFar::default(),
    };
    match target {
        Target::Image | Target::Prefix => session.images(target, &platforms).await,
        Target::Lock => session.locks().await,
        Target::Channel => session.channel().await,
    }
}

fn as_diagnostic(error: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(error.to_string())
}

/// Reads the build file and all files that it names, without building anything.
///
/// # Errors
/// What is wrong with one of the files.
pub async fn read(
    bridge: &Bridge,
    options: &Options,
    settings: &Settings,
    platform: Platform,
    build_file: &BuildFile,
) -> Result<input::ImageInput, BuildError> {
    let session = Session {
        settings,
        platform,
        bridge,
        options,
        build_file,
        file: &build_file.file,
        so_far: &SoFar::default(),
    };
    session.image_input().await
}

/// The platform that steps run on.
pub fn native(bridge: &Bridge) -> Platform {
    let native = bridge.abilities().build_platform;
    native.unwrap_or(Platform::LinuxAmd64)
}

/// One build, for one platform, with the file that errors currently point at.
#[derive(Clone, Copy)]
struct Session<'a> {
    bridge: &'a Bridge,
    options: &'a Options,
    settings: &'a Settings,
    build_file: &'a BuildFile,
    /// The platform to build for.
    platform: Platform,
    /// The file that errors point at: the build file, or one that it names.
    file: &'a Arc<SourceFile>,
    /// What has happened in the build so far.
    so_far: &'a SoFar,
}

/// What has happened in a build so far.
#[derive(Default)]
struct SoFar {
    /// The warnings that the user has already seen.
    warned: Mutex<BTreeSet<String>>,
    /// Whether the cache turned out to have lost a result.
    cache_is_broken: AtomicBool,
}

impl<'a> Session<'a> {
    /// The same build, for another platform.
    fn on(self, platform: Platform) -> Self {
        Self { platform, ..self }
    }

    /// The same build, with errors pointing at `file`.
    fn about<'b>(self, file: &'b Arc<SourceFile>) -> Session<'b>
    where
        'a: 'b,
    {
        Session { file, ..self }
    }

    fn finder(&self) -> Finder<'a> {
        Finder {
            bridge: self.bridge,
            options: self.options,
            platform: self.platform,
        }
    }

    /// The file system with the frontend's own programs, in which steps run.
    async fn programs(&self) -> Result<Output, BuildError> {
        let finder = self.on(native(self.bridge)).finder();
        Ok(programs(&own_image::find(finder).await?))
    }

    /// What all steps share.
    fn tools<'b>(&self, programs: &'b Output) -> Tools<'b> {
        Tools {
            programs,
            no_cache: self.options.no_cache(),
            content_cache: self.bridge.abilities().has(EXEC_MOUNT_CONTENT_CACHE.id),
        }
    }
}
