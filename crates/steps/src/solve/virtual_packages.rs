//! The virtual packages of a solve.

use std::str::FromStr as _;

use rattler_conda_types::package::BuildString;
use rattler_conda_types::{GenericVirtualPackage, PackageName, Version};

use crate::install::error::{Error, ErrorKind, Result};
use condafront_step_spec::solve::{Glibc, System};

/// The kernel version that packages may rely on. The image does not run on the machine that builds it, so this is a
/// fixed version, the same as conda-lock's.
const KERNEL: &str = "5.10";

/// The virtual packages.
///
/// # Errors
/// An invalid version or build string.
pub(super) fn virtual_packages(system: &System) -> Result<Vec<GenericVirtualPackage>> {
    let cuda_arch = system
        .cuda_arch
        .as_deref()
        .and_then(|text| text.split_once('='));
    let found = [
        ("__unix", Some("0"), "0"),
        ("__linux", Some(KERNEL), "0"),
        ("__glibc", system.glibc.version(), "0"),
        (
            "__archspec",
            system.archspec.is_some().then_some("1"),
            system.archspec.as_deref().unwrap_or_default(),
        ),
        ("__cuda", system.cuda.as_deref(), "0"),
        (
            "__cuda_arch",
            cuda_arch.map(|(version, _)| version),
            cuda_arch.map_or("0", |(_, build)| build),
        ),
    ];
    found
        .into_iter()
        .filter_map(|(name, version, build)| Some((name, version?, build)))
        .map(|(name, version, build)| {
            let invalid = |what: &str, value: &str| {
                let message = format!("`{value}` is not a valid {what} of {name}");
                Error::new(ErrorKind::BadArguments, message)
            };
            Ok(GenericVirtualPackage {
                name: PackageName::new_unchecked(name),
                version: Version::from_str(version)
                    .map_err(|error| invalid("version", version).caused_by(error))?,
                build_string: BuildString::from_str(build)
                    .map_err(|error| invalid("build", build).caused_by(error))?,
            })
        })
        .collect()
}

/// What to do about a virtual package that is missing or has the wrong version.
pub(super) fn system_help(name: &str, system: &System) -> String {
    match name {
        "__cuda" => match &system.cuda {
            None => "Packages that need CUDA are chosen only if the base image has CUDA, or if you give the CUDA version of the machines' driver: --build-arg CONDA_OVERRIDE_CUDA=12.8.".to_owned(),
            Some(version) => format!("The image will have CUDA {version}, as set by the base image's CUDA_VERSION or the build-arg CONDA_OVERRIDE_CUDA."),
        },
        "__cuda_arch" => match (&system.cuda_arch, &system.cuda) {
            (Some(version), _) => format!("The build-arg CONDA_OVERRIDE_CUDA_ARCH is set to {version}."),
            (None, Some(_)) => "Packages for certain GPUs are chosen only if you give the lowest compute capability of the machines' GPUs: --build-arg CONDA_OVERRIDE_CUDA_ARCH=8.6.".to_owned(),
            (None, None) => "Packages for certain GPUs are chosen only if there is CUDA, and you give the lowest compute capability of the machines' GPUs: --build-arg CONDA_OVERRIDE_CUDA=12.8 --build-arg CONDA_OVERRIDE_CUDA_ARCH=8.6.".to_owned(),
        },
        "__glibc" => {
            let fact = match &system.glibc {
                Glibc::Base(version) => format!("The base image has glibc {version}."),
                Glibc::BaseHasMusl => "The base image has musl, not glibc.".to_owned(),
                Glibc::BaseHasNone => "The base image has no glibc.".to_owned(),
                Glibc::Override(version) => {
                    return format!("The build-arg CONDA_OVERRIDE_GLIBC is set to {version}.");
                }
                Glibc::OverrideNone => {
                    return "The build-arg CONDA_OVERRIDE_GLIBC is empty, which means that there is no glibc.".to_owned();
                }
            };
            format!("{fact} Choose another base image with --build-arg BASE_IMAGE=<image>; if the image will get its glibc from elsewhere, give the version with --build-arg CONDA_OVERRIDE_GLIBC=2.36.")
        }
        "__archspec" => format!(
            "The image is for every {} machine. If it only needs to run on newer ones, select them with --build-arg CONDA_OVERRIDE_ARCHSPEC=x86_64_v3.",
            system.archspec.as_deref().unwrap_or("such")
        ),
        _ => format!("A Linux image does not have {name}: the package is for another operating system."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(system: &System) -> Vec<String> {
        let packages = virtual_packages(system).unwrap();
        packages.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_machine_has_what_it_brings() {
        let mut system = System {
            glibc: Glibc::Base("2.36".to_owned()),
            archspec: Some("x86_64_v3".to_owned()),
            cuda: Some("12.8".to_owned()),
            cuda_arch: None,
        };
        assert_eq!(
            names(&system),
            [
                "__unix=0=0",
                "__linux=5.10=0",
                "__glibc=2.36=0",
                "__archspec=1=x86_64_v3",
                "__cuda=12.8=0"
            ]
        );
        system.cuda_arch = Some("8.6=0".to_owned());
        assert!(names(&system).contains(&"__cuda_arch=8.6=0".to_owned()));
        system.glibc = Glibc::Override("2.17".to_owned());
        assert!(names(&system).contains(&"__glibc=2.17=0".to_owned()));
        for glibc in [Glibc::BaseHasMusl, Glibc::BaseHasNone, Glibc::OverrideNone] {
            let system = System {
                glibc,
                archspec: None,
                cuda: None,
                cuda_arch: None,
            };
            assert_eq!(names(&system), ["__unix=0=0", "__linux=5.10=0"]);
        }
    }
}
