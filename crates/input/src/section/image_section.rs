//! The image section, checked: one field per key.

use crate::section::contract::Contract;
use crate::section::expand::Template;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use condafront_model::channel::{ChannelPriority, ChannelUrl};
use condafront_model::cutoff::Limit;
use condafront_model::layers::Layers;
use condafront_model::source::Lines;
use condafront_step_spec::account::UserRequest;
use condafront_step_spec::install::{Installer, Trim};
use condafront_step_spec::system::Manager;

use crate::pip_requirement::PipRequirement;

/// In the path of a lock, the placeholder for conda's name of the platform, as in conda-lock's `--filename-template`.
pub(crate) const PLATFORM: &str = "{platform}";

/// A value and its lines in the user's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its lines.
    pub lines: Lines,
}

impl<T> Located<T> {
    /// The same lines with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located {
            value: change(self.value),
            lines: self.lines,
        }
    }
}

/// The image section. What it does not set is `None` or empty. Build-args are substituted wherever a Dockerfile would;
/// build-args that replace a whole key (`BASE_IMAGE` for `base`) are up to the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageSection {
    /// The base image: a reference, `scratch` or a named context.
    pub base: Option<Located<String>>,
    /// The account that the image runs as.
    pub user: Option<Located<UserRequest>>,
    /// Whether the group of the image's user may write to the environments and the home.
    pub group_writable: Option<Located<bool>>,
    /// The platforms whose rules the image keeps.
    pub contracts: Vec<Located<Contract>>,
    /// What they added to the section: a key with its value.
    pub added: Vec<Located<(Contract, String)>>,
    /// Packages of the base image's distribution, if any.
    pub packages: Option<SystemPackages>,
    /// PyPI packages, as lines of a requirements file; `-r` and `-c` name other files.
    pub pip: Vec<PipRequirement>,
    /// Conda packages that only the steps that build wheels see.
    pub build: Option<BuildPackages>,
    /// Files to copy from the build context and other images, in order.
    pub copy: Vec<CopyFiles>,
    /// Commands to run in the build, in order.
    pub run: Vec<RunCommand>,
    /// Environment variables of the image, in order; no name twice.
    pub env: Vec<EnvVar>,
    /// The working directory; if relative, it is below the base image's.
    pub workdir: Option<Located<String>>,
    /// What a container runs by default, or the entrypoint's arguments.
    pub cmd: Option<Located<Command>>,
    /// What a container always runs.
    pub entrypoint: Option<Located<Command>>,
    /// The shell that runs commands in shell form, never empty; defaults to the base image's, or `/bin/sh -c`.
    pub shell: Option<Located<Vec<String>>>,
    /// Ports that the image listens on.
    pub expose: Vec<Located<Ports>>,
    /// Absolute paths of volumes.
    pub volumes: Vec<Located<String>>,
    /// Labels by name.
    pub labels: BTreeMap<String, Located<String>>,
    /// How the engine checks whether a container works.
    pub healthcheck: Option<Located<Healthcheck>>,
    /// The signal that asks a container to stop: `SIGTERM`, `SIGRTMIN+3`, or a number.
    pub stopsignal: Option<Located<String>>,
    /// The locale of the image, which `LANG` is set to: `en_US.UTF-8`.
    pub locale: Option<Located<String>>,
    /// How many layers packages are spread over.
    pub layers: Option<Located<Layers>>,
    /// What installs packages.
    pub installer: Option<Located<Installer>>,
    /// What to leave out of packages.
    pub trim: BTreeSet<Trim>,
    /// How the order of channels affects a solve.
    pub channel_priority: Option<Located<ChannelPriority>>,
    /// Which packages are too new for a solve.
    pub exclude_newer: Option<Located<ExcludeNewer>>,
    /// The lock to take the packages from, with `{platform}` for conda's name of the platform.
    pub lock: Option<Located<String>>,
    /// The base URL of channels given by name.
    pub channel_alias: Option<Located<ChannelUrl>>,
    /// The base URLs of single channels, by channel name, as in conda's configuration.
    pub custom_channels: BTreeMap<String, Located<ChannelUrl>>,
}

impl ImageSection {
    /// Notes that a platform, which `for` names at `lines`, has added `text`.
    pub(super) fn add(&mut self, lines: Lines, contract: Contract, text: impl Into<String>) {
        self.added.push(Located {
            value: (contract, text.into()),
            lines,
        });
    }
}

/// Conda packages that only the steps that build wheels see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildPackages {
    /// MatchSpecs, at least one, which are checked when an environment asks for them.
    pub packages: Vec<Located<String>>,
    /// Where to find them; empty for the channels of the environment.
    pub channels: Vec<Located<String>>,
    /// The lines of the value.
    pub lines: Lines,
}

/// Which packages are too new for a solve. Exemptions without a cutoff hold for all packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExcludeNewer {
    /// Those from after this time; `None` if only some channels or packages of a manifest have a cutoff.
    pub cutoff: Option<Limit>,
    /// Other cutoffs for channels, by name or URL.
    pub channels: BTreeMap<String, Located<Option<Limit>>>,
    /// Packages that may be newer, by MatchSpec, which is checked after the section is read.
    pub packages: BTreeMap<String, Located<Option<Limit>>>,
    /// Other cutoffs for packages, by name, which only a manifest has.
    pub by_name: BTreeMap<String, Located<Option<Limit>>>,
}

/// Packages of the base image's distribution. A section lists packages of at most one package manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPackages {
    /// The package manager that installs them.
    pub manager: Manager,
    /// The entries, in order.
    pub entries: Vec<Located<PackageEntry>>,
    /// The key and all its entries.
    pub lines: Lines,
}

/// An entry of a list of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageEntry {
    /// A package as an argument for its manager, with its version if it has one: `libgl1=1.7.0-1`. It has no spaces, no
    /// characters that are special to a shell, and no leading dash.
    Package(String),
    /// `-r packages.txt`: a file that [`read_package_list`] reads.
    File(String),
}

/// One copy into the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFiles {
    /// The image or named context to copy from; defaults to the build context.
    pub from: Option<String>,
    /// What to copy, never empty: paths with wildcards, as in a Dockerfile's `COPY`.
    pub sources: Vec<String>,
    /// The destination, relative to the working directory; a directory if it ends with a slash.
    pub dest: String,
    /// The owner, `name`, `name:group` or numbers; defaults to the image's user, unlike a Dockerfile's root.
    pub chown: Option<String>,
    /// The permissions; defaults to those of the source.
    pub chmod: Option<Mode>,
    /// Its lines in the file.
    pub lines: Lines,
}

/// Permissions for copied files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The bits, at most `0o7777`.
    Bits(u32),
    /// As in chmod(1): `u=rwX,go=rX`.
    Symbolic(String),
}

/// A command of the image, or of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A string for the shell.
    Shell(String),
    /// A program and its arguments, without a shell. Empty means no command at all.
    Exec(Vec<String>),
}

/// A command that runs in the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCommand {
    /// The command; not empty.
    pub command: Command,
    /// The caches and secrets that it can use.
    pub mounts: Vec<Mount>,
    /// Its network.
    pub network: Network,
    /// The user that runs it, `name`, `name:group` or numbers; defaults to the image's user.
    pub user: Option<String>,
    /// The build-args that the command mentions as `$NAME` or `${NAME}`: variables for this command only.
    pub args: BTreeMap<String, String>,
    /// Its lines in the file.
    pub lines: Lines,
}

/// The network of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// The builder's.
    #[default]
    Default,
    /// None.
    None,
    /// The host's, which the builder must allow.
    Host,
}

/// A cache or secret that a command can use and that is not in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What it is.
    pub kind: MountKind,
    /// The permissions; defaults to those of the kind.
    pub mode: Option<u32>,
    /// The owner; defaults to the user that runs the command. (In a Dockerfile it is root, and others cannot use the mount.)
    pub uid: Option<u32>,
    /// The group; defaults to that of the user that runs the command.
    pub gid: Option<u32>,
    /// Its lines in the file.
    pub lines: Lines,
}

/// The kinds of mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A directory that outlives the build.
    Cache {
        /// Where it is.
        target: String,
        /// Mounts with the same id share a directory.
        id: String,
        /// What happens when two builds use it at once.
        sharing: Sharing,
        /// Whether it is read-only.
        readonly: bool,
    },
    /// A secret of the client.
    Secret {
        /// Its id: `docker build --secret id=…`.
        id: String,
        /// The file that holds it; `/run/secrets/<id>` if neither this nor `env` is set.
        target: Option<String>,
        /// The environment variable that holds it.
        env: Option<String>,
        /// Whether the build fails without it.
        required: bool,
    },
}

/// What happens when two builds use a cache at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Both use it.
    #[default]
    Shared,
    /// The second gets a cache of its own.
    Private,
    /// The second waits.
    Locked,
}

/// An environment variable of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value, with build-args substituted. The rest may name variables that the image already has: those of the base
    /// image, of the environment and of earlier entries.
    pub value: Template,
    /// Its lines in the file.
    pub lines: Lines,
}

/// Ports that the image listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first one, at least 1.
    pub first: u16,
    /// The last one, not before the first.
    pub last: u16,
    /// The protocol.
    pub protocol: Protocol,
}

impl Ports {
    /// The names in the image's configuration: `8888/tcp`.
    pub fn names(self) -> impl Iterator<Item = String> {
        let protocol = self.protocol.name();
        (self.first..=self.last).map(move |port| format!("{port}/{protocol}"))
    }
}

/// The protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The name in the image's configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// How the engine checks whether a container works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Healthcheck {
    /// Not at all, whatever the base image says.
    None,
    /// By a command.
    Command {
        /// The command; not empty.
        command: Command,
        /// Numbers that the section does not set are the engine's.
        timing: Timing,
    },
}

/// When a health check runs. Durations of zero mean the engine's default, as in a Dockerfile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// The time between two checks.
    pub interval: Option<Duration>,
    /// How long a check may take.
    pub timeout: Option<Duration>,
    /// How long after the start failures do not count.
    pub start_period: Option<Duration>,
    /// The time between two checks in that period.
    pub start_interval: Option<Duration>,
    /// How many failures in a row make a container unhealthy.
    pub retries: Option<u32>,
}
