//! Virtual packages: what the machine brings that packages depend on
//! (<https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html>).

use std::str::FromStr as _;

use rattler_conda_types::package::BuildString;
use rattler_conda_types::{GenericVirtualPackage, PackageName, Version};

use super::spec::{Glibc, System};
use crate::account::Libc;
use crate::platform::Platform;

/// The kernel that packages may count on. The machine that runs the image is not the one that builds it, so this is the
/// version that conda-lock, too, takes for granted.
const KERNEL: &str = "5.10";

/// What the user says of the machine, in place of what is found out; an empty text takes the virtual package away, as it
/// does in conda.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `CONDA_OVERRIDE_GLIBC`: a version.
    pub glibc: Option<String>,
    /// `CONDA_OVERRIDE_CUDA`: a version.
    pub cuda: Option<String>,
    /// `CONDA_OVERRIDE_ARCHSPEC`: a name.
    pub archspec: Option<String>,
}

/// Reads a version that overrides a virtual package's; an empty one stands for none.
///
/// # Errors
/// What is wrong with it.
pub fn parse_version(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_version =
        text.starts_with(|c: char| c.is_ascii_digit()) && Version::from_str(text).is_ok();
    if text.is_empty() || is_version {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is no version; write one such as 12.4"))
}

/// Reads the name of a processor's family; an empty one stands for none.
///
/// # Errors
/// What is wrong with it.
pub fn parse_archspec(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    if text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no name of archspec's; write one such as x86_64_v3"
    ))
}

impl Overrides {
    /// The glibc, if the user says something about it; otherwise the base has to be asked.
    pub fn glibc(&self) -> Option<Glibc> {
        let version = self.glibc.as_ref()?;
        Some(if version.is_empty() {
            Glibc::OverrideNone
        } else {
            Glibc::Override(version.clone())
        })
    }

    /// What the image's machine brings.
    pub fn system(&self, platform: Platform, glibc: Glibc) -> System {
        let baseline = match platform {
            Platform::LinuxAmd64 => "x86_64",
            Platform::LinuxArm64 => "aarch64",
            Platform::LinuxPpc64le => "ppc64le",
            Platform::LinuxS390x => "s390x",
            Platform::LinuxRiscv64 => "riscv64",
        };
        let archspec = self.archspec.clone().unwrap_or_else(|| baseline.to_owned());
        System {
            glibc,
            archspec: Some(archspec).filter(|name| !name.is_empty()),
            cuda: self.cuda.clone().filter(|version| !version.is_empty()),
        }
    }
}

impl From<Libc> for Glibc {
    fn from(libc: Libc) -> Self {
        match libc {
            Libc::Glibc { version } => Self::Base(version),
            Libc::Musl => Self::BaseHasMusl,
            Libc::None => Self::BaseHasNone,
        }
    }
}

impl Glibc {
    /// The version, if there is a glibc.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Base(version) | Self::Override(version) => Some(version),
            Self::BaseHasMusl | Self::BaseHasNone | Self::OverrideNone => None,
        }
    }
}

impl System {
    /// The virtual packages.
    ///
    /// # Errors
    /// A version or build string that is none.
    pub fn virtual_packages(&self) -> Result<Vec<GenericVirtualPackage>, String> {
        let found = [
            ("__unix", Some("0"), "0"),
            ("__linux", Some(KERNEL), "0"),
            ("__glibc", self.glibc.version(), "0"),
            (
                "__archspec",
                self.archspec.is_some().then_some("1"),
                self.archspec.as_deref().unwrap_or_default(),
            ),
            ("__cuda", self.cuda.as_deref(), "0"),
        ];
        found
            .into_iter()
            .filter_map(|(name, version, build)| Some((name, version?, build)))
            .map(|(name, version, build)| {
                let wrong = |_| format!("`{version}` is no version of {name}");
                Ok(GenericVirtualPackage {
                    name: PackageName::new_unchecked(name),
                    version: Version::from_str(version).map_err(wrong)?,
                    build_string: BuildString::from_str(build)
                        .map_err(|_| format!("`{build}` is no build of {name}"))?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn virtual_packages(overrides: &Overrides, platform: Platform, glibc: Glibc) -> Vec<String> {
        overrides
            .system(platform, overrides.glibc().unwrap_or(glibc))
            .virtual_packages()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_machine_is_what_the_base_and_the_user_say() {
        let base = || Glibc::Base("2.36".to_owned());
        assert_eq!(
            virtual_packages(&Overrides::default(), Platform::LinuxAmd64, base()),
            [
                "__unix=0=0",
                "__linux=5.10=0",
                "__glibc=2.36=0",
                "__archspec=1=x86_64"
            ]
        );
        assert_eq!(
            virtual_packages(
                &Overrides::default(),
                Platform::LinuxArm64,
                Glibc::BaseHasMusl
            ),
            ["__unix=0=0", "__linux=5.10=0", "__archspec=1=aarch64"]
        );
        let said = Overrides {
            glibc: Some("2.17".to_owned()),
            cuda: Some("12.8".to_owned()),
            archspec: Some("x86_64_v3".to_owned()),
        };
        assert_eq!(
            virtual_packages(&said, Platform::LinuxAmd64, base()),
            [
                "__unix=0=0",
                "__linux=5.10=0",
                "__glibc=2.17=0",
                "__archspec=1=x86_64_v3",
                "__cuda=12.8=0"
            ]
        );
        let none = || Some(String::new());
        let said = Overrides {
            glibc: none(),
            cuda: none(),
            archspec: none(),
        };
        assert_eq!(
            virtual_packages(&said, Platform::LinuxAmd64, base()),
            ["__unix=0=0", "__linux=5.10=0"]
        );
    }
}
