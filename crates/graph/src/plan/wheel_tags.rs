//! Whether a wheel is for an environment's python and platform, by the tags in its file's name
//! (<https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/>).
//!
//! What pip accepts in every case counts. About anything else, pip itself decides, except for a `pylock.toml`, which must have all
//! that its environment needs.

use std::cmp::Reverse;
use std::str::FromStr as _;

use pep508_rs::pep440_rs::Version;

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

/// Whether pip takes this for the name of a package in that of a wheel.
fn is_name(text: &str) -> bool {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    !text.is_empty() && !text.contains("__") && text.chars().all(is_inside)
}

/// How well a wheel fits: the smallest is the one that pip takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WheelRank((u32, u32, u32), Reverse<u32>);

impl WheelTarget<'_> {
    /// Whether the wheel with this file name is for it.
    pub(super) fn accepts(&self, file_name: &str) -> bool {
        self.rank(file_name).is_some()
    }

    /// How well the wheel with this file name fits, as pip ranks it; smaller ranks better. `None` if it is not for this.
    pub fn rank(&self, file_name: &str) -> Option<WheelRank> {
        let stem = file_name.strip_suffix(".whl")?;
        let parts: Vec<&str> = stem.split('-').collect();
        let [name, version, build @ .., pythons, abis, platforms] = parts.as_slice() else {
            return None;
        };
        if !is_name(name) || Version::from_str(version).is_err() {
            return None;
        }
        // Some have a build number after the version.
        let build = match build {
            [] => 0,
            [build] => {
                let end = build.find(|c: char| !c.is_ascii_digit());
                let digits = &build[..end.unwrap_or(build.len())];
                digits.parse::<u32>().ok()?
            }
            _ => return None,
        };
        let mut best: Option<(u32, u32, u32)> = None;
        for python in pythons.split('.') {
            for abi in abis.split('.') {
                for platform in platforms.split('.') {
                    let rank = self.rank_of(python, abi, platform);
                    best = best.into_iter().chain(rank).min();
                }
            }
        }
        Some(WheelRank(best?, Reverse(build)))
    }

    /// The order of `packaging.tags.sys_tags`: by kind, by python, and by platform.
    fn rank_of(&self, python: &str, abi: &str, platform: &str) -> Option<(u32, u32, u32)> {
        let is_any = platform == "any";
        let of_platform = if is_any {
            0
        } else {
            self.platform_rank(platform)?
        };
        let is_own = self.own_tag("cp").is_some_and(|own| python == own);
        Some(match abi {
            "none" => {
                let version = self.python_rank(python)?;
                match (is_any, is_own) {
                    (false, true) => (2, 0, of_platform),
                    (false, false) => (4, version, of_platform),
                    (true, true) => (5, 0, 0),
                    (true, false) => (6, version, 0),
                }
            }
            _ if is_any => return None,
            "abi3" => {
                let older = self.abi3_rank(python)?;
                (if older == 0 { 1 } else { 3 }, older, of_platform)
            }
            abi => {
                self.has_abi(python, abi).then_some(())?;
                (0, 0, of_platform)
            }
        })
    }

    /// The minor version of python 3.
    fn minor(&self) -> Option<u32> {
        let (major, minor) = self.python.numbers()?;
        (major == 3).then_some(minor)
    }

    /// The tag of exactly this version of python: `cp313`.
    fn own_tag(&self, kind: &str) -> Option<String> {
        let (major, minor) = self.python.numbers()?;
        Some(format!("{kind}{major}{minor}"))
    }

    fn is_threaded(&self) -> bool {
        let version = format!("lib/python{}t/", self.python.version);
        self.python.site_packages.starts_with(&version)
    }

    /// For wheels without machine code, or whose code does not depend on python's: how far from this python they are.
    fn python_rank(&self, tag: &str) -> Option<u32> {
        let (major, minor) = self.python.numbers()?;
        match tag.strip_prefix(&format!("py{major}")) {
            Some("") => Some(1),
            Some(digits) => {
                let behind = minor.checked_sub(digits.parse().ok()?)?;
                Some(if behind == 0 { 0 } else { behind + 1 })
            }
            None => (tag == self.own_tag("cp")?).then_some(0),
        }
    }

    /// For wheels with code for all versions of python from one on: by how many versions it is older.
    fn abi3_rank(&self, tag: &str) -> Option<u32> {
        let tag: u32 = tag.strip_prefix("cp3")?.parse().ok()?;
        let older = self.minor()?.checked_sub(tag)?;
        (tag >= 2 && !self.is_threaded()).then_some(older)
    }

    /// For wheels with code for one version of python.
    fn has_abi(&self, tag: &str, abi: &str) -> bool {
        let suffix = match self.python.numbers() {
            _ if self.is_threaded() => "t",
            // With wide characters, as every conda has built it.
            Some((2, _)) => "mu",
            Some((3, ..=7)) => "m",
            _ => "",
        };
        self.own_tag("cp")
            .is_some_and(|own| tag == own && abi == format!("{own}{suffix}"))
    }

    /// The newest C library first.
    fn platform_rank(&self, tag: &str) -> Option<u32> {
        /// More than all minor versions of glibc.
        const LAST: u32 = 1 << 16;
        let machine = self.platform.machine();
        let kind = tag.strip_suffix(machine)?.strip_suffix('_')?;
        let minor = match kind {
            "linux" => return Some(LAST),
            "manylinux1" => 5,
            "manylinux2010" => 12,
            "manylinux2014" => 17,
            kind => kind.strip_prefix("manylinux_2_")?.parse::<u32>().ok()?,
        };
        // No other processor had glibc that old.
        let oldest = if machine == "x86_64" { 5 } else { 17 };
        if minor < oldest {
            return None;
        }
        let accepts = |glibc| has_glibc(glibc, &format!(">=2.{minor}"));
        let is_old_enough = self.glibc.is_none_or(accepts);
        is_old_enough.then(|| LAST.saturating_sub(minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wheels_for_the_environment_are_accepted() {
        let usual = Python::example("3.13");
        let threaded = Python {
            site_packages: "lib/python3.13t/site-packages".to_owned(),
            ..usual.clone()
        };
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

    #[test]
    fn names_and_versions_must_be_valid() {
        let python = Python {
            package: 0,
            version: "3.13".to_owned(),
            site_packages: "lib/python3.13/site-packages".to_owned(),
            runtime: Vec::new(),
        };
        let target = WheelTarget {
            python: &python,
            platform: Platform::LinuxAmd64,
            glibc: None,
        };
        for (name, expected) in [
            ("zope.interface-5.0", true),
            ("A_b-1!1.0rc1.post2+local.1", true),
            ("pytz-2004d", false),
            ("a-1.0_x", false),
            ("a__b-1.0", false),
            ("a b-1.0", false),
            ("-1.0", false),
        ] {
            let found = target.accepts(&format!("{name}-py3-none-any.whl"));
            assert_eq!(found, expected, "{name}");
        }
    }

    /// As `packaging.tags.sys_tags` has them.
    #[test]
    fn old_wheels_are_accepted() {
        let rank = |version: &str, platform, tags: &str| {
            let python = Python::example(version);
            let target = WheelTarget {
                python: &python,
                platform,
                glibc: None,
            };
            target.accepts(&format!("a-1.0-{tags}.whl"))
        };
        let (amd, arm) = (Platform::LinuxAmd64, Platform::LinuxArm64);
        let power = Platform::LinuxPpc64le;
        for (version, platform, tags, expected) in [
            ("3.13", amd, "py3-none-manylinux1_x86_64", true),
            ("3.13", amd, "cp34-abi3-manylinux1_x86_64", true),
            ("3.13", amd, "py3-none-manylinux_2_5_x86_64", true),
            ("3.13", amd, "py3-none-manylinux_2_4_x86_64", false),
            ("3.13", arm, "py3-none-manylinux1_aarch64", false),
            ("3.13", arm, "py3-none-manylinux2010_aarch64", false),
            ("3.13", arm, "py3-none-manylinux2014_aarch64", true),
            ("3.13", power, "py3-none-manylinux2014_ppc64le", true),
            ("3.7", amd, "cp37-cp37m-manylinux1_x86_64", true),
            ("3.7", amd, "cp37-cp37-manylinux1_x86_64", false),
            ("3.8", amd, "cp38-cp38m-manylinux1_x86_64", false),
            ("3.6", amd, "cp36-cp36m-manylinux2010_x86_64", true),
            ("2.7", amd, "cp27-cp27mu-manylinux1_x86_64", true),
            ("2.7", amd, "cp27-cp27m-manylinux1_x86_64", false),
            ("2.7", amd, "cp27-abi3-manylinux1_x86_64", false),
            ("2.7", amd, "py2-none-any", true),
            ("2.7", amd, "py2.py3-none-any", true),
            ("2.7", amd, "py26-none-any", true),
            ("2.7", amd, "py3-none-any", false),
            ("2.7", amd, "cp27-none-any", true),
        ] {
            let found = rank(version, platform, tags);
            assert_eq!(found, expected, "{version} {platform:?} {tags}");
        }
    }

    /// In the order of `packaging.tags.sys_tags` for CPython 3.13 on Linux.
    #[test]
    fn wheels_are_ranked_as_pip_ranks_them() {
        let python = Python::example("3.13");
        let target = WheelTarget {
            python: &python,
            platform: Platform::LinuxAmd64,
            glibc: None,
        };
        let ranks = [
            "2-cp313-cp313-manylinux_2_28_x86_64",
            "1-cp313-cp313-manylinux_2_28_x86_64",
            "cp313-cp313-manylinux_2_28_x86_64.manylinux_2_17_x86_64",
            "cp313-cp313-manylinux2014_x86_64",
            "cp313-cp313-linux_x86_64",
            "cp313-abi3-linux_x86_64",
            "cp313-none-manylinux2014_x86_64",
            "cp312-abi3-manylinux2014_x86_64",
            "cp39-abi3-manylinux_2_34_x86_64",
            "py313-none-manylinux2014_x86_64",
            "py3-none-manylinux2014_x86_64",
            "py312-none-manylinux_2_34_x86_64",
            "cp313-none-any",
            "py313-none-any",
            "py2.py3-none-any",
            "py312-none-any",
        ]
        .map(|tags| target.rank(&format!("a-1.0-{tags}.whl")));
        assert!(ranks.iter().all(Option::is_some), "{ranks:?}");
        assert!(ranks.is_sorted(), "{ranks:?}");
    }
}
