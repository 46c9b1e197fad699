//! Images in OCI layouts of the client.

use super::operation::Source;
use crate::caps;
use crate::node::Output;
use crate::options::{OpOptions, Options};
use crate::platform::Platform;

/// The filesystem of an image in an OCI layout (BuildKit 0.11).
#[derive(Clone, Debug)]
pub struct OciLayout {
    source: Source,
    platform: Option<Platform>,
}

impl OciLayout {
    /// The image with a reference, `name@sha256:…`.
    #[must_use]
    pub fn new(reference: impl AsRef<str>) -> Self {
        let identifier = format!("oci-layout://{}", reference.as_ref());
        Self {
            source: Source::new(identifier, caps::SOURCE_OCI_LAYOUT),
            platform: None,
        }
    }

    /// The client's session, and its name for the layout.
    pub fn store(&mut self, session: impl Into<String>, store: impl Into<String>) -> &mut Self {
        self.source.set("oci.session", session);
        self.source.set("oci.store", store);
        self
    }

    /// The platform to choose from an image for several; defaults to the
    /// worker's.
    pub fn platform(&mut self, platform: Platform) -> &mut Self {
        self.platform = Some(platform);
        self
    }

    /// Builds the operation.
    #[must_use]
    pub fn build(&self) -> Output {
        self.source.build(self.platform.as_ref())
    }
}

impl OpOptions for OciLayout {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.source.options
    }
}
