//! What a build file says about one environment, as each reader returns it for its kind of file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use condafront_model::channel::{Channel, ChannelPriority};
use condafront_model::cutoff::Limit;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::lint::Warning;
use condafront_model::origin::Origin;
use condafront_model::package::{Hashes, Package, PackageId};
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Lines, Location, SourceFile};
use condafront_step_spec::solve::{ExcludeNewer, Kept};

use crate::activation_variables::ActivationVariables;
use crate::file_path::{FilePath, NamedPath};
use crate::lock_terms::LockTerms;
use crate::pip_requirement::PipRequirement;
use crate::section::image_section::{ImageSection, Located};

/// What a build file says about one environment for one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentInput {
    /// The environment's name and prefix, if the file gives a name.
    pub prefix: Option<EnvironmentPrefix>,
    /// Environment variables that activation sets.
    pub variables: BTreeMap<String, String>,
    /// Variables that are set after these and after the packages' scripts. Those whose values are known are among
    /// `variables` too.
    pub late_variables: ActivationVariables,
    /// Its conda packages.
    pub conda: Conda,
    /// Its PyPI packages.
    pub pip: Pip,
    /// What the file says about the image; only an env.yml can.
    pub section: ImageSection,
    /// Findings that do not stop the build.
    pub warnings: Vec<Warning>,
    /// The names of the build-arg `CONDAFRONT_SKIP` that a lock does not have, each with the error that says so; `None`
    /// unless the file is a lock.
    pub unknown_skips: Option<BTreeMap<String, Diagnostic>>,
    /// What the build-arg `CONDA_LOCK_CATEGORIES` means for the file.
    pub categories: Categories,
    /// What is left to a lock; `None` unless the file is a manifest.
    pub beside: Option<Beside>,
}

/// What the build-arg `CONDA_LOCK_CATEGORIES` means for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Categories {
    /// It chooses packages of the lock with this name, which has these categories.
    Of(String, BTreeSet<String>),
    /// The file has no categories, and this is why.
    None(&'static str),
    /// The file is not a lock.
    NoLock,
}

/// The lock beside a manifest, and what is left to a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The name of the lock that the manifest's tool writes, whose packages are used if it exists and the manifest names no
    /// other.
    pub lock: Located<String>,
    /// The names of the manifest's environments, the default one first.
    pub environments: Vec<String>,
    /// How many of the channels of a solve the environment lists itself. They come first; the others are named by
    /// dependencies.
    pub listed_channels: usize,
    /// Where PyPI packages come from.
    pub indexes: PypiIndexes,
    /// What else the lock must have been written for, if it is pixi's.
    pub terms: Option<LockTerms>,
    /// The error that the environment is for other platforms.
    pub other_platform: Option<Diagnostic>,
    /// The name that pixi makes for the platform that the user chose, which its lock may call something else.
    pub platform_name: Option<String>,
    /// The entry of `platforms` that the environment was read for; `None` if there is none.
    pub machine: Option<Machine>,
    /// The entries that the environment is for. Empty means all.
    pub machines: Vec<Machine>,
    /// Why the packages cannot be found without a lock.
    pub unsolvable: Option<Diagnostic>,
    /// Findings that only matter without a lock.
    pub warnings: Vec<Warning>,
}

/// An entry of a manifest's `platforms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its own name, or the one that pixi makes for it.
    pub name: String,
    /// The name that pixi makes for it.
    pub made: String,
    /// The name of its platform for conda.
    pub subdir: String,
    /// The virtual packages by which a lock tells it apart from others of the same platform.
    pub virtual_packages: Vec<String>,
}

impl Machine {
    /// Whether a lock's platform is this one.
    pub(crate) fn is(&self, name: &str, made: &str) -> bool {
        self.name == name || self.made == made
    }
}

/// Where the PyPI packages of a manifest come from, as a lock says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PypiIndexes {
    /// The index, if it is not that of pypi.org.
    pub index: Option<String>,
    /// More of them.
    pub more: Vec<String>,
    /// Pages with links to files.
    pub links: Vec<String>,
    /// How prereleases count, in the manifest's word, if it says so.
    pub prerelease_mode: Option<String>,
}

impl Beside {
    /// The entries of `platforms` that are `platform` to conda, if the lock has names for them.
    pub fn own_machines(&self, platform: Platform) -> impl Iterator<Item = &Machine> {
        let is_own = move |one: &&Machine| self.terms.is_some() && one.subdir == platform.subdir();
        self.machines.iter().filter(is_own)
    }
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
    /// Exactly these, in link order: if two contain the same file, the later one wins.
    Locked(Vec<Package>),
    /// Whatever a solve finds.
    Unsolved(Box<SolveRequest>),
}

/// The input of a solve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolveRequest {
    /// The channels, highest priority first. Channels that only a `channel::spec` names come last, as in conda: their
    /// packages may satisfy other dependencies too. Never empty, no channel twice.
    pub channels: Vec<Channel>,
    /// What the order of channels means.
    pub priority: ChannelPriority,
    /// Which packages are too new.
    pub exclude_newer: Option<ExcludeNewer<Limit>>,
    /// What must be in the environment.
    pub specs: Vec<RequestedSpec>,
    /// What must be possible at the same time, for environments that are solved together with this one.
    pub group: Vec<RequestedSpec>,
    /// The platforms that the file is for; empty if it does not name any.
    pub platforms: Vec<DeclaredPlatform>,
    /// What the file says about the machines, for what neither the base image nor the user says.
    pub declared: DeclaredSystem,
    /// Whether pip only comes with python if something asks for it, as in pixi.
    pub without_pip: bool,
    /// How the file came about.
    pub origin: Origin,
    /// What stays of an earlier answer.
    pub kept: Kept<Package>,
    /// The packages that are already installed: no others with their names can be chosen.
    pub installed: Vec<PackageId>,
}

impl SolveRequest {
    /// Whether its file is for a platform.
    pub fn is_for(&self, platform: Platform) -> bool {
        let mut platforms = self.platforms.iter();
        self.platforms.is_empty() || platforms.any(|one| one.subdir == platform.subdir())
    }

    /// All dependencies, those of the environment itself first.
    pub fn all_specs(&self) -> impl Iterator<Item = &RequestedSpec> {
        self.specs.iter().chain(&self.group)
    }
}

/// Virtual packages that a file declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredSystem {
    /// The version of `__cuda`.
    pub cuda: Option<String>,
    /// The version and the build string of `__cuda_arch`: `8.6=0`.
    pub cuda_arch: Option<String>,
    /// The build string of `__archspec`.
    pub archspec: Option<String>,
}

/// A platform that a file is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredPlatform {
    /// Conda's name: `linux-64`. Not necessarily one that images can be built for.
    pub subdir: String,
    /// Where the file names it.
    pub lines: Lines,
}

/// One dependency of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedSpec {
    /// The MatchSpec, in the form that `rattler_conda_types::MatchSpec` parses strictly. A channel in it is the recorded
    /// address of one of [`SolveRequest::channels`].
    pub spec: String,
    /// The lines of the user's file that ask for it.
    pub lines: Lines,
    /// Whether the file does not list it, but needs it: pip for a list of PyPI packages.
    pub is_implied: bool,
}

/// The PyPI packages of an environment, installed after the conda packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pip {
    /// Exactly these.
    Locked(LockedPip),
    /// Whatever pip finds.
    Unsolved(Vec<PipRequirement>),
}

/// The PyPI packages of a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedPip {
    /// Those to download.
    pub files: Vec<PipPackage>,
    /// Those of the build context.
    pub local: Vec<LocalPip>,
    /// Those of git repositories.
    pub repositories: Vec<RepositoryPip>,
    /// The names of those that conda packages of the lock contain, as far as the lock says so.
    pub by_conda: BTreeSet<String>,
    /// What those of the build context and of repositories say that they need (`Requires-Dist`), by normalized name.
    pub needs: BTreeMap<String, Vec<String>>,
}

impl LockedPip {
    /// Whether there is nothing to install.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.local.is_empty() && self.repositories.is_empty()
    }
}

/// A PyPI package that a lock names by a commit of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryPip {
    /// Its name as written in the lock.
    pub name: String,
    /// The URL to clone.
    pub url: String,
    /// The whole name of the commit.
    pub commit: String,
    /// The branch, tag or commit that it was found by, if the lock says so.
    pub found_by: Option<String>,
    /// The folder of the package in the repository.
    pub subdir: Option<String>,
    /// The lines of the lock that name it.
    pub lines: Lines,
}

impl RepositoryPip {
    /// The place that names it, in the environment's own file.
    pub fn location(&self, file: &Arc<SourceFile>) -> Location {
        Location {
            file: Arc::clone(file),
            lines: self.lines,
        }
    }
}

/// A PyPI package of the build context that a lock names: a project, a wheel or a source archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPip {
    /// Its name as written in the lock.
    pub name: String,
    /// Its path as the lock has it, normalized: relative to the lock.
    pub path: String,
    /// The name of its file, if the lock says one that need not be the end of the path.
    pub file_name: Option<String>,
    /// The hashes that it must have if it is a file.
    pub hashes: Hashes,
    /// The lines of the lock that name it.
    pub lines: Lines,
}

impl LocalPip {
    /// The name of its file or folder.
    pub fn file_name(&self) -> &str {
        let last = self.path.rsplit('/').next();
        self.file_name.as_deref().or(last).unwrap_or_default()
    }

    /// The place that names it, in the environment's own file.
    pub fn location(&self, file: &Arc<SourceFile>) -> Location {
        Location {
            file: Arc::clone(file),
            lines: self.lines,
        }
    }

    /// Its path, named in the lock `file` in `folder`.
    pub fn named(&self, file: &Arc<SourceFile>, folder: &FilePath) -> NamedPath {
        NamedPath {
            path: self.path.clone(),
            folder: folder.clone(),
            beside: None,
            or_context: true,
            location: self.location(file),
        }
    }
}

impl Default for Pip {
    fn default() -> Self {
        Self::Locked(LockedPip::default())
    }
}

impl Pip {
    /// Whether there is nothing to install.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Locked(locked) => locked.is_empty(),
            Self::Unsolved(requirements) => requirements.is_empty(),
        }
    }

    /// The lines that ask for them.
    pub fn lines(&self) -> Vec<Lines> {
        match self {
            Self::Locked(locked) => {
                let files = locked.files.iter().map(|package| package.lines);
                let local = locked.local.iter().map(|one| one.lines);
                let repositories = locked.repositories.iter().map(|one| one.lines);
                files.chain(local).chain(repositories).collect()
            }
            Self::Unsolved(list) => list.iter().map(|entry| entry.lines).collect(),
        }
    }
}

/// The name of the environment, category or group for developers.
pub(crate) const DEV: &str = "dev";

/// The name of a file's only environment, and of the one that is built from a file with several unless another is chosen.
pub(crate) const DEFAULT_ENVIRONMENT: &str = "default";
