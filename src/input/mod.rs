//! What `-f` may be: the kind of a file is found from its content, and each kind becomes a list of packages.

mod channels;
pub mod conda_lock;
mod dependency_list;
pub mod env;
pub mod explicit;
mod locked;
mod match_spec;
pub mod pixi_lock;
mod settings;
pub mod specs;
mod unknown;

pub(crate) use locked::address::pip as pip_package;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use settings::{ChannelDefaults, InputSettings};

use crate::channel::Channel;
use crate::package::{Package, PackageUrl};
use crate::platform::Platform;
use crate::section::{self, ImageFile, ImageSection};
use crate::source::{Diagnostic, Lines, Location, SourceFile};
use crate::yaml;

/// What a build file says of one environment for one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentInput {
    /// The environment's name, where the file gives one.
    pub name: Option<String>,
    /// Environment variables that activation sets.
    pub variables: BTreeMap<String, String>,
    /// Its conda packages.
    pub conda: Conda,
    /// Its PyPI packages.
    pub pip: Pip,
    /// What the file says of the image; only an env.yml does.
    pub section: ImageSection,
    /// What the user should know, though the build goes on.
    pub warnings: Vec<Warning>,
}

impl EnvironmentInput {
    /// The conda packages, if the file pins them.
    pub fn locked(&self) -> Option<&[Package]> {
        match &self.conda {
            Conda::Locked(packages) => Some(packages),
            Conda::Unsolved(_) => None,
        }
    }
}

/// The conda packages of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conda {
    /// Exactly these, in the order in which they are linked: a later one wins where two claim one file.
    Locked(Vec<Package>),
    /// Whatever a solve finds.
    Unsolved(Request),
}

/// What a solve is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The channels, first the one that matters most. Those that only `channel::spec` names come last, as in conda:
    /// what they have may fulfil other dependencies too. Never empty, no channel twice.
    pub channels: Vec<Channel>,
    /// What the order of channels means.
    pub priority: ChannelPriority,
    /// What has to be in the environment.
    pub specs: Vec<RequestedSpec>,
    /// The platforms that the file is for; empty if it does not say.
    pub platforms: Vec<DeclaredPlatform>,
}

/// A platform that a file is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredPlatform {
    /// Conda's name: `linux-64`. May be one that no image can be built for.
    pub subdir: String,
    /// Where the file says so.
    pub lines: Lines,
}

/// One dependency of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedSpec {
    /// The MatchSpec, in the form that `rattler_conda_types::MatchSpec` reads strictly. A channel in it is the recorded
    /// address of one of [`Request::channels`].
    pub spec: String,
    /// The lines of the user's file that ask for it.
    pub lines: Lines,
}

/// What the order of channels means
/// (<https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-channels.html#strict-channel-priority>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelPriority {
    /// A package comes from the first channel that has one of its name.
    #[default]
    Strict,
    /// A package comes from the first channel that has one that fits.
    Flexible,
}

/// The PyPI packages of an environment, installed after the conda packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pip {
    /// Exactly these files.
    Locked(Vec<PipPackage>),
    /// Whatever pip finds.
    Unsolved(Vec<PipRequirement>),
}

impl Default for Pip {
    fn default() -> Self {
        Self::Locked(Vec::new())
    }
}

impl Pip {
    /// Whether there is nothing to install.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Locked(packages) => packages.is_empty(),
            Self::Unsolved(requirements) => requirements.is_empty(),
        }
    }

    /// Where the file asks for them.
    pub fn lines(&self) -> Vec<Lines> {
        match self {
            Self::Locked(packages) => packages.iter().map(|package| package.lines).collect(),
            Self::Unsolved(list) => list.iter().map(|entry| entry.lines).collect(),
        }
    }
}

/// A PyPI package, pinned to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipPackage {
    /// Its name as the lock has it.
    pub name: String,
    /// Its version, where the lock says.
    pub version: Option<String>,
    /// The wheel or source archive.
    pub url: PackageUrl,
    /// What the file must hash to.
    pub hashes: crate::package::Hashes,
    /// The lines of the user's file that ask for it.
    pub lines: Lines,
    /// That file, if it is not the environment's own.
    pub file: Option<Arc<SourceFile>>,
}

impl PipPackage {
    /// Where it is asked for; `environment` is the environment's own file.
    pub fn location(&self, environment: &Arc<SourceFile>) -> Location {
        Location {
            file: Arc::clone(self.file.as_ref().unwrap_or(environment)),
            lines: self.lines,
        }
    }
}

/// One entry of a `pip:` list, as pip reads it in a requirements file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipRequirement {
    /// The text: `requests>=2`, `-r requirements.txt`, a URL.
    pub text: String,
    /// The file that has it.
    pub file: Arc<SourceFile>,
    /// Its lines there.
    pub lines: Lines,
}

impl PipRequirement {
    /// Where it stands.
    pub fn location(&self) -> Location {
        Location {
            file: Arc::clone(&self.file),
            lines: self.lines,
        }
    }
}

/// What a build file may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildInput {
    /// One environment.
    Environment(Box<EnvironmentInput>),
    /// An image file, which names the files of environments.
    Image(Box<ImageFile>),
}

/// A finding of a lint rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: Rule,
    /// What was found, and where.
    pub diagnostic: Diagnostic,
}

/// The lint rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A package whose archive nothing checks.
    UnverifiedPackage,
    /// A URL with a password or token in it.
    CredentialsInUrl,
    /// A package that is listed twice.
    DuplicatePackage,
    /// Something in the file that condafront does not act on.
    Ignored,
    /// A channel of Anaconda's own.
    AnacondaChannel,
    /// No channel is named.
    NoChannel,
    /// Packages for pip, but no pip.
    MissingPip,
    /// A micromamba that is not pinned by a hash.
    UnverifiedInstaller,
    /// Python bytecode could not be compiled.
    NoBytecode,
    /// Something that a package brings has not the effect it should have.
    PackageContents,
    /// The base image's accounts are not as one may expect.
    Account,
}

impl Rule {
    /// The rule's name, as `docker build --call=check` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnverifiedPackage => "UnverifiedPackage",
            Self::CredentialsInUrl => "CredentialsInUrl",
            Self::DuplicatePackage => "DuplicatePackage",
            Self::Ignored => "Ignored",
            Self::AnacondaChannel => "AnacondaChannel",
            Self::NoChannel => "NoChannel",
            Self::MissingPip => "MissingPip",
            Self::UnverifiedInstaller => "UnverifiedInstaller",
            Self::NoBytecode => "NoBytecode",
            Self::PackageContents => "PackageContents",
            Self::Account => "Account",
        }
    }

    /// What the rule is about, in a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::UnverifiedPackage => "Every package should be pinned by a hash",
            Self::CredentialsInUrl => "Credentials belong into build secrets",
            Self::DuplicatePackage => "A package should be listed once",
            Self::Ignored => "This part of the file has no effect on the image",
            Self::AnacondaChannel => "Anaconda's own channels have terms of service",
            Self::NoChannel => "An environment should name its channels",
            Self::MissingPip => "An environment with packages for pip should have pip",
            Self::UnverifiedInstaller => "The installer should be pinned by a hash",
            Self::Account => "The image's account should be the one that was asked for",
            Self::NoBytecode => "Python modules start faster when they are compiled in the build",
            Self::PackageContents => "Packages should do in the image what they do elsewhere",
        }
    }
}

/// What the only environment of a file is called, and the one that is built of several unless another is asked for.
const DEFAULT_ENVIRONMENT: &str = "default";

/// Reads the file that a build is about.
///
/// # Errors
/// As those of [`read`], and those of an image file.
pub fn read_build_file(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<BuildInput, Diagnostic> {
    Ok(match image_file(file, platform, settings)? {
        Some(image) => BuildInput::Image(Box::new(image)),
        None => BuildInput::Environment(Box::new(read(file, platform, settings)?)),
    })
}

/// Reads a file if it is an image file.
///
/// # Errors
/// Those of an image file.
pub fn image_file(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<Option<ImageFile>, Diagnostic> {
    let tree = match file.text() {
        Ok(text) if !explicit::is_explicit(text) => yaml::read(file, text).ok(),
        // What is wrong with it is found when it is read as what it is.
        _ => None,
    };
    let Some(tree) = tree.filter(section::is_image_file) else {
        return Ok(None);
    };
    if !settings.specs.is_empty() {
        return Err(specs::beside(file));
    }
    let args = settings.build_args.for_platform(platform);
    section::read_image_file(file, &tree, &args).map(Some)
}

/// Reads a file that describes an environment, of any kind.
///
/// # Errors
/// A diagnostic at the user's line: not text, no known kind, or what the kind's reader finds.
pub fn read(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    if !settings.specs.is_empty() {
        return specs::read_beside(file, settings, platform);
    }
    let text = file.text()?;
    if unknown::first_line(text).is_none() {
        return Err(
            Diagnostic::new(format!("{} lists no packages", file.name()))
                .help("An environment file has a list `dependencies:`; an explicit lock has a line @EXPLICIT and then one package URL per line."),
        );
    }
    if explicit::is_explicit(text) {
        let mut input = explicit::read(file, text, platform)?;
        let why = "an explicit lock has one environment without categories";
        let given = [
            (
                "ENVIRONMENT",
                settings
                    .environment
                    .as_deref()
                    .unwrap_or(DEFAULT_ENVIRONMENT)
                    != DEFAULT_ENVIRONMENT,
            ),
            ("CONDA_LOCK_CATEGORIES", !settings.categories.is_empty()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let warning = locked::without_effect(name, file, why);
            input.warnings.push(warning);
        }
        return Ok(input);
    }
    let tree = yaml::read(file, text).map_err(|error| unknown::not_yaml(file, text, error))?;
    let has = |key: &str| tree.get(key).is_some();
    if conda_lock::is_conda_lock(&tree) {
        conda_lock::read(file, &tree, platform, settings)
    } else if has("version") && has("environments") {
        pixi_lock::read(file, text, &tree, platform, settings)
    } else if has("dependencies") {
        env::read(file, text, &tree, platform, settings)
    } else {
        Err(unknown::kind(file, text, &tree))
    }
}

/// Whether a file says nothing: it has blank lines and comments only.
pub fn is_empty(file: &SourceFile) -> bool {
    unknown::first_line(&String::from_utf8_lossy(file.data())).is_none()
}
