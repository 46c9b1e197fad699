//! Virtual packages: features of the machine that packages depend on
//! (<https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html>).

use std::str::FromStr as _;

use rattler_conda_types::{ParseStrictness, Version, VersionSpec};

use condafront_input::DeclaredSystem;
use condafront_model::platform::Platform;
use condafront_step_spec::solve::{Glibc, System};

/// The user's overrides of what is detected about the machine. As in conda, an empty string removes the virtual
/// package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `CONDA_OVERRIDE_GLIBC`: a version.
    pub glibc: Option<String>,
    /// `CONDA_OVERRIDE_CUDA`: a version.
    pub cuda: Option<String>,
    /// `CONDA_OVERRIDE_CUDA_ARCH`: a version and a build string.
    pub cuda_arch: Option<String>,
    /// `CONDA_OVERRIDE_ARCHSPEC`: a name.
    pub archspec: Option<String>,
}

/// Parses a version that overrides a virtual package's; an empty one removes the package.
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
    Err(format!("`{text}` is not a version; write one such as 12.4"))
}

/// Parses the name of a microarchitecture; an empty one removes the package.
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
        "`{text}` is not an archspec name; write one such as x86_64_v3"
    ))
}

/// Parses the lowest compute capability of the GPUs, and perhaps a build string; an empty one removes the package
/// (<https://conda.org/learn/ceps/cep-0046>).
///
/// # Errors
/// What is wrong with it.
pub fn parse_cuda_arch(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let (version, build) = text.split_once('=').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let is_version = version
        .split_once('.')
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor));
    let is_build = !build.is_empty()
        && build
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"_.".contains(&c));
    if is_version && is_build {
        return Ok(format!("{version}={build}"));
    }
    Err(format!(
        "`{text}` is not a compute capability; write one such as 8.6"
    ))
}

impl Overrides {
    /// The glibc, if the user overrides it; `None` means that the base image decides.
    pub fn glibc(&self) -> Option<Glibc> {
        let version = self.glibc.as_ref()?;
        Some(if version.is_empty() {
            Glibc::OverrideNone
        } else {
            Glibc::Override(version.clone())
        })
    }

    /// These overrides, or what the file declares.
    #[must_use]
    pub fn or_declared(&self, declared: &DeclaredSystem) -> Self {
        let archspec = self.archspec.as_ref().or(declared.archspec.as_ref());
        let cuda_arch = self.cuda_arch.as_ref().or(declared.cuda_arch.as_ref());
        Self {
            archspec: archspec.cloned(),
            cuda_arch: cuda_arch.cloned(),
            ..self.clone()
        }
    }

    /// What the image's machine provides; `base_cuda` is the base image's version of CUDA.
    pub fn system(&self, platform: Platform, glibc: Glibc, base_cuda: Option<String>) -> System {
        let archspec = self
            .archspec
            .clone()
            .unwrap_or_else(|| platform.machine().to_owned());
        let cuda = self.cuda.clone().or(base_cuda);
        let cuda = cuda.filter(|version| !version.is_empty());
        // Without CUDA, its architecture does not matter either.
        let cuda_arch = self.cuda_arch.clone().filter(|_| cuda.is_some());
        System {
            glibc,
            archspec: Some(archspec).filter(|name| !name.is_empty()),
            cuda,
            cuda_arch: cuda_arch.filter(|version| !version.is_empty()),
        }
    }
}

/// Whether the glibc that packages rely on matches `versions`, written as in a package's dependencies; empty means any
/// version.
pub fn has_glibc(glibc: &Glibc, versions: &str) -> bool {
    let Some(version) = glibc.version() else {
        return false;
    };
    let spec = VersionSpec::from_str(versions, ParseStrictness::Lenient);
    // A version that cannot be parsed is no reason to refuse the package.
    match (spec, Version::from_str(version)) {
        (Ok(spec), Ok(version)) => spec.matches(&version),
        _ => true,
    }
}

/// A base image's version of CUDA, from its variables: NVIDIA's images have `CUDA_VERSION=12.8.1`. Like drivers,
/// `__cuda` has only the first two numbers.
pub fn cuda_of(env: &[(String, String)]) -> Option<String> {
    let (_, version) = env.iter().find(|(name, _)| name == "CUDA_VERSION")?;
    let numbers: Vec<&str> = version.trim().splitn(3, '.').take(2).collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    numbers.iter().all(is_number).then(|| numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_what_the_base_and_the_user_say() {
        let machine = |overrides: &Overrides, platform, glibc| {
            let glibc = overrides.glibc().unwrap_or(glibc);
            overrides.system(platform, glibc, None)
        };
        let base = || Glibc::Base("2.36".to_owned());
        assert_eq!(
            machine(&Overrides::default(), Platform::LinuxAmd64, base()),
            System {
                glibc: base(),
                archspec: Some("x86_64".to_owned()),
                cuda: None,
                cuda_arch: None,
            }
        );
        assert_eq!(
            machine(
                &Overrides::default(),
                Platform::LinuxArm64,
                Glibc::BaseHasMusl
            ),
            System {
                glibc: Glibc::BaseHasMusl,
                archspec: Some("aarch64".to_owned()),
                cuda: None,
                cuda_arch: None,
            }
        );
        let said = Overrides {
            glibc: Some("2.17".to_owned()),
            cuda: Some("12.8".to_owned()),
            cuda_arch: Some("8.6=0".to_owned()),
            archspec: Some("x86_64_v3".to_owned()),
        };
        assert_eq!(
            machine(&said, Platform::LinuxAmd64, base()),
            System {
                glibc: Glibc::Override("2.17".to_owned()),
                archspec: Some("x86_64_v3".to_owned()),
                cuda: Some("12.8".to_owned()),
                cuda_arch: Some("8.6=0".to_owned()),
            }
        );
        let none = || Some(String::new());
        let said = Overrides {
            glibc: none(),
            cuda: none(),
            cuda_arch: Some("8.6=0".to_owned()),
            archspec: none(),
        };
        assert_eq!(
            machine(&said, Platform::LinuxAmd64, base()),
            System {
                glibc: Glibc::OverrideNone,
                archspec: None,
                cuda: None,
                cuda_arch: None,
            }
        );
    }

    #[test]
    fn the_lowest_compute_capability_is_a_version_and_a_build() {
        for (text, read) in [("8.6", "8.6=0"), (" 10.3=a100 ", "10.3=a100"), ("", "")] {
            assert_eq!(parse_cuda_arch(text).as_deref(), Ok(read));
        }
        for text in ["8", "sm_86", "9.0a", "8.6=", "=0", "8.6=a b", "8.6.1"] {
            assert!(parse_cuda_arch(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_base_says_which_cuda_it_has() {
        let cuda = |value: &str| cuda_of(&[("CUDA_VERSION".to_owned(), value.to_owned())]);
        assert_eq!(cuda("12.8.1").as_deref(), Some("12.8"));
        assert_eq!(cuda("13").as_deref(), Some("13"));
        for nothing in ["", "latest", "12.", ".8"] {
            assert_eq!(cuda(nothing), None, "{nothing}");
        }
        assert_eq!(cuda_of(&[]), None);
        let said = |cuda: Option<&str>| {
            let overrides = Overrides {
                cuda: cuda.map(str::to_owned),
                ..Overrides::default()
            };
            let base = Some("12.8".to_owned());
            overrides
                .system(Platform::LinuxAmd64, Glibc::BaseHasNone, base)
                .cuda
        };
        assert_eq!(said(None).as_deref(), Some("12.8"));
        assert_eq!(said(Some("12.4")).as_deref(), Some("12.4"));
        assert_eq!(said(Some("")), None);
    }

    #[test]
    fn a_packages_versions_of_glibc_are_compared() {
        let base = Glibc::Base("2.36".to_owned());
        for (versions, fits) in [
            (">=2.17,<3.0.a0", true),
            (">=2.36", true),
            (">=2.38,<3.0.a0", false),
            ("", true),
            ("what?", true),
        ] {
            assert_eq!(has_glibc(&base, versions), fits, "{versions}");
        }
        assert!(!has_glibc(&Glibc::BaseHasMusl, ""));
        assert!(has_glibc(&Glibc::Override("2.38".to_owned()), ">=2.38"));
    }
}
