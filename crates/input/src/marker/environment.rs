//! What markers see of an image.

use std::collections::{BTreeMap, BTreeSet};

use condafront_model::platform::Platform;

/// What markers are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkerEnvironment {
    /// The values of variables by name. What is missing is empty.
    pub values: BTreeMap<&'static str, String>,
    /// The extras that are asked for, by normalized name.
    pub extras: BTreeSet<String>,
    /// The dependency groups that are asked for, by normalized name.
    pub groups: BTreeSet<String>,
}

impl MarkerEnvironment {
    /// What markers see of CPython `version`, `minor` for short, on Linux.
    pub fn of_cpython(minor: &str, version: &str, platform: Platform) -> Self {
        let values = [
            ("implementation_name", "cpython"),
            ("implementation_version", version),
            ("os_name", "posix"),
            ("platform_machine", platform.machine()),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_have_the_names_that_python_gives_them() {
        let machine = |platform: Platform| {
            let seen = MarkerEnvironment::of_cpython("3.13", "3.13.5", platform);
            seen.values["platform_machine"].clone()
        };
        let names = ["x86_64", "aarch64", "ppc64le", "s390x", "riscv64"];
        assert_eq!(Platform::ALL.map(machine), names);
    }
}
