//! What a step is asked to do: the arguments that the planner writes and the step reads.
//!
//! The arguments are part of the step's cache key. So a spec contains only what changes the output,
//! and its JSON has a single form: fields in declaration order, absent options left out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::args::{NoItem, StepSpec};
use condafront_model::stamp::Ownership;

/// Which program puts the packages' files into the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Installer {
    /// This binary, with the linking code of the `rattler` crate.
    Native,
    /// The micromamba binary mounted at [`MICROMAMBA_DIR`](crate::mounts::MICROMAMBA_DIR).
    Micromamba,
}

/// A part of packages that images can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trim {
    /// Python's compiled modules. Without them, programs start more slowly.
    Bytecode,
    /// Manual and info pages and other documentation.
    Docs,
    /// Header files for C and C++ compilers.
    Headers,
    /// Runtime libraries of compilers' sanitizers.
    Sanitizers,
    /// Source maps of JavaScript and CSS.
    SourceMaps,
    /// Static libraries: `lib*.a`.
    StaticLibraries,
    /// The tests of Python packages.
    Tests,
}

impl Trim {
    /// Every part.
    pub const ALL: [Self; 7] = [
        Self::Bytecode,
        Self::Docs,
        Self::Headers,
        Self::Sanitizers,
        Self::SourceMaps,
        Self::StaticLibraries,
        Self::Tests,
    ];
}

/// The properties of the environment's python that `noarch: python` packages depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonSpec {
    /// Major and minor version, `3.13`. Leave out the patch version, which does not affect what a
    /// `noarch` package installs: a new patch version then relinks nothing.
    pub version: String,
    /// Where pure python modules go, relative to the prefix: `lib/python3.13/site-packages`, or
    /// what python's record says (`python_site_packages_path`, free-threaded builds).
    pub site_packages: String,
    /// Whether the output of `python-runtime` is mounted at
    /// [`PYTHON_DIR`](crate::mounts::PYTHON_DIR), to compile bytecode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runtime: bool,
}

/// One install step: a group of packages linked into one layer.
///
/// Arguments: `install SPEC PACKAGE…`; each but the first is one JSON value, and package `n` is
/// mounted at `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallSpec {
    /// Where the environment will be in the image, `/opt/conda`.
    pub prefix: String,
    /// Owner of everything below the prefix.
    pub uid: u32,
    /// Group of everything below the prefix.
    pub gid: u32,
    /// Whether that group may write.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_writable: bool,
    /// The program that links.
    pub installer: Installer,
    /// Required if a package of the group is `noarch: python`, otherwise left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<PythonSpec>,
    /// What is left out of the packages.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub trim: BTreeSet<Trim>,
    /// How many layers, in addition to the first, the packages' files are spread over. They are mounted below
    /// [`PARTS_DIR`](crate::mounts::PARTS_DIR).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub further_parts: u16,
}

impl InstallSpec {
    /// Whom everything below the prefix belongs to.
    pub fn ownership(&self) -> Ownership {
        Ownership::new(self.uid, self.gid, self.group_writable)
    }
}

/// `skip_serializing_if` passes a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// One package archive of a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSpec {
    /// The package's name in messages before its own metadata is read, `numpy 2.1.0`.
    pub label: String,
    /// The archive's file name inside its mount directory, `numpy-2.1.0-py313h2f1a4b0_0.conda`.
    /// Recorded as `fn`.
    pub archive: String,
    /// The URL to record in `conda-meta`, without credentials.
    pub url: String,
    /// The channel to record in `conda-meta`, without credentials.
    pub channel: String,
    /// The subdir of the channel, `linux-64` or `noarch`.
    pub subdir: String,
    /// The sha256 that the archive must have, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The md5 that the archive must have, in hex; not needed if the sha256 is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

/// The step that makes a python that install steps can run in any root.
///
/// Arguments: `python-runtime SPEC PACKAGE…`; packages as for `install`, the base image at
/// [`BASE_DIR`](crate::mounts::BASE_DIR).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonRuntimeSpec {
    /// Major and minor version, `3.13`.
    pub version: String,
    /// The subdir of the platform that the python is for, if it is not the one that the step runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdir: Option<String>,
}

/// The step that joins the facts of all groups.
///
/// Arguments: `collect SPEC`; the facts of group `n` are mounted at `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectSpec {
    /// For each group, the positions of its packages in the whole lock.
    pub groups: Vec<Vec<usize>>,
}

/// The step that copies files out of layers.
///
/// Arguments: `pick SPEC FILE…`; each but the first is one JSON value, and layer `n` is mounted at
/// `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PickSpec {
    /// Where the environment will be in the image, `/opt/conda`.
    pub prefix: String,
}

/// A file, link or directory of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PickedFile {
    /// The layer's number among the mounts.
    pub layer: usize,
    /// Where it belongs, relative to the prefix.
    pub path: String,
    /// Where the layer has it, unless that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Whether to leave its content out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_empty: bool,
}

/// The step that puts the same packages of several environments into one layer.
///
/// Arguments: `share SPEC`; the layer of environment `n` is mounted at `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareSpec {
    /// Where each environment will be in the image.
    pub prefixes: Vec<String>,
}

/// The step that runs post-link scripts in the merged image.
///
/// Arguments: `post-link SPEC`; the root is the merged image. It writes [`PostLinkFacts`](crate::facts::PostLinkFacts).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostLinkSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// Where the environment `base` is or would be, `/opt/conda`.
    pub root_prefix: String,
    /// The user that runs the scripts and owns what they write below the prefix.
    pub uid: u32,
    /// That user's group.
    pub gid: u32,
    /// Whether that group may write.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_writable: bool,
    /// That user's home.
    pub home: String,
    /// The packages whose scripts run, in lock order.
    pub packages: Vec<PostLinkPackage>,
}

impl PostLinkSpec {
    /// Whom everything below the prefix belongs to.
    pub fn ownership(&self) -> Ownership {
        Ownership::new(self.uid, self.gid, self.group_writable)
    }
}

/// A package that has a post-link script.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostLinkPackage {
    /// Package name.
    pub name: String,
    /// Package version.
    pub version: String,
    /// Build number.
    pub build_number: u64,
}

impl StepSpec for InstallSpec {
    const SUBCOMMAND: &'static str = "install";
    type Item = PackageSpec;
}

impl StepSpec for PythonRuntimeSpec {
    const SUBCOMMAND: &'static str = "python-runtime";
    type Item = PackageSpec;
}

impl StepSpec for CollectSpec {
    const SUBCOMMAND: &'static str = "collect";
    type Item = NoItem;
}

impl StepSpec for PickSpec {
    const SUBCOMMAND: &'static str = "pick";
    type Item = PickedFile;
}

impl StepSpec for ShareSpec {
    const SUBCOMMAND: &'static str = "share";
    type Item = NoItem;
}

impl StepSpec for PostLinkSpec {
    const SUBCOMMAND: &'static str = "post-link";
    type Item = NoItem;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::ArgsError;
    use condafront_model::execve::MAX_STRING;

    fn numpy() -> PackageSpec {
        PackageSpec {
            label: "numpy 2.1.0".into(),
            archive: "numpy-2.1.0-py313_0.conda".into(),
            url: "https://conda.anaconda.org/conda-forge/linux-64/numpy-2.1.0-py313_0.conda".into(),
            channel: "https://conda.anaconda.org/conda-forge".into(),
            subdir: "linux-64".into(),
            sha256: Some("ab".repeat(32)),
            md5: None,
        }
    }

    fn spec() -> InstallSpec {
        InstallSpec {
            prefix: "/opt/conda".into(),
            uid: 57439,
            gid: 57439,
            group_writable: false,
            installer: Installer::Native,
            python: None,
            trim: BTreeSet::new(),
            further_parts: 0,
        }
    }

    #[test]
    fn the_arguments_have_one_form() {
        let args = spec().to_args(&[numpy()]).unwrap();
        insta::assert_snapshot!(args.join("\n"), @r#"
        install
        {"prefix":"/opt/conda","uid":57439,"gid":57439,"installer":"native"}
        {"label":"numpy 2.1.0","archive":"numpy-2.1.0-py313_0.conda","url":"https://conda.anaconda.org/conda-forge/linux-64/numpy-2.1.0-py313_0.conda","channel":"https://conda.anaconda.org/conda-forge","subdir":"linux-64","sha256":"abababababababababababababababababababababababababababababababab"}
        "#);
    }

    #[test]
    fn arguments_are_read_back() {
        let mut spec = spec();
        spec.python = Some(PythonSpec {
            version: "3.13".into(),
            site_packages: "lib/python3.13/site-packages".into(),
            runtime: true,
        });
        spec.trim = [Trim::StaticLibraries, Trim::Docs].into();
        spec.further_parts = 2;
        spec.group_writable = true;
        let args = spec.to_args(&[numpy(), numpy()]).unwrap();
        let (read, packages) = InstallSpec::from_args(&args[1..]).unwrap();
        assert_eq!(read, spec);
        assert_eq!(packages, [numpy(), numpy()]);
    }

    #[test]
    fn an_argument_that_linux_would_refuse_is_an_error() {
        let mut package = numpy();
        package.url = "x".repeat(MAX_STRING);
        let error = spec().to_args(&[package]).unwrap_err();
        assert!(matches!(error, ArgsError::TooLong(_)), "{error}");
    }

    #[test]
    fn unknown_or_missing_arguments_are_errors() {
        for args in [&[][..], &["{}".to_owned()], &["nonsense".to_owned()]] {
            assert!(InstallSpec::from_args(args).is_err(), "{args:?}");
        }
    }
}
