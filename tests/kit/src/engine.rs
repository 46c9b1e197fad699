//! The container engines and the registry that `scripts/engine` starts.
//!
//! `make test` starts one engine of each [`Store`] and a registry for all tests
//! ([`Engine::shared`], [`registry`]); a test that needs an engine without any cache starts its own
//! ([`Engine::start_fresh`]).

mod faults;
mod process;

use std::collections::HashMap;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use process::{Output, TIME_LIMIT, run, run_with_input, run_within};

/// How many lines of an engine's log a failing test prints.
const LOG_LINES: usize = 40;

/// The kinds of engine that condafront is tested with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Store {
    /// dockerd with the containerd image store: supports MergeOp, attestations and cache export.
    Containerd,
    /// dockerd with its classic image store: no MergeOp, attestations or cache export.
    Classic,
    /// The buildkitd that the environment variable `BUILDKITD` names.
    Buildkitd,
}

impl Store {
    /// The store's name in `scripts/engine`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Classic => "classic",
            Self::Buildkitd => "buildkitd",
        }
    }

    fn variable(self) -> String {
        format!("CONDAFRONT_TEST_ENGINE_{}", self.name().to_uppercase())
    }
}

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How the machine of an engine differs from this one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine<'a> {
    /// Environment variables of the engine.
    pub variables: &'a [(&'a str, &'a str)],
    /// Whether everything has to share one core.
    pub has_one_core: bool,
    /// Whether the engine is a dockerd without root, for the tests `needs_rootless_…`. It does not reach this machine's loopback.
    pub is_rootless: bool,
}

/// A running engine. One started by [`Engine::start_fresh`] stops when this is dropped.
#[derive(Debug)]
pub struct Engine {
    store: Store,
    host: String,
    /// What clients of a fresh engine need besides `DOCKER_HOST`. For a shared engine it is in the environment.
    client: Option<Client>,
    /// The name of the buildx remote builder for a buildkitd.
    builder: Option<String>,
}

#[derive(Debug)]
struct Client {
    engine_dir: PathBuf,
    /// The folder of the sockets of dockerd and its containerd.
    sockets: PathBuf,
    docker_config: PathBuf,
    path: String,
}

impl Client {
    /// Prints the end of the engine's log, which is about to be deleted.
    fn print_log(&self) {
        let log = self.engine_dir.join("log");
        match std::fs::read_to_string(&log) {
            Ok(text) => {
                let lines: Vec<&str> = text.lines().collect();
                let end = &lines[lines.len().saturating_sub(LOG_LINES)..];
                eprintln!("--- end of {}\n{}", log.display(), end.join("\n"));
            }
            Err(error) => eprintln!("--- {} cannot be read: {error}", log.display()),
        }
    }
}

impl Engine {
    /// The engine of this kind that `make test` has started for all tests.
    ///
    /// # Panics
    /// If there is none.
    pub fn shared(store: Store) -> Self {
        let host = variable(&store.variable());
        Self::new(store, host, None)
    }

    /// Starts an engine that holds only the base image `debian:13-slim` (a buildkitd holds nothing).
    ///
    /// # Panics
    /// If it does not start; the message includes the end of its log.
    pub fn start_fresh(store: Store) -> Self {
        Self::start_fresh_on(store, Machine::default())
    }

    /// The same on a machine that differs from this one.
    ///
    /// # Panics
    /// If it does not start; the message includes the end of its log.
    pub fn start_fresh_on(store: Store, machine: Machine<'_>) -> Self {
        Self::start(store, &[], machine)
    }

    /// The same for a dockerd that keeps its images and its cache in a file system in memory, whose size
    /// [`Engine::leave_space`] changes.
    ///
    /// # Panics
    /// If it does not start; the message includes the end of its log.
    pub fn start_in_memory(store: Store) -> Self {
        Self::start(store, &["--memory"], Machine::default())
    }

    fn start(store: Store, options: &[&str], machine: Machine<'_>) -> Self {
        let owner = std::process::id().to_string();
        let mut command = if machine.has_one_core {
            // Everything that it starts may use this core alone.
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", &first_core()]).arg(script());
            command
        } else {
            Command::new(script())
        };
        command.envs(machine.variables.iter().copied());
        command.args(["start", "--store", store.name(), "--owner", &owner]);
        command.args(options);
        if machine.is_rootless {
            command.arg("--rootless");
        }
        let output = run(&mut command).expect_success();
        let values: HashMap<&str, &str> = output
            .stdout
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        let value = |key: &str| {
            (*values
                .get(key)
                .unwrap_or_else(|| panic!("scripts/engine start did not print {key}")))
            .to_owned()
        };
        let socket = values.get("DOCKER_SOCKET").copied().unwrap_or_default();
        let socket = Path::new(socket.trim_start_matches("unix://"));
        let client = Client {
            engine_dir: value("ENGINE_DIR").into(),
            sockets: socket.parent().unwrap_or(socket).to_owned(),
            docker_config: value("DOCKER_CONFIG").into(),
            path: value("ENGINE_PATH"),
        };
        Self::new(store, value("DOCKER_HOST"), Some(client))
    }

    fn new(store: Store, host: String, client: Option<Client>) -> Self {
        let mut engine = Self {
            store,
            host,
            client,
            builder: None,
        };
        if store == Store::Buildkitd {
            engine.builder = Some(engine.make_builder());
        }
        engine
    }

    /// Registers the buildkitd with buildx, under a name made from its port.
    fn make_builder(&self) -> String {
        let port = self.host.rsplit(':').next().unwrap_or_default();
        let name = format!("condafront-{port}");
        let is_known = || {
            let known = run(&mut self.docker(["buildx", "inspect", &name]));
            known.status.success()
        };
        if !is_known() {
            let created = run(&mut self.docker([
                "buildx", "create", "--name", &name, "--driver", "remote", &self.host,
            ]));
            // The process of another test may have done it in the meantime.
            if !is_known() {
                created.expect_success();
            }
        }
        name
    }

    /// The kind of this engine.
    pub fn store(&self) -> Store {
        self.store
    }

    /// The engine's address, as `DOCKER_HOST` takes it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What `docker` does with these arguments, set up to talk to this engine. For a buildkitd, only `build` and `buildx`
    /// work. These two are run by [`Engine::buildx`], and attest nothing without being asked: [`Engine::client`] does what
    /// users' does.
    pub fn docker<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut arguments = arguments.into_iter().peekable();
        let first = arguments.peek().map(|first| first.as_ref().to_owned());
        let mut command = match first.as_deref().and_then(OsStr::to_str) {
            Some("build") => self.buildx(),
            Some("buildx") => {
                arguments.next();
                self.buildx()
            }
            _ => self.command(&self.client_program()),
        };
        command.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1");
        // They end before it is worth it to collect garbage.
        command.env("GOGC", "800");
        command.args(arguments);
        command
    }

    /// buildx itself, which attests what it does for users: docker, which starts it twice, takes a third of a second longer.
    pub fn buildx(&self) -> Command {
        if let Some(plugin) = self.plugin() {
            return self.command(&plugin);
        }
        self.client(["buildx"])
    }

    /// The docker client with these arguments, as a user runs it.
    pub fn client<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = self.command(&self.client_program());
        command.args(arguments);
        command
    }

    /// Another program that uses docker, set up to talk to this engine.
    pub fn tool(&self, program: &Path) -> Command {
        self.command(program)
    }

    fn client_program(&self) -> PathBuf {
        match &self.client {
            // `Command` looks programs up in this process's PATH, not in the one that it sets.
            Some(client) => {
                let programs = client.path.split(':').next().unwrap_or_default();
                Path::new(programs).join("docker")
            }
            None => "docker".into(),
        }
    }

    /// The client's plugin, if it is in the client's own folder.
    fn plugin(&self) -> Option<PathBuf> {
        let config = match &self.client {
            Some(client) => client.docker_config.clone(),
            None => env::var_os("DOCKER_CONFIG")?.into(),
        };
        let plugin = config.join("cli-plugins/docker-buildx");
        plugin.exists().then_some(plugin)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(client) = &self.client {
            let path = env::var("PATH").unwrap_or_default();
            command.env("DOCKER_CONFIG", &client.docker_config);
            command.env("PATH", format!("{}:{path}", client.path));
        }
        command.env("DOCKER_HOST", &self.host);
        for unwanted in ["DOCKER_CONTEXT", "BUILDX_BUILDER", "DOCKER_BUILDKIT"] {
            command.env_remove(unwanted);
        }
        if let Some(builder) = &self.builder {
            command.env("BUILDX_BUILDER", builder);
        }
        command.env("DOCKER_CLI_HINTS", "false");
        command
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(builder) = self.builder.as_ref().filter(|_| self.client.is_some()) {
            // A failure only leaves an entry in the test's own client configuration.
            drop(self.docker(["buildx", "rm", builder]).output());
        }
        if let Some(client) = &self.client {
            if std::thread::panicking() {
                client.print_log();
            }
            let stopped = Command::new(script())
                .arg("stop")
                .arg(&client.engine_dir)
                .output();
            assert!(
                !(!stopped.is_ok_and(|output| output.status.success())
                    && !std::thread::panicking()),
                "the engine in {} did not stop",
                client.engine_dir.display()
            );
        }
    }
}

/// `host:port` of the registry that `make test` started, on the loopback interface.
///
/// # Panics
/// If there is none.
pub fn registry() -> String {
    variable("CONDAFRONT_TEST_REGISTRY")
}

/// The log of that registry: one line per request that it answered.
///
/// # Panics
/// If there is none.
pub fn registry_log() -> PathBuf {
    variable("CONDAFRONT_TEST_REGISTRY_LOG").into()
}

/// The value of an environment variable that `make test` sets.
///
/// # Panics
/// If it is not set.
pub fn variable(name: &str) -> String {
    env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| panic!("{name} is not set: run `make test`, which starts the engines"))
}

/// The number of the first core that this process may use.
fn first_core() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("this process's status");
    let cores = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = cores.and_then(|cores| cores.trim().split([',', '-']).next());
    first.expect("a core").to_owned()
}

/// The program that starts engines and fetches packages.
pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/engine")
}
