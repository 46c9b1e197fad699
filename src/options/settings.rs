//! What the user may say about the image and its packages in build-args.

use condafront_graph::plan::micromamba::MicromambaVersion;

use condafront_graph::plan::mirrors::Mirrors;
use condafront_graph::virtual_packages::{Overrides, parse_archspec, parse_version};
use condafront_input::{InputSettings, parsed};
use condafront_model::layers::Layers;
use condafront_model::nearest::nearest;
use condafront_model::source::Diagnostic;
use condafront_step_spec::account::UserRequest;
use condafront_step_spec::install::Installer;

/// All settings, checked.
///
/// What a build file may say too is absent unless a build-arg says it: see [`Choices`](crate::options::choices::Choices).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The image to build on: a reference, `scratch`, or a named context.
    pub base: Option<String>,
    /// The account that the image runs as.
    pub user: UserRequest,
    /// How many layers packages are dealt over.
    pub layers: Option<Layers>,
    /// Who links packages.
    pub installer: Option<Installer>,
    /// Which micromamba.
    pub micromamba: MicromambaVersion,
    /// Where packages are fetched from.
    pub mirrors: Mirrors,
    /// What is read of the build file, and what stands in for one.
    pub input: InputSettings,
    /// What virtual packages are, in place of what is found out.
    pub overrides: Overrides,
}

/// The build-args that condafront takes, and what each is for.
pub const KNOWN_BUILD_ARGS: &[(&str, &str)] = &[
    (
        "BASE_IMAGE",
        "the image to build on, debian:13-slim unless given",
    ),
    ("MAMBA_USER", "the account's name, mambauser unless given"),
    (
        "MAMBA_USER_ID",
        "the account's numeric ID, 57439 unless given",
    ),
    (
        "MAMBA_USER_GID",
        "its group's numeric ID, that of the account unless given",
    ),
    (
        "CONDAFRONT_LAYERS",
        "over how many layers packages are dealt: auto, or a number from 1 to 80",
    ),
    (
        "CONDAFRONT_INSTALLER",
        "who links packages: micromamba, or native (condafront itself)",
    ),
    (
        "CONDA_MIRRORS",
        "where packages are fetched from: <url>=<url of the mirror>, several separated by blanks",
    ),
    (
        "CONDA_SPECS",
        "what is to be in the environment, for a build without a file: python=3.12 numpy 'scipy <2'",
    ),
    (
        "CONDA_CHANNELS",
        "channels instead of the file's: bioconda,conda-forge",
    ),
    (
        "CONDA_CHANNEL_ALIAS",
        "where channels are that are given by name, https://conda.anaconda.org unless given",
    ),
    (
        "CONDA_OVERRIDE_CUDA",
        "the version of CUDA that packages may count on, the base image's unless given: 12.8",
    ),
    (
        "CONDA_OVERRIDE_GLIBC",
        "the version of glibc that packages may count on, the base image's unless given: 2.36",
    ),
    (
        "CONDA_OVERRIDE_ARCHSPEC",
        "the processors that packages may count on, as archspec calls them: x86_64_v3",
    ),
    (
        "CONDA_LOCK_CATEGORIES",
        "categories of a conda-lock.yml beside main: dev,docs",
    ),
    (
        "ENVIRONMENT",
        "which environment of a pixi.lock; which one of an image file is active",
    ),
    (
        "PIP_INDEX_URL",
        "where pip finds packages of an environment file, https://pypi.org/simple unless given",
    ),
    (
        "PIP_EXTRA_INDEX_URL",
        "where pip finds packages besides, several separated by blanks",
    ),
    (
        "PIP_TRUSTED_HOST",
        "hosts of indexes that have no valid certificate",
    ),
    (
        "MICROMAMBA_VERSION",
        "which micromamba: 2.8.1 or 2.8.1#sha256:<hash of conda-forge's package>",
    ),
];

/// Build-args whose names begin so are meant for us; others are the user's business.
const OURS: &[&str] = &["CONDAFRONT_", "CONDA_", "MAMBA_", "MICROMAMBA_"];

impl Settings {
    /// Reads build-args.
    ///
    /// # Errors
    /// A value that is none, or a name that looks like ours and is not; the message names the build-arg.
    pub fn from_build_args<'a>(
        args: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Diagnostic> {
        let mut settings = Self::default();
        let mut all = Vec::new();
        for (name, value) in args {
            all.push((name, value));
            if value.is_empty() && !name.starts_with("CONDA_OVERRIDE_") {
                continue;
            }
            if settings.input.set(name, value)? {
                continue;
            }
            match name {
                "CONDA_OVERRIDE_CUDA" => {
                    settings.overrides.cuda = Some(parsed(name, value, parse_version)?);
                }
                "CONDA_OVERRIDE_GLIBC" => {
                    settings.overrides.glibc = Some(parsed(name, value, parse_version)?);
                }
                "CONDA_OVERRIDE_ARCHSPEC" => {
                    settings.overrides.archspec = Some(parsed(name, value, parse_archspec)?);
                }
                "BASE_IMAGE" => settings.base = Some(value.to_owned()),
                "MAMBA_USER" => settings.user.name = Some(value.to_owned()),
                "MAMBA_USER_ID" => settings.user.uid = Some(parsed(name, value, parse_id)?),
                "MAMBA_USER_GID" => settings.user.gid = Some(parsed(name, value, parse_id)?),
                "CONDAFRONT_LAYERS" => settings.layers = Some(parsed(name, value, str::parse)?),
                "CONDAFRONT_INSTALLER" => {
                    settings.installer = Some(parsed(name, value, parse_installer)?);
                }
                "CONDA_MIRRORS" => settings.mirrors = parsed(name, value, str::parse)?,
                "MICROMAMBA_VERSION" => settings.micromamba = parsed(name, value, str::parse)?,
                other if OURS.iter().any(|prefix| other.starts_with(prefix)) => {
                    return Err(unknown(other));
                }
                _ => {}
            }
        }
        settings.input.build_args = all.into_iter().collect();
        Ok(settings)
    }
}

fn parse_id(text: &str) -> Result<u32, String> {
    // -1 as an unsigned number means "no user" to the kernel.
    text.parse()
        .ok()
        .filter(|id| *id < u32::MAX)
        .ok_or_else(|| format!("`{text}` is not a numeric ID"))
}

fn parse_installer(text: &str) -> Result<Installer, String> {
    match text {
        "micromamba" => Ok(Installer::Micromamba),
        "native" => Ok(Installer::Native),
        other => Err(format!(
            "`{other}` is no installer; write micromamba or native"
        )),
    }
}

fn unknown(name: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("build-arg {name}: there is no such build-arg"));
    let names = KNOWN_BUILD_ARGS.iter().map(|(name, _)| *name);
    match nearest(name, names.clone()) {
        Some(known) => diagnostic.help(format!("Did you mean {known}?")),
        None => diagnostic.help(format!(
            "condafront knows {}.",
            names.collect::<Vec<_>>().join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::from_build_args(args.iter().copied()).map_err(|error| error.to_string())
    }

    #[test]
    fn build_args_are_read() {
        let settings = read(&[
            ("BASE_IMAGE", "ubuntu:24.04"),
            ("MAMBA_USER", "ada"),
            ("MAMBA_USER_ID", "1000"),
            ("CONDAFRONT_INSTALLER", "native"),
            ("CONDAFRONT_LAYERS", "1"),
            ("HTTP_PROXY", "http://proxy"),
        ])
        .unwrap();
        assert_eq!(settings.base.as_deref(), Some("ubuntu:24.04"));
        assert_eq!(settings.user.name.as_deref(), Some("ada"));
        assert_eq!(settings.user.uid, Some(1000));
        assert_eq!(settings.installer, Some(Installer::Native));
        assert_eq!(settings.layers, Some(Layers::AtMost(1)));
        let all = settings.input.build_args;
        assert_eq!(all.get("HTTP_PROXY"), Some("http://proxy"));
    }

    #[test]
    fn an_empty_override_takes_the_virtual_package_away() {
        let settings = read(&[
            ("CONDA_OVERRIDE_GLIBC", ""),
            ("CONDA_OVERRIDE_CUDA", "12.8"),
        ])
        .unwrap();
        assert_eq!(settings.overrides.glibc.as_deref(), Some(""));
        assert_eq!(settings.overrides.cuda.as_deref(), Some("12.8"));
        assert_eq!(settings.overrides.archspec, None);
    }

    #[test]
    fn mistakes_name_the_build_arg() {
        let sha = "0".repeat(63);
        let version = format!("2.8.1#sha256:{sha}");
        let mut all = String::new();
        for (name, value) in [
            ("MAMBA_USER_ID", "ada"),
            ("MAMBA_USER_GID", "4294967295"),
            ("CONDAFRONT_LAYERS", "many"),
            ("CONDAFRONT_INSTALLER", "conda"),
            ("CONDA_MIRRORS", "https://a"),
            ("MICROMAMBA_VERSION", "latest"),
            ("MICROMAMBA_VERSION", &version),
            ("CONDA_OVERRIDE_CUDA", "newest"),
            ("CONDA_OVERRIDE_GLIBC", "2.36=0"),
            ("CONDA_OVERRIDE_ARCHSPEC", "x86-64"),
            ("CONDAFRONT_LAYER", "3"),
            ("CONDA_NONSENSE_AT_ALL", "3"),
        ] {
            all.push_str(&format!(
                "{name}={value}\n{}\n\n",
                read(&[(name, value)]).unwrap_err()
            ));
        }
        insta::assert_snapshot!(all);
    }
}
