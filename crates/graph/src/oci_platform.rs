//! Platforms in BuildKit's form.

use buildkit_llb::Platform as OciPlatform;

use condafront_model::platform::Platform;

/// The platform in BuildKit's form.
pub fn oci_platform(platform: Platform) -> OciPlatform {
    OciPlatform::new(platform.os(), platform.architecture())
}
