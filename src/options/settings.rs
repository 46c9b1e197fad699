//! What the user can set with build-args, about the image and its packages.

use super::build_args::BUILD_ARGS;
use condafront_graph::plan::micromamba::MicromambaVersion;

use condafront_graph::plan::mirrors::Mirrors;
use condafront_graph::virtual_packages::{
    Overrides, parse_archspec, parse_cuda_arch, parse_version,
};
use condafront_input::section::BuildArgs;
use condafront_input::{InputSettings, Logins, invalid, parsed, specs};
use condafront_model::check_options::CheckOptions;
use condafront_model::layers::Layers;
use condafront_model::nearest::did_you_mean;
use condafront_model::source::Diagnostic;
use condafront_step_spec::account::{MAX_ID, MAX_NAME_LEN, UserRequest, is_account_name};
use condafront_step_spec::install::Installer;
use condafront_step_spec::timeout::Timeout;
use condafront_step_spec::verify::Extent;

/// The latest time, in seconds since 1970, that programs in Go, such as BuildKit and Docker, can count in nanoseconds
/// (`Time.UnixNano`). They write no image with a time after the year 9999.
const LAST_TIME: i64 = i64::MAX / 1_000_000_000;

/// All settings, checked.
///
/// What a build file may say too is absent unless a build-arg says it: see [`Choices`](crate::options::choices::Choices).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The base image: a reference, `scratch`, or a named context.
    pub base: Option<String>,
    /// The account that the image runs as.
    pub user: UserRequest,
    /// How many layers packages are spread over.
    pub layers: Option<Layers>,
    /// What installs packages.
    pub installer: Option<Installer>,
    /// Which micromamba to use.
    pub micromamba: MicromambaVersion,
    /// Where packages are downloaded from.
    pub mirrors: Mirrors,
    /// The dependencies of a build without a file.
    pub specs: Vec<String>,
    /// How to read the build file.
    pub input: InputSettings,
    /// Virtual packages that replace the detected ones.
    pub overrides: Overrides,
    /// How long to wait for what does not progress.
    pub timeout: Timeout,
    /// Which findings of the lint count.
    pub check: CheckOptions,
    /// How much of an image the target `verify` compares.
    pub verify: Extent,
    /// Whether to show what the build asked the engine for, and when.
    pub timeline: bool,
}

/// The build-arg that names mirrors.
const MIRRORS: &str = "CONDA_MIRRORS";

/// Build-args with these prefixes are meant for condafront; others are the user's own.
const OURS: &[&str] = &["CONDAFRONT_", "CONDA_", "MAMBA_", "MICROMAMBA_"];

impl Settings {
    /// Reads build-args.
    ///
    /// # Errors
    /// An invalid value, or an unknown name that looks like one of ours; the message names the build-arg.
    pub fn from_build_args<'a>(
        args: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Diagnostic> {
        Self::with_logins(args, Logins::default())
    }

    /// Reads the build-args of a build that has these logins.
    ///
    /// # Errors
    /// As [`from_build_args`](Self::from_build_args()).
    pub fn with_logins<'a>(
        args: impl Iterator<Item = (&'a str, &'a str)>,
        logins: Logins,
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
                "CONDAFRONT_TIMEOUT" => settings.timeout = parsed(name, value, Timeout::parse)?,
                "CONDA_SPECS" => settings.specs = parsed(name, value, specs::words)?,
                "CONDA_OVERRIDE_CUDA" => {
                    settings.overrides.cuda = Some(parsed(name, value, parse_version)?);
                }
                "CONDA_OVERRIDE_CUDA_ARCH" => {
                    settings.overrides.cuda_arch = Some(parsed(name, value, parse_cuda_arch)?);
                }
                "CONDA_OVERRIDE_GLIBC" => {
                    settings.overrides.glibc = Some(parsed(name, value, parse_version)?);
                }
                "CONDA_OVERRIDE_ARCHSPEC" => {
                    settings.overrides.archspec = Some(parsed(name, value, parse_archspec)?);
                }
                "BASE_IMAGE" => settings.base = Some(value.to_owned()),
                "MAMBA_USER" => settings.user.name = Some(parsed(name, value, parse_user)?),
                "MAMBA_USER_ID" => settings.user.uid = Some(parsed(name, value, parse_id)?),
                "MAMBA_USER_GID" => settings.user.gid = Some(parsed(name, value, parse_id)?),
                "CONDAFRONT_LAYERS" => settings.layers = Some(parsed(name, value, str::parse)?),
                "CONDAFRONT_INSTALLER" => {
                    settings.installer = Some(parsed(name, value, parse_installer)?);
                }
                "CONDAFRONT_VERIFY" => settings.verify = parsed(name, value, parse_extent)?,
                "SOURCE_DATE_EPOCH" => parsed(name, value, check_epoch)?,
                // Its variables may be other build-args.
                MIRRORS => {}
                "CONDAFRONT_TIMELINE" => settings.timeline = parsed(name, value, parse_switch)?,
                "MICROMAMBA_VERSION" => settings.micromamba = parsed(name, value, str::parse)?,
                other if OURS.iter().any(|prefix| other.starts_with(prefix)) => {
                    return Err(unknown(other));
                }
                _ => {}
            }
        }
        let args: BuildArgs = all.into_iter().collect();
        let args = args.with_logins(logins);
        if let Some(value) = args.get(MIRRORS) {
            settings.mirrors = read_mirrors(value, &args)?;
        }
        settings.input.set_all(args)?;
        Ok(settings)
    }
}

/// The name of the image's user, or a number.
fn parse_user(text: &str) -> Result<String, String> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return parse_id(text).map(|_| text.to_owned());
    }
    if is_account_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is not a valid user name; use at most {MAX_NAME_LEN} letters, digits and _ - . and begin with a letter or _"
    ))
}

fn parse_id(text: &str) -> Result<u32, String> {
    let id = text.parse().ok().filter(|id| *id <= MAX_ID);
    id.ok_or_else(|| format!("`{text}` is not a valid numeric ID; write one from 0 to {MAX_ID}"))
}

/// The build-arg with the time of the image and, if the exporter is told to, of its files. BuildKit reads it.
fn check_epoch(text: &str) -> Result<(), String> {
    if text == "context" {
        return Err(
            "`context` is only known to Dockerfiles: write a number of seconds, for example $(git log -1 --format=%ct)"
                .to_owned(),
        );
    }
    let seconds = text
        .parse()
        .ok()
        .filter(|time| (0..=LAST_TIME).contains(time));
    seconds.map(drop).ok_or_else(|| {
        format!(
            "`{text}` is not a number of seconds since 1970 from 0 to {LAST_TIME} (the year 2262)"
        )
    })
}

/// Reads mirrors, with the values of variables in their URLs, and without credentials.
fn read_mirrors(text: &str, args: &BuildArgs) -> Result<Mirrors, Diagnostic> {
    let separates = |c: char| c.is_whitespace() || c == ',';
    let fill = |url: &str| {
        condafront_input::filled(url, args).map_err(|error| {
            let help = error.help();
            invalid(MIRRORS, error).help(help)
        })
    };
    let entries = text
        .split(separates)
        .map(|entry| match entry.split_once('=') {
            Some((from, to)) => Ok(format!("{}={}", fill(from)?, fill(to)?)),
            None => Ok(entry.to_owned()),
        });
    let filled: Vec<String> = entries.collect::<Result<_, Diagnostic>>()?;
    parsed(MIRRORS, &filled.join(" "), str::parse)
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        other => Err(format!("`{other}` is not 1 or 0")),
    }
}

fn parse_installer(text: &str) -> Result<Installer, String> {
    match text {
        "micromamba" => Ok(Installer::Micromamba),
        "native" => Ok(Installer::Native),
        other => Err(format!(
            "`{other}` is not an installer; write micromamba or native"
        )),
    }
}

fn parse_extent(text: &str) -> Result<Extent, String> {
    match text {
        "everything" => Ok(Extent::Everything),
        "packages" => Ok(Extent::Packages),
        other => Err(format!("`{other}` must be everything or packages")),
    }
}

fn unknown(name: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("build-arg {name} does not exist"));
    let names = BUILD_ARGS.iter().map(|arg| arg.name);
    let all = || {
        let names: Vec<&str> = names.clone().collect();
        format!("condafront's build-args are {}.", names.join(", "))
    };
    diagnostic.help(did_you_mean(name, names.clone()).unwrap_or_else(all))
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
    fn the_highest_ids_and_times_are_read() {
        let settings = read(&[
            ("MAMBA_USER_ID", "2147483647"),
            ("SOURCE_DATE_EPOCH", "9223372036"),
        ]);
        assert_eq!(settings.unwrap().user.uid, Some(2_147_483_647));
        for epoch in ["0", ""] {
            assert!(read(&[("SOURCE_DATE_EPOCH", epoch)]).is_ok(), "{epoch}");
        }
    }

    #[test]
    fn an_empty_override_removes_the_virtual_package() {
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
            ("MAMBA_USER", "a:b"),
            ("MAMBA_USER", "99999999999"),
            ("MAMBA_USER_ID", "ada"),
            ("MAMBA_USER_GID", "4294967295"),
            ("MAMBA_USER_ID", "2147483648"),
            ("SOURCE_DATE_EPOCH", "253402300799"),
            ("SOURCE_DATE_EPOCH", "-1"),
            ("SOURCE_DATE_EPOCH", "2025-01-01"),
            ("SOURCE_DATE_EPOCH", "context"),
            ("CONDAFRONT_LAYERS", "many"),
            ("CONDAFRONT_INSTALLER", "conda"),
            ("CONDAFRONT_TIMEOUT", "30"),
            ("CONDAFRONT_VERIFY", "files"),
            ("CONDA_MIRRORS", "https://a"),
            ("MICROMAMBA_VERSION", "latest"),
            ("MICROMAMBA_VERSION", &version),
            ("CONDA_OVERRIDE_CUDA", "newest"),
            ("CONDA_OVERRIDE_CUDA_ARCH", "sm_86"),
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
