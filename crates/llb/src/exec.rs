//! Runs processes.

mod bind;
mod cache;
mod mount;
mod network;
mod outputs;
mod security;

pub use bind::{Bind, ContentCache};
pub use cache::{Cache, CacheSharing};
pub use mount::{Mount, Secret, Ssh, Tmpfs};
pub use network::{NetMode, Proxy};
pub use outputs::{ExecOutputs, Slot};
pub use security::SecurityMode;

use std::net::IpAddr;

use buildkit_proto::pb;

use crate::caps::{self, Cap};
use crate::node::{Input, Inputs, NONE, Node, Output};
use crate::options::{OpOptions, Options};
use crate::platform::Platform;

/// Runs a process; its outputs are what it wrote.
///
/// The root filesystem is read-only unless [`Exec::write_root`] is called. A
/// writable one always has an output, used or not, because the daemon would
/// otherwise mount the snapshot of the input itself. What the process writes to
/// a mount made by [`Exec::output`] becomes an output of the operation; there
/// can be several.
///
/// ```
/// use buildkit_llb::{Bind, Exec, Image, Input, Local, Tmpfs};
///
/// let root = Image::new("docker.io/library/debian:13").build();
/// let source = Local::new("context").build();
/// let mut exec = Exec::new(&root, "sh", ["-c", "make -C /src DESTDIR=/out install"]);
/// exec.env("LANG", "C.UTF-8")
///     .mount(Bind::read_only("/src", &source))
///     .mount(Tmpfs::new("/tmp").size(1 << 30));
/// let installed = exec.output("/out", Input::Scratch);
/// let built = exec.build();
/// assert_eq!(built[installed].index(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Exec {
    meta: pb::Meta,
    /// Kept outside `meta.env` so that each name is set only once.
    env: Vec<(String, String)>,
    network: NetMode,
    security: SecurityMode,
    secret_env: Vec<pb::SecretEnv>,
    platform: Option<Platform>,
    /// The first one is the root.
    mounts: Vec<Mount>,
    options: Options,
}

impl Exec {
    /// Runs a program with arguments in `/` of a root filesystem.
    pub fn new(
        root: impl Into<Input>,
        program: impl Into<String>,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let program = std::iter::once(program.into());
        Self {
            meta: pb::Meta {
                args: program.chain(args.into_iter().map(Into::into)).collect(),
                cwd: "/".to_owned(),
                // Keeps mount points created for the process out of the outputs.
                remove_mount_stubs_recursive: true,
                ..pb::Meta::default()
            },
            env: Vec::new(),
            network: NetMode::Sandbox,
            security: SecurityMode::Sandbox,
            secret_env: Vec::new(),
            platform: None,
            mounts: vec![Bind::read_only("/", root).into()],
            options: Options::new(),
        }
    }

    /// The platform to run on; defaults to the worker's.
    pub fn platform(&mut self, platform: Platform) -> &mut Self {
        self.platform = Some(platform);
        self
    }

    /// Sets an environment variable. The daemon sets `PATH` if nothing does.
    pub fn env(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value.into()));
        self
    }

    /// The working directory.
    pub fn cwd(&mut self, path: impl AsRef<str>) -> &mut Self {
        self.meta.cwd = crate::file::clean_path(path.as_ref());
        self
    }

    /// The user, optionally with a group after a colon, by name or number.
    pub fn user(&mut self, user: impl Into<String>) -> &mut Self {
        self.meta.user = user.into();
        self
    }

    /// The host name.
    pub fn hostname(&mut self, name: impl Into<String>) -> &mut Self {
        self.meta.hostname = name.into();
        self
    }

    /// The network; defaults to the sandbox network of the worker.
    pub fn network(&mut self, mode: NetMode) -> &mut Self {
        self.network = mode;
        self
    }

    /// The confinement; defaults to that of a container.
    pub fn security(&mut self, mode: SecurityMode) -> &mut Self {
        self.security = mode;
        self
    }

    /// Proxy variables; they are not part of the cache key.
    pub fn proxy(&mut self, proxy: &Proxy) -> &mut Self {
        self.meta.proxy_env = Some(proxy.to_pb());
        self
    }

    /// Adds a line to `/etc/hosts`. The address is not part of the cache key.
    pub fn extra_host(&mut self, host: impl Into<String>, ip: IpAddr) -> &mut Self {
        self.meta.extra_hosts.push(pb::HostIp {
            host: host.into(),
            ip: ip.to_string(),
        });
        self
    }

    /// Limits a resource, such as `nofile` (BuildKit 0.10).
    pub fn ulimit(&mut self, name: impl Into<String>, soft: i64, hard: i64) -> &mut Self {
        self.meta.ulimit.push(pb::Ulimit {
            name: name.into(),
            soft,
            hard,
        });
        self
    }

    /// The parent cgroup (BuildKit 0.10).
    pub fn cgroup_parent(&mut self, path: impl Into<String>) -> &mut Self {
        self.meta.cgroup_parent = path.into();
        self
    }

    /// The exit codes that mean success, instead of 0 (BuildKit 0.17).
    pub fn valid_exit_codes(&mut self, codes: impl IntoIterator<Item = u8>) -> &mut Self {
        self.meta.valid_exit_codes = codes.into_iter().map(i32::from).collect();
        self
    }

    /// Puts a secret into an environment variable (BuildKit 0.10).
    pub fn secret_env(
        &mut self,
        name: impl Into<String>,
        id: impl Into<String>,
        optional: bool,
    ) -> &mut Self {
        self.secret_env.push(pb::SecretEnv {
            id: id.into(),
            name: name.into(),
            optional,
        });
        self
    }

    /// Adds a mount without an output.
    pub fn mount(&mut self, mount: impl Into<Mount>) -> &mut Self {
        self.mounts.push(mount.into());
        self
    }

    /// Mounts a filesystem for writing; its changed state is an output.
    pub fn output(&mut self, dest: impl AsRef<str>, base: impl Into<Input>) -> Slot {
        self.output_below(dest, base, "/")
    }

    /// Mounts only the directory `path` of `base` for writing; the output is all of `base` with the changes below `path`.
    pub fn output_below(
        &mut self,
        dest: impl AsRef<str>,
        base: impl Into<Input>,
        path: impl AsRef<str>,
    ) -> Slot {
        let slot = Slot::unique();
        let mount = Mount::output(dest.as_ref(), base.into(), path.as_ref(), slot);
        self.mounts.push(mount);
        slot
    }

    /// Makes the root filesystem writable; its changed state is an output.
    pub fn write_root(&mut self) -> Slot {
        if let Some(slot) = self.mounts[0].slot() {
            return slot;
        }
        let slot = Slot::unique();
        self.mounts[0].make_output(slot);
        slot
    }

    /// The position among the mounts, as [`Exec::build`] sorts them, of an
    /// output with this path. BuildKit lists what a failed process left in its
    /// mounts in that order.
    #[must_use]
    pub fn output_position(&self, dest: &str) -> Option<usize> {
        let sorted = self.sorted();
        sorted
            .iter()
            .position(|mount| mount.dest() == dest && mount.slot().is_some())
    }

    fn sorted(&self) -> Vec<&Mount> {
        let mut sorted: Vec<&Mount> = self.mounts.iter().collect();
        sorted.sort_by(|a, b| a.dest().cmp(b.dest()));
        sorted
    }

    fn caps(&self) -> Vec<Cap> {
        let mut caps = vec![caps::EXEC_META_BASE, caps::EXEC_META_SETS_DEFAULT_PATH];
        let mut need = |needed: bool, cap: Cap| {
            if needed {
                caps.push(cap);
            }
        };
        need(self.network != NetMode::Sandbox, caps::EXEC_META_NETWORK);
        need(
            self.security != SecurityMode::Sandbox,
            caps::EXEC_META_SECURITY,
        );
        need(self.meta.proxy_env.is_some(), caps::EXEC_META_PROXY_ENV);
        need(!self.meta.ulimit.is_empty(), caps::EXEC_META_ULIMIT);
        need(
            !self.meta.cgroup_parent.is_empty(),
            caps::EXEC_META_CGROUP_PARENT,
        );
        need(
            !self.meta.valid_exit_codes.is_empty(),
            caps::EXEC_VALID_EXIT_CODE,
        );
        need(!self.secret_env.is_empty(), caps::EXEC_SECRET_ENV);
        caps.extend(self.mounts.iter().flat_map(Mount::caps));
        caps
    }

    /// Builds the operation.
    ///
    /// Mounts are sorted by path, so the order of calls does not matter; mounts
    /// of the same path keep theirs.
    #[must_use]
    pub fn build(&self) -> ExecOutputs {
        let mut inputs = Inputs::default();
        let mut slots = Vec::new();
        let mut next: u32 = 0;
        let mut mounts = Vec::with_capacity(self.mounts.len());
        for mount in self.sorted() {
            let mut output = NONE;
            if let Some(slot) = mount.slot() {
                slots.push((slot, next));
                output = i64::from(next);
                next += 1;
            }
            mounts.push(mount.to_pb(&mut inputs, output));
        }

        let mut meta = self.meta.clone();
        meta.env = self
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let op = pb::op::Op::Exec(pb::ExecOp {
            meta: Some(meta),
            mounts,
            network: self.network.to_pb().into(),
            security: self.security.to_pb().into(),
            secretenv: self.secret_env.clone(),
            cdi_devices: Vec::new(),
        });
        let node = Node::new(
            inputs,
            self.platform.as_ref(),
            op,
            self.caps(),
            &self.options,
        );
        ExecOutputs {
            outputs: slots
                .into_iter()
                .map(|(slot, index)| {
                    let node = node.clone();
                    (slot, Output { node, index })
                })
                .collect(),
        }
    }
}

impl OpOptions for Exec {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }
}
