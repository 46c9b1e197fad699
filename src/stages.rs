//! From the user's options to an image. Only this module knows the order of the steps.

mod activation;
mod additions;
mod assembly;
mod build_packages;
mod build_root;
mod channel;
mod channel_contents;
mod channel_downloads;
mod commands;
mod compiler;
mod copy;
mod dev;
mod diff;
mod fetching;
pub(crate) mod file;
mod found_packages;
mod ground;
mod image;
pub(crate) mod input;
mod inventory;
mod libc;
mod link;
mod linked;
mod lists;
mod lock_platforms;
mod locks;
pub(crate) mod logins;
mod looked;
mod notices;
mod offline;
mod own_lock;
mod owners;
mod packages;
mod pip;
mod pip_build;
mod pip_commits;
mod pip_for_lock;
mod pip_jobs;
mod pip_list;
mod pip_metadata;
mod platforms;
mod post_link;
mod prefix;
mod proof;
mod pylock;
mod recorded;
mod run;
mod session;
mod snakemake;
mod solve;
mod step_error;
mod system;
mod verify;
mod volumes;
mod web_lists;
mod wheels;

use buildkit_proto::gateway;

use crate::context::build_file::BuildFile;
use crate::context::sources::Sources;
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::options::settings::Settings;
use crate::options::target::Target;
use condafront_input::BuildSource;
use condafront_input::options::Options;
use condafront_model::platform::Platform;
use session::{Session, SoFar};

pub(crate) use platforms::platforms;
pub(crate) use session::native;

/// Builds what the user asked for.
///
/// # Errors
/// Whatever makes the build fail.
pub(crate) async fn build(
    bridge: &mut Bridge,
    options: &Options,
) -> Result<gateway::Result, BuildError> {
    recorded::check_build_args(options)?;
    let imports = options.cache_imports()?;
    bridge.import_caches(imports);
    let target = Target::parse(options.get("target"))?;
    let mut settings = logins::settings(bridge, options).await?;
    settings.input.is_dev = target == Target::Dev;
    let platforms = match target {
        Target::Image | Target::Dev | Target::Prefix | Target::Verify | Target::Diff => {
            platforms(bridge, options)?
        }
        // These targets choose their platforms themselves.
        Target::Lock | Target::Channel => vec![native(bridge)],
    };
    let first = platforms.first().copied();
    let platform = first.unwrap_or_else(|| native(bridge));
    let bridge: &Bridge = bridge;
    let sources = Sources::find(bridge, options).await?;
    let (build_file, source) = file::build_file(&sources, options, &settings, platform).await?;
    let file = &build_file.file;
    let settings = logins::for_build_file(bridge, options, settings, file).await?;
    let session = Session {
        settings: &settings,
        platform,
        bridge,
        options,
        sources: &sources,
        build_file: &build_file,
        source: &source?,
        file: &build_file.file,
        so_far: &SoFar::start(),
    };
    let result = match target {
        Target::Image | Target::Dev | Target::Prefix => session.images(target, &platforms).await,
        Target::Lock => session.locks().await,
        Target::Channel => session.channel().await,
        Target::Verify => session.verify(&platforms).await,
        Target::Diff => session.diff(&platforms).await,
    }?;
    if settings.timeline {
        bridge.show_timeline(&build_file.vertex.to_string()).await?;
    }
    Ok(result)
}

/// Reads what a build is made from and all files that it names, without building anything.
///
/// # Errors
/// What is wrong with one of the files.
pub(crate) async fn read(
    bridge: &Bridge,
    options: &Options,
    sources: &Sources<'_>,
    settings: &Settings,
    platform: Platform,
    build_file: &BuildFile,
    source: &BuildSource,
) -> Result<input::ImageInput, BuildError> {
    let session = Session {
        settings,
        platform,
        bridge,
        options,
        sources,
        build_file,
        source,
        file: &build_file.file,
        so_far: &SoFar::start(),
    };
    session.image_input().await
}
