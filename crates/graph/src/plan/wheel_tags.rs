//! Whether a wheel is for an environment's python and platform, by the tags in its file's name
//! (<https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/>).
//!
//! Only what pip accepts in every case counts. About anything else, pip itself decides.

use super::python::Python;
use crate::virtual_packages::has_glibc;
use condafront_model::platform::Platform;
use condafront_step_spec::solve::Glibc;

/// What wheels must be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WheelTarget<'a> {
    /// The environment's python.
    pub python: &'a Python,
    /// The image's platform.
    pub platform: Platform,
    /// The C library of the image, if it is known; any will do otherwise.
    pub glibc: Option<&'a Glibc>,
}

impl WheelTarget<'_> {
    /// Whether the wheel with this file name is for it.
    pub(super) fn accepts(&self, file_name: &str) -> bool {
        let Some(stem) = file_name.strip_suffix(".whl") else {
            return false;
        };
        let parts: Vec<&str> = stem.split('-').collect();
        // Some have a build number after the version.
        let is_number = |build: &str| build.starts_with(|c: char| c.is_ascii_digit());
        if parts.len() == 6 && !is_number(parts[2]) {
            return false;
        }
        let (5 | 6, [.., pythons, abis, platforms]) = (parts.len(), parts.as_slice()) else {
            return false;
        };
        let platform = |tag: &str| tag != "any" && self.accepts_platform(tag);
        let is_any = platforms.split('.').any(|tag| tag == "any");
        let is_own = platforms.split('.').any(platform);
        pythons.split('.').any(|python| {
            abis.split('.').any(|abi| match abi {
                "none" => (is_any || is_own) && self.accepts_python(python),
                abi => is_own && self.accepts_abi(python, abi),
            })
        })
    }

    /// The minor version of python 3.
    fn minor(&self) -> Option<u32> {
        self.python.version.strip_prefix("3.")?.parse().ok()
    }

    fn is_threaded(&self) -> bool {
        let version = format!("lib/python{}t/", self.python.version);
        self.python.site_packages.starts_with(&version)
    }

    /// For wheels without machine code, or whose code does not depend on python's.
    fn accepts_python(&self, tag: &str) -> bool {
        let Some(minor) = self.minor() else {
            return false;
        };
        let up_to = |digits: &str| digits.parse::<u32>().is_ok_and(|tag| tag <= minor);
        match tag.strip_prefix("py3") {
            Some("") => true,
            Some(digits) => up_to(digits),
            None => tag == format!("cp3{minor}"),
        }
    }

    /// For wheels with code for one version of python, or for all from one on.
    fn accepts_abi(&self, tag: &str, abi: &str) -> bool {
        let (Some(minor), Some(digits)) = (self.minor(), tag.strip_prefix("cp3")) else {
            return false;
        };
        let Ok(tag) = digits.parse::<u32>() else {
            return false;
        };
        match (abi, self.is_threaded()) {
            ("abi3", false) => (2..=minor).contains(&tag),
            (abi, false) => tag == minor && abi == format!("cp3{minor}"),
            (abi, true) => tag == minor && abi == format!("cp3{minor}t"),
        }
    }

    fn accepts_platform(&self, tag: &str) -> bool {
        let triplet = self.platform.triplet();
        let machine = triplet.split('-').next().unwrap_or(triplet);
        let Some(kind) = tag
            .strip_suffix(machine)
            .and_then(|tag| tag.strip_suffix('_'))
        else {
            return false;
        };
        let version = match kind {
            "linux" => return true,
            "manylinux2010" => "2.12",
            "manylinux2014" => "2.17",
            kind => match kind.strip_prefix("manylinux_2_") {
                Some(minor) if minor.parse::<u32>().is_ok() => &format!("2.{minor}"),
                _ => return false,
            },
        };
        self.glibc
            .is_none_or(|glibc| has_glibc(glibc, &format!(">={version}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wheels_for_the_environment_are_accepted() {
        let python = |site_packages: &str| Python {
            package: 0,
            version: "3.13".to_owned(),
            site_packages: site_packages.to_owned(),
            runtime: Vec::new(),
        };
        let (usual, threaded) = (
            python("lib/python3.13/site-packages"),
            python("lib/python3.13t/site-packages"),
        );
        let glibc = Glibc::Base("2.31".to_owned());
        let accepts = |python, tags: &str| {
            let target = WheelTarget {
                python,
                platform: Platform::LinuxAmd64,
                glibc: Some(&glibc),
            };
            target.accepts(&format!("a-1.0-{tags}.whl"))
        };
        for (tags, expected) in [
            ("py3-none-any", [true, true]),
            ("py2.py3-none-any", [true, true]),
            ("1-py3-none-any", [true, true]),
            ("x-py3-none-any", [false, false]),
            ("py313-none-any", [true, true]),
            ("py314-none-any", [false, false]),
            ("py2-none-any", [false, false]),
            ("cp313-none-any", [true, true]),
            ("cp312-none-any", [false, false]),
            (
                "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
                [true, true],
            ),
            ("py3-none-manylinux_2_17_aarch64", [false, false]),
            ("py3-none-win_amd64", [false, false]),
            ("cp313-cp313-manylinux_2_31_x86_64", [true, false]),
            ("cp313-cp313-manylinux_2_34_x86_64", [false, false]),
            (
                "cp313-cp313-manylinux_2_34_x86_64.manylinux_2_28_x86_64",
                [true, false],
            ),
            ("cp313-cp313-linux_x86_64", [true, false]),
            ("cp313-cp313-musllinux_1_2_x86_64", [false, false]),
            ("cp313-cp313t-manylinux2014_x86_64", [false, true]),
            ("cp313-cp313-any", [false, false]),
            ("cp39-abi3-manylinux2014_x86_64", [true, false]),
            ("cp314-abi3-manylinux2014_x86_64", [false, false]),
            ("cp312-cp312-manylinux2014_x86_64", [false, false]),
            ("none-any", [false, false]),
        ] {
            let found = [&usual, &threaded].map(|python| accepts(python, tags));
            assert_eq!(found, expected, "{tags}");
        }
    }
}
