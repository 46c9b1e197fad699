//! Images from registries.

use super::operation::Source;
use crate::caps;
use crate::digest::Digest;
use crate::node::Output;
use crate::options::{OpOptions, Options};
use crate::platform::Platform;

/// The filesystem of an image.
///
/// ```
/// use buildkit_llb::{Image, Platform};
///
/// let debian = "docker.io/library/debian:13";
/// let base = Image::new(debian)
///     .platform(Platform::new("linux", "arm64"))
///     .build();
/// assert_ne!(base, Image::new(debian).build());
/// ```
#[derive(Clone, Debug)]
pub struct Image {
    source: Source,
    platform: Option<Platform>,
}

/// Where an image is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveMode {
    /// As the worker is configured.
    Default,
    /// In the registry.
    Pull,
    /// In the image store of the worker first.
    Local,
}

impl Image {
    /// The image with a full reference, which has a registry and a tag or digest,
    /// such as `docker.io/library/debian:13`.
    #[must_use]
    pub fn new(reference: impl AsRef<str>) -> Self {
        let identifier = format!("docker-image://{}", reference.as_ref());
        Self {
            source: Source::new(identifier, caps::SOURCE_IMAGE),
            platform: None,
        }
    }

    /// The platform to choose from an image for several; defaults to the
    /// worker's.
    pub fn platform(&mut self, platform: Platform) -> &mut Self {
        self.platform = Some(platform);
        self
    }

    /// Where to look up the image.
    pub fn resolve_mode(&mut self, mode: ResolveMode) -> &mut Self {
        let key = "image.resolvemode";
        match mode {
            ResolveMode::Default => self.source.set(key, "default"),
            // Only this one must not be ignored.
            ResolveMode::Pull => self
                .source
                .set_with(caps::SOURCE_IMAGE_RESOLVE_MODE, key, "pull"),
            ResolveMode::Local => self.source.set(key, "local"),
        }
        self
    }

    /// The digest that the image must have (BuildKit 0.25).
    pub fn checksum(&mut self, digest: Digest) -> &mut Self {
        self.source.set_with(
            caps::SOURCE_IMAGE_CHECKSUM,
            "image.checksum",
            digest.to_string(),
        );
        self
    }

    /// Builds the operation.
    #[must_use]
    pub fn build(&self) -> Output {
        self.source.build(self.platform.as_ref())
    }
}

impl OpOptions for Image {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.source.options
    }
}
