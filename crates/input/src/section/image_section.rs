//! The image section, checked: one field per key.

use crate::section::expand::Template;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use condafront_model::channel::{ChannelPriority, ChannelUrl};
use condafront_model::layers::Layers;
use condafront_model::source::Lines;
use condafront_step_spec::account::UserRequest;
use condafront_step_spec::install::{Installer, Trim};
use condafront_step_spec::system::Manager;

use crate::environment_input::PipRequirement;

/// A value and the lines of the user's file that say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub lines: Lines,
}

impl<T> Located<T> {
    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located {
            value: change(self.value),
            lines: self.lines,
        }
    }
}

/// The image section: what it leaves open is absent or empty. Build-args are put in wherever a Dockerfile would; build-args
/// that stand for a whole key (`BASE_IMAGE` for `base`) are the caller's business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageSection {
    /// The image to build on: a reference, `scratch` or a named context.
    pub base: Option<Located<String>>,
    /// The account that the image runs as.
    pub user: Option<Located<UserRequest>>,
    /// The base's own packages, if any.
    pub packages: Option<SystemPackages>,
    /// PyPI packages, as lines of a requirements file; where `-r` and `-c` are paths in the build context.
    pub pip: Vec<PipRequirement>,
    /// Files of the build context and of other images, in the order of copying.
    pub copy: Vec<CopyFiles>,
    /// Commands, in order.
    pub run: Vec<RunCommand>,
    /// Variables of the image, in order; no name twice.
    pub env: Vec<EnvVar>,
    /// The working directory; a relative one is below the base's.
    pub workdir: Option<Located<String>>,
    /// What a container runs by default, or the entrypoint's arguments.
    pub cmd: Option<Located<Command>>,
    /// What a container always runs.
    pub entrypoint: Option<Located<Command>>,
    /// What runs commands in shell form, never empty; the base's, or `/bin/sh -c`, unless given.
    pub shell: Option<Located<Vec<String>>>,
    /// Ports that the image listens on.
    pub expose: Vec<Located<Ports>>,
    /// Absolute paths of volumes.
    pub volumes: Vec<Located<String>>,
    /// Labels by name.
    pub labels: BTreeMap<String, Located<String>>,
    /// How the engine finds out whether a container works.
    pub healthcheck: Option<Located<Healthcheck>>,
    /// The signal that asks a container to end: `SIGTERM`, `SIGRTMIN+3`, or a number.
    pub stopsignal: Option<Located<String>>,
    /// The locale that the image has and `LANG` names: `en_US.UTF-8`.
    pub locale: Option<Located<String>>,
    /// Over how many layers packages are dealt.
    pub layers: Option<Located<Layers>>,
    /// Who links packages.
    pub installer: Option<Located<Installer>>,
    /// What is left out of packages.
    pub trim: BTreeSet<Trim>,
    /// What the order of channels means in a solve.
    pub channel_priority: Option<Located<ChannelPriority>>,
    /// Where channels are that are given by name.
    pub channel_alias: Option<Located<ChannelUrl>>,
    /// The folders that have the channels of these names, as in conda's configuration.
    pub custom_channels: BTreeMap<String, Located<ChannelUrl>>,
}

/// Packages of the base's distribution. A section names those of one package manager at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPackages {
    /// Whose packages they are.
    pub manager: Manager,
    /// The entries, in order.
    pub entries: Vec<Located<PackageEntry>>,
    /// The key and all its entries.
    pub lines: Lines,
}

/// An entry of a list of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageEntry {
    /// A package as its manager's command line takes it, with its version if it has one: `libgl1=1.7.0-1`. Has no blanks
    /// and no character that means something to a shell, and does not begin with a dash.
    Package(String),
    /// `-r packages.txt`: a file of the build context that [`read_package_list`] reads.
    File(String),
}

/// One copy into the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFiles {
    /// The image or named context to copy from; the build context if absent.
    pub from: Option<String>,
    /// What to copy, never empty: paths with wildcards, as in a Dockerfile's `COPY`.
    pub sources: Vec<String>,
    /// Where to, relative to the working directory; a folder if it ends with a slash.
    pub dest: String,
    /// The owner, `name`, `name:group` or numbers; the image's user if absent, where a Dockerfile has root.
    pub chown: Option<String>,
    /// The permissions; those of the source if absent.
    pub chmod: Option<Mode>,
    /// Where the file says so.
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
    /// A text for the shell.
    Shell(String),
    /// A program and its arguments, without a shell. Empty: no command at all.
    Exec(Vec<String>),
}

/// A command that runs in the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCommand {
    /// The command; not empty.
    pub command: Command,
    /// Caches and secrets that it sees.
    pub mounts: Vec<Mount>,
    /// Whether it reaches the network.
    pub network: Network,
    /// Who runs it, `name`, `name:group` or numbers; the image's user if absent.
    pub user: Option<String>,
    /// Those build-args that the command mentions as `$NAME` or `${NAME}`: variables for this command alone.
    pub args: BTreeMap<String, String>,
    /// Where the file says so.
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

/// Something that a command sees and the image does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What it is.
    pub kind: MountKind,
    /// The permissions; the kind's own if absent.
    pub mode: Option<u32>,
    /// The owner; if absent, who runs the command. (A Dockerfile has root here, and mounts that its user cannot use.)
    pub uid: Option<u32>,
    /// The group; if absent, that of who runs the command.
    pub gid: Option<u32>,
    /// Where the file says so.
    pub lines: Lines,
}

/// The kinds of mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A folder that outlives the build.
    Cache {
        /// Where it is.
        target: String,
        /// Mounts with one id share one folder.
        id: String,
        /// What happens when two builds want it.
        sharing: Sharing,
        /// Whether it cannot be written to.
        readonly: bool,
    },
    /// A secret of the client's.
    Secret {
        /// Its id: `docker build --secret id=…`.
        id: String,
        /// The file that has it; `/run/secrets/<id>` if neither this nor `env` is given.
        target: Option<String>,
        /// The variable that has it.
        env: Option<String>,
        /// Whether the build fails without it.
        required: bool,
    },
}

/// What happens when two builds want one cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Both use it.
    #[default]
    Shared,
    /// The second has one of its own.
    Private,
    /// The second waits.
    Locked,
}

/// A variable of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value, with build-args put in. What is left may name variables that the image has already: the base's, the
    /// environment's and those of entries before this one.
    pub value: Template,
    /// Where the file says so.
    pub lines: Lines,
}

/// Ports that the image listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first one, at least 1.
    pub first: u16,
    /// The last one, not before the first.
    pub last: u16,
    /// How.
    pub protocol: Protocol,
}

impl Ports {
    /// The names in the image's configuration: `8888/tcp`.
    pub fn names(self) -> impl Iterator<Item = String> {
        let protocol = self.protocol.name();
        (self.first..=self.last).map(move |port| format!("{port}/{protocol}"))
    }
}

/// What runs over a port.
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

/// How the engine finds out whether a container works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Healthcheck {
    /// Not at all, whatever the base says.
    None,
    /// By a command.
    Command {
        /// The command; not empty.
        command: Command,
        /// Numbers that the section leaves open are the engine's.
        timing: Timing,
    },
}

/// When a health check runs. Durations of zero mean the engine's default, as in a Dockerfile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Between two checks.
    pub interval: Option<Duration>,
    /// How long a check may take.
    pub timeout: Option<Duration>,
    /// How long failures do not count after the start.
    pub start_period: Option<Duration>,
    /// Between two checks in that time.
    pub start_interval: Option<Duration>,
    /// How many failures in a row make a container unhealthy.
    pub retries: Option<u32>,
}
