//! What markers see of an image.

use std::collections::BTreeMap;

use crate::marker::{Marker, MarkerEnvironment};
use condafront_model::platform::Platform;

/// What no file says about the machines that run an image.
const OF_MACHINES: [&str; 2] = ["platform_release", "platform_version"];

impl MarkerEnvironment {
    /// What markers see of CPython `version`, `minor` for short, on Linux.
    pub fn of_cpython(minor: &str, version: &str, platform: Platform) -> Self {
        let triplet = platform.triplet();
        let values = [
            ("implementation_name", "cpython"),
            ("implementation_version", version),
            ("os_name", "posix"),
            (
                "platform_machine",
                triplet.split('-').next().unwrap_or(triplet),
            ),
            ("platform_python_implementation", "CPython"),
            ("platform_system", "Linux"),
            ("python_full_version", version),
            ("python_version", minor),
            ("sys_platform", "linux"),
        ];
        let values = values.map(|(name, value)| (name, value.to_owned()));
        Self {
            values: BTreeMap::from(values),
            ..Self::default()
        }
    }

    /// Whether a marker holds, whatever the machine is like. One that cannot be read does not.
    pub(crate) fn surely_meets(&self, marker: &str) -> bool {
        !OF_MACHINES.iter().any(|name| marker.contains(name))
            && Marker::parse(marker).is_ok_and(|marker| marker.holds(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_image_has_meets_markers() {
        let image = MarkerEnvironment::of_cpython("3.13", "3.13.5", Platform::LinuxArm64);
        for (marker, expected) in [
            ("sys_platform == 'linux' and python_version >= '3.9'", true),
            ("platform_machine == 'aarch64'", true),
            ("sys_platform == 'darwin'", false),
            ("platform_release >= '5'", false),
            ("platform_release < '5'", false),
            ("no marker", false),
        ] {
            assert_eq!(image.surely_meets(marker), expected, "{marker}");
        }
    }
}
