//! Commands that run in the image, with the semantics of a Dockerfile's `RUN`
//! (<https://docs.docker.com/reference/dockerfile/#run>).

use std::net::IpAddr;

use buildkit_llb::{
    Bind, Cache, CacheSharing, Exec, File, Input, Mkdir, NetMode, OpOptions, Options as LlbOptions,
    Output, Owner, Secret, Tmpfs,
};

use super::network::{NetworkAccess, is_proxy};
use super::oci_platform::oci_platform;
use super::programs::PROGRAM;
use super::tools::TOOLS_DIR;
use condafront_input::options::Options;
use condafront_input::section::{Command, Mount, MountKind, Network, RunCommand, Sharing};
use condafront_model::image_path::absolute;
use condafront_model::platform::Platform;
use condafront_model::redact;
use condafront_model::source::Diagnostic;
use condafront_step_spec::activation::ENTRYPOINT;
use condafront_step_spec::args::{ArgsError, to_json};
use condafront_step_spec::group_writable::{GroupWritableSpec, RUN_GROUP_WRITABLE};

/// Where a secret is mounted unless the user's file says otherwise.
const SECRETS: &str = "/run/secrets";
/// The directory that a new cache starts from, in its base.
const CACHE_DIR: &str = "/cache";
/// The permissions of a new cache unless the user's file says otherwise. One without a base has them, and belongs to root.
const DEFAULT_MODE: u32 = 0o755;

/// Who runs a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// The user in BuildKit's form; BuildKit looks names up in the image.
    pub user: String,
    /// The user's numeric id.
    pub uid: u32,
    /// The numeric id of the user's group.
    pub gid: u32,
    /// Name and home directory, if the image knows them.
    pub account: Option<(String, String)>,
}

/// One command.
#[derive(Clone, Debug)]
pub struct RunStep<'a> {
    /// The command in the user's file.
    pub command: &'a RunCommand,
    /// Its number, counted from 1, and how many commands there are.
    pub number: (usize, usize),
    /// What runs a command in shell form: a shell and its options.
    pub shell: &'a [String],
    /// The image's environment variables.
    pub env: &'a [(String, String)],
    /// The working directory.
    pub workdir: &'a str,
    /// Who runs it.
    pub runner: Runner,
    /// The image's platform.
    pub platform: Platform,
    /// Where the runner's group may write to what the command leaves, if anywhere.
    pub shared: Option<SharedFolders<'a>>,
}

/// Where the group of the image's user may write.
#[derive(Clone, Debug)]
pub struct SharedFolders<'a> {
    /// Condafront's [`programs`](crate::programs()), which see to it.
    pub programs: &'a Output,
    /// The group, and where.
    pub spec: GroupWritableSpec,
}

impl RunStep<'_> {
    /// Its name in the progress and the image's history.
    pub fn name(&self) -> String {
        let (number, count) = self.number;
        format!("[run {number}/{count}] {}", title(&self.command.command))
    }

    /// The image after the command.
    ///
    /// The image's entrypoint runs it, as in a container. It sources what activation scripts leave to the shell, finds
    /// a home directory for users that the image does not know, and says which program is missing.
    ///
    /// # Errors
    /// When the list of shared folders does not fit into a program's arguments.
    pub fn on(
        &self,
        root: &Input,
        run_options: &RunOptions,
        options: &LlbOptions,
    ) -> Result<Output, ArgsError> {
        let words: Vec<&str> = match &self.command.command {
            Command::Exec(words) => words.iter().map(String::as_str).collect(),
            Command::Shell(text) => {
                let shell = self.shell.iter().map(String::as_str);
                shell.chain([text.as_str()]).collect()
            }
        };
        let mut exec = match &self.shared {
            None => Exec::new(root.clone(), ENTRYPOINT, words),
            Some(shared) => {
                let spec = to_json(&shared.spec)?;
                let before = [RUN_GROUP_WRITABLE, spec.as_str(), ENTRYPOINT];
                let args = before.into_iter().chain(words);
                let mut exec = Exec::new(root.clone(), format!("{TOOLS_DIR}{PROGRAM}"), args);
                exec.mount(Bind::read_only(TOOLS_DIR, shared.programs));
                exec
            }
        };
        exec.options(options)
            .platform(oci_platform(self.platform))
            .cwd(self.workdir)
            .user(&self.runner.user);
        for (name, value) in self.variables() {
            exec.env(name, value);
        }
        run_options.apply(&mut exec, self.command.network);
        for mount in &self.command.mounts {
            self.mount(&mut exec, mount, &run_options.cache_namespace);
        }
        let changed = exec.write_root();
        Ok(exec.build()[changed].clone())
    }

    /// The image's variables, and then, unless these set them, the runner's account and the build-args that the command
    /// mentions.
    fn variables(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<(&str, &str)> = Vec::new();
        let account = self.runner.account.iter();
        let account =
            account.flat_map(|(name, home)| [("HOME", home.as_str()), ("USER", name.as_str())]);
        let args = self.command.args.iter();
        // Proxies are set anyway, and must not be part of the cache key.
        let args = args
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !is_proxy(name));
        let image = self.env.iter();
        let image = image.map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in image.chain(account).chain(args) {
            if all.iter().all(|(known, _)| *known != name) {
                all.push((name, value));
            }
        }
        all
    }

    fn mount(&self, exec: &mut Exec, mount: &Mount, namespace: &str) {
        let uid = mount.uid.unwrap_or(self.runner.uid);
        let gid = mount.gid.unwrap_or(self.runner.gid);
        match &mount.kind {
            MountKind::Cache {
                target,
                id,
                sharing,
                readonly,
            } => {
                let mut cache =
                    Cache::new(absolute(self.workdir, target), format!("{namespace}/{id}"));
                cache.sharing(match sharing {
                    Sharing::Shared => CacheSharing::Shared,
                    Sharing::Private => CacheSharing::Private,
                    Sharing::Locked => CacheSharing::Locked,
                });
                // Mounts share a cache if they have the same id and the same base. A Dockerfile's have none unless they say
                // whose the folder is.
                let mode = mount.mode.unwrap_or(DEFAULT_MODE);
                if (uid, gid, mode) != (0, 0, DEFAULT_MODE) {
                    let mut folder = File::on(Input::Scratch);
                    folder
                        .then(Mkdir::new(CACHE_DIR).mode(mode).owner(Owner::ids(uid, gid)))
                        .name("[internal] set the owner of a cache");
                    cache.base(folder.build()).selector(CACHE_DIR);
                }
                if *readonly {
                    cache.read_only();
                }
                exec.mount(cache);
            }
            MountKind::Secret {
                id,
                target,
                env,
                required,
            } => {
                if let Some(name) = env {
                    exec.secret_env(name, id, !required);
                }
                let target = match (target, env) {
                    (Some(target), _) => absolute(self.workdir, target),
                    (None, Some(_)) => return,
                    (None, None) => {
                        let name = id.rsplit('/').next().unwrap_or(id);
                        format!("{SECRETS}/{name}")
                    }
                };
                let mut secret = Secret::new(target, id);
                secret.owner(uid, gid).mode(mount.mode.unwrap_or(0o400));
                if !required {
                    secret.optional();
                }
                exec.mount(secret);
            }
        }
    }
}

/// A command on one line, without the credentials of its URLs.
pub fn title(command: &Command) -> String {
    /// `docker history` shows titles in full, and a page of text is useless there.
    const LONGEST: usize = 200;
    let text = match command {
        Command::Shell(text) => text.clone(),
        Command::Exec(words) => words.join(" "),
    };
    let text = redact::masked(&text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    redact::shortened(&lines.collect::<Vec<_>>().join("; "), LONGEST)
}

/// The `docker build` options that affect commands (`frontend/dockerui/attr.go`).
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// `--network` and the proxies.
    network: NetworkAccess,
    /// `--add-host`.
    hosts: Vec<(String, IpAddr)>,
    /// The host name, for example of a Kubernetes builder.
    hostname: Option<String>,
    /// `--shm-size` in bytes.
    shm_size: Option<u64>,
    /// `--ulimit`: name, soft and hard limit.
    limits: Vec<(String, i64, i64)>,
    /// `--cgroup-parent`.
    cgroup_parent: Option<String>,
    /// What separates one user's caches from another's.
    cache_namespace: String,
}

impl RunOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// When one of them is malformed.
    pub fn from_options(options: &Options) -> Result<Self, Diagnostic> {
        let list = |key: &str| {
            let list = options.get(key).unwrap_or_default();
            list.split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
        };
        let wrong = |option: &str, entry: &str| {
            Diagnostic::new(format!("{option}: `{entry}` is not valid"))
        };
        let hosts = list("add-hosts").map(|entry| {
            let (name, address) = entry.split_once('=').unwrap_or((entry, ""));
            let address = address.trim_start_matches('[').trim_end_matches(']');
            let address = address.parse().map_err(|_| {
                wrong("--add-host", entry).help("For example: --add-host files:10.0.0.1")
            })?;
            Ok((name.to_owned(), address))
        });
        let limits = list("ulimit").map(|entry| {
            let limit = limit(entry);
            limit.ok_or_else(|| {
                wrong("--ulimit", entry).help("For example: --ulimit nofile=1024:4096")
            })
        });
        let shm_size = options.get("shm-size").map(|text| {
            let size = text.parse();
            size.map_err(|_| wrong("--shm-size", text).help("For example: --shm-size 1g"))
        });
        let owned = |key: &str| options.get(key).map(str::to_owned);
        Ok(Self {
            network: NetworkAccess::from_options(options),
            hosts: hosts.collect::<Result<_, Diagnostic>>()?,
            hostname: owned("hostname").or_else(|| owned("build-arg:BUILDKIT_SANDBOX_HOSTNAME")),
            shm_size: shm_size.transpose()?.filter(|size| *size > 0),
            limits: limits.collect::<Result<_, Diagnostic>>()?,
            cgroup_parent: owned("cgroup-parent"),
            cache_namespace: owned("build-arg:BUILDKIT_CACHE_MOUNT_NS").unwrap_or_default(),
        })
    }

    fn apply(&self, exec: &mut Exec, network: Network) {
        match network {
            Network::Default => self.network.open(exec),
            Network::None => self.network.with_mode(NetMode::None).open(exec),
            Network::Host => self.network.with_mode(NetMode::Host).open(exec),
        }
        for (name, address) in &self.hosts {
            exec.extra_host(name, *address);
        }
        if let Some(name) = &self.hostname {
            exec.hostname(name);
        }
        if let Some(bytes) = self.shm_size {
            exec.mount(Tmpfs::new("/dev/shm").size(bytes));
        }
        for (name, soft, hard) in &self.limits {
            exec.ulimit(name, *soft, *hard);
        }
        if let Some(parent) = &self.cgroup_parent {
            exec.cgroup_parent(parent);
        }
    }
}

/// `nofile=1024:4096`, or one number for both.
fn limit(entry: &str) -> Option<(String, i64, i64)> {
    let (name, limits) = entry.split_once('=')?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    Some((name.to_owned(), soft.parse().ok()?, hard.parse().ok()?))
}

#[cfg(test)]
mod tests;
