//! What a step is asked to do: the arguments that the planner writes and the step reads.
//!
//! The arguments are part of the step's cache key. So a spec holds what changes the output and
//! nothing else, and its JSON has one form: fields in the order of declaration, absent options
//! left out.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{Error, ErrorKind, Result};

/// Where a step finds its inputs: package `n` is a file inside the directory `/in/<n>`.
pub const INPUT_DIR: &str = "/in";
/// Where a step writes what becomes a layer.
pub const OUTPUT_DIR: &str = "/out";
/// Where a step writes what the frontend and later steps read.
pub const FACTS_DIR: &str = "/facts";
/// Where the output of `python-runtime` is mounted for an install step that compiles bytecode.
pub const PYTHON_DIR: &str = "/python";
/// Where the directory with the micromamba binary is mounted.
pub const MICROMAMBA_DIR: &str = "/micromamba";
/// Where `python-runtime` finds the base image.
pub const BASE_DIR: &str = "/base";

/// Linux's limit for one argument of a process, in bytes, with its final NUL (`MAX_ARG_STRLEN`).
pub const MAX_ARG_LEN: usize = 128 * 1024;

/// Which program puts the packages' files into the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Installer {
    /// This binary, with the linking code of the `rattler` crate.
    Native,
    /// The micromamba binary mounted at [`MICROMAMBA_DIR`].
    Micromamba,
}

/// What a step does when it fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// Print the message and exit with status 1: the build fails.
    #[default]
    Exit,
    /// Write a [`FailureReport`](super::facts::FailureReport) to the facts and exit with status 0,
    /// so that the frontend can read it and point at the user's line.
    Report,
}

/// The environment's python, as far as `noarch: python` packages depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonSpec {
    /// Major and minor version, `3.13`. The patch version changes nothing that a `noarch` package
    /// installs, so leave it away: a new patch version then links nothing again.
    pub version: String,
    /// Where pure python modules go, relative to the prefix: `lib/python3.13/site-packages`, or
    /// what python's record says (`python_site_packages_path`, free-threaded builds).
    pub site_packages: String,
    /// Whether the output of `python-runtime` is mounted at [`PYTHON_DIR`], to compile bytecode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runtime: bool,
}

/// One install step: a group of packages linked into one layer.
///
/// Arguments: `install SPEC PACKAGE…`, each but the first one JSON value; package `n` is mounted
/// at `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallSpec {
    /// Where the environment will be in the image, `/opt/conda`.
    pub prefix: String,
    /// Owner of everything below the prefix.
    pub uid: u32,
    /// Group of everything below the prefix.
    pub gid: u32,
    /// Who links.
    pub installer: Installer,
    /// Needed when a package of the group is `noarch: python`; leave it away otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<PythonSpec>,
    /// What happens on failure.
    #[serde(default)]
    pub on_error: OnError,
}

/// One package archive of a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSpec {
    /// What messages call the package before its own metadata is read, `numpy 2.1.0`.
    pub label: String,
    /// The archive's file name inside its mount directory, `numpy-2.1.0-py313h2f1a4b0_0.conda`.
    /// Recorded as `fn`.
    pub archive: String,
    /// The URL to record in `conda-meta`, without credentials.
    pub url: String,
    /// The channel to record in `conda-meta`, without credentials.
    pub channel: String,
    /// The platform directory of the channel, `linux-64` or `noarch`.
    pub subdir: String,
    /// The sha256 that the archive must have, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The md5 that the archive must have, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

/// The step that makes a python that install steps can run, whatever their root.
///
/// Arguments: `python-runtime SPEC PACKAGE…`; packages as for `install`, the base image at
/// [`BASE_DIR`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonRuntimeSpec {
    /// Major and minor version, `3.13`.
    pub version: String,
}

/// The step that joins the facts of all groups.
///
/// Arguments: `collect SPEC`; the facts of group `n` are mounted at `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectSpec {
    /// Per group, the positions of its packages in the whole lock.
    pub groups: Vec<Vec<usize>>,
}

/// The step that copies files out of layers.
///
/// Arguments: `pick SPEC FILE…`, each but the first one JSON value; layer `n` is mounted at
/// `/in/<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PickSpec {
    /// Where the environment will be in the image, `/opt/conda`.
    pub prefix: String,
}

/// One file of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PickedFile {
    /// The layer's number among the mounts.
    pub layer: usize,
    /// Relative to the prefix.
    pub path: String,
}

/// The step that runs post-link scripts in the merged image.
///
/// Arguments: `post-link SPEC`; the root is the merged image.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostLinkSpec {
    /// Where the environment is, `/opt/conda`.
    pub prefix: String,
    /// Owner of what the scripts write below the prefix.
    pub uid: u32,
    /// Group of what the scripts write below the prefix.
    pub gid: u32,
    /// The packages whose scripts run, in lock order.
    pub packages: Vec<PostLinkPackage>,
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

impl InstallSpec {
    /// The step's arguments, beginning with the subcommand.
    ///
    /// # Errors
    /// An argument longer than Linux allows.
    pub fn to_args(&self, packages: &[PackageSpec]) -> Result<Vec<String>> {
        to_args("install", self, packages)
    }

    /// Reads the arguments after the subcommand.
    ///
    /// # Errors
    /// No spec, or JSON that is none.
    pub fn from_args(args: &[String]) -> Result<(Self, Vec<PackageSpec>)> {
        from_args(args)
    }
}

impl PythonRuntimeSpec {
    /// The step's arguments, beginning with the subcommand.
    ///
    /// # Errors
    /// An argument longer than Linux allows.
    pub fn to_args(&self, packages: &[PackageSpec]) -> Result<Vec<String>> {
        to_args("python-runtime", self, packages)
    }

    /// Reads the arguments after the subcommand.
    ///
    /// # Errors
    /// No spec, or JSON that is none.
    pub fn from_args(args: &[String]) -> Result<(Self, Vec<PackageSpec>)> {
        from_args(args)
    }
}

impl CollectSpec {
    /// The step's arguments, beginning with the subcommand.
    ///
    /// # Errors
    /// An argument longer than Linux allows.
    pub fn to_args(&self) -> Result<Vec<String>> {
        to_args("collect", self, NOTHING)
    }

    /// Reads the arguments after the subcommand.
    ///
    /// # Errors
    /// No spec, or JSON that is none.
    pub fn from_args(args: &[String]) -> Result<Self> {
        from_args::<_, PackageSpec>(args).map(|(spec, _)| spec)
    }
}

impl PickSpec {
    /// The step's arguments, beginning with the subcommand.
    ///
    /// # Errors
    /// An argument longer than Linux allows.
    pub fn to_args(&self, files: &[PickedFile]) -> Result<Vec<String>> {
        to_args("pick", self, files)
    }

    /// Reads the arguments after the subcommand.
    ///
    /// # Errors
    /// No spec, or JSON that is none.
    pub fn from_args(args: &[String]) -> Result<(Self, Vec<PickedFile>)> {
        from_args(args)
    }
}

impl PostLinkSpec {
    /// The step's arguments, beginning with the subcommand.
    ///
    /// # Errors
    /// An argument longer than Linux allows.
    pub fn to_args(&self) -> Result<Vec<String>> {
        to_args("post-link", self, NOTHING)
    }

    /// Reads the arguments after the subcommand.
    ///
    /// # Errors
    /// No spec, or JSON that is none.
    pub fn from_args(args: &[String]) -> Result<Self> {
        from_args::<_, PackageSpec>(args).map(|(spec, _)| spec)
    }
}

/// What follows the spec of a step that is about the environment as a whole.
const NOTHING: &[PackageSpec] = &[];

fn to_args(
    subcommand: &str,
    spec: &impl Serialize,
    items: &[impl Serialize],
) -> Result<Vec<String>> {
    let mut args = vec![subcommand.to_owned(), to_json(spec)?];
    for item in items {
        args.push(to_json(item)?);
    }
    Ok(args)
}

/// One argument of a step.
///
/// # Errors
/// When it is longer than Linux allows.
pub fn to_json(value: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string(value)
        .map_err(|e| Error::new(ErrorKind::BadArguments, format!("cannot write a spec: {e}")))?;
    if json.len() >= MAX_ARG_LEN {
        return Err(Error::new(
            ErrorKind::BadArguments,
            format!(
                "an argument of {} bytes is longer than Linux allows",
                json.len()
            ),
        ));
    }
    Ok(json)
}

fn from_args<S: DeserializeOwned, T: DeserializeOwned>(args: &[String]) -> Result<(S, Vec<T>)> {
    let Some((spec, items)) = args.split_first() else {
        return Err(Error::new(
            ErrorKind::BadArguments,
            "this step of the build needs a JSON argument that says what to do",
        ));
    };
    let spec = from_json(spec)?;
    let items = items
        .iter()
        .map(|json| from_json(json))
        .collect::<Result<_>>()?;
    Ok((spec, items))
}

fn from_json<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| {
        Error::new(
            ErrorKind::BadArguments,
            format!("cannot read this step's argument {json:.200}: {e}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            installer: Installer::Native,
            python: None,
            on_error: OnError::Exit,
        }
    }

    #[test]
    fn the_arguments_have_one_form() {
        let args = spec().to_args(&[numpy()]).unwrap();
        insta::assert_snapshot!(args.join("\n"), @r#"
        install
        {"prefix":"/opt/conda","uid":57439,"gid":57439,"installer":"native","on_error":"exit"}
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
        let args = spec.to_args(&[numpy(), numpy()]).unwrap();
        let (read, packages) = InstallSpec::from_args(&args[1..]).unwrap();
        assert_eq!(read, spec);
        assert_eq!(packages, [numpy(), numpy()]);
    }

    #[test]
    fn an_argument_that_linux_would_refuse_is_an_error() {
        let mut package = numpy();
        package.url = "x".repeat(MAX_ARG_LEN);
        let error = spec().to_args(&[package]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadArguments);
    }

    #[test]
    fn unknown_or_missing_arguments_are_errors() {
        for args in [&[][..], &["{}".to_owned()], &["nonsense".to_owned()]] {
            let error = InstallSpec::from_args(args).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadArguments);
        }
    }
}
