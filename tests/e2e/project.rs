//! What a user has (an engine, a folder with a lock, a channel) and the commands that a user types.

use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use condafront_testkit::channel::{self, Channel, HashStyle, Package};
use condafront_testkit::engine::{self, Engine, Machine, Output, Store};
use condafront_testkit::run;
use condafront_testkit::server::Server;

use crate::pushed::Pushed;

/// Turns each of these functions, which take a [`Store`], into two tests: one for each store that every test run has.
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod containerd {
            $(
                #[test]
                fn $name() {
                    super::$name(condafront_testkit::engine::Store::Containerd);
                }
            )+
        }
        mod classic {
            $(
                #[test]
                fn $name() {
                    super::$name(condafront_testkit::engine::Store::Classic);
                }
            )+
        }
    };
}
pub(crate) use on_both_stores;

/// The name of the build file in every project.
pub(crate) const LOCK: &str = "env.lock";

/// The built-in installer, which needs no internet.
pub(crate) const NATIVE: [&str; 2] = ["--build-arg", "CONDAFRONT_INSTALLER=native"];

/// A folder to build in, with its own server, on one engine.
pub(crate) struct Project {
    /// The engine.
    pub(crate) engine: Engine,
    /// A server that only this project uses.
    pub(crate) server: Server,
    channel: String,
    dir: tempfile::TempDir,
    name: String,
    tag: Cell<&'static str>,
    builds: Cell<u32>,
    /// Whether everything goes through the docker client, as with users.
    through_docker: bool,
}

impl Project {
    /// A project on the engine and with the channel that all tests share: packages that one test has installed are in
    /// the engine's cache for the next.
    pub(crate) fn new(store: Store) -> Self {
        Self::on(Engine::shared(store))
    }

    /// A project whose channel is on its own server, so that a test can see what is requested. No other test has
    /// installed a package from there, but the engine may have it.
    pub(crate) fn with_own_channel(store: Store) -> Self {
        Self::new(store).with_channel_on_its_server()
    }

    /// A project with its own channel and its own engine, which is still empty. Only for tests that need an empty
    /// engine, since starting and filling one takes long.
    pub(crate) fn fresh(store: Store) -> Self {
        Self::on(Engine::start_fresh(store)).with_channel_on_its_server()
    }

    /// The same on a machine in another time zone, with one core.
    pub(crate) fn elsewhere(store: Store) -> Self {
        let machine = Machine {
            variables: &[("TZ", "Pacific/Kiritimati")],
            has_one_core: true,
            ..Machine::default()
        };
        Self::on(Engine::start_fresh_on(store, machine)).with_channel_on_its_server()
    }

    /// The same on an engine in memory, whose space a test limits.
    pub(crate) fn in_memory(store: Store) -> Self {
        Self::on(Engine::start_in_memory(store)).with_channel_on_its_server()
    }

    /// A project with an image that the tests of a run share under this name. The first of them builds it with `build`.
    pub(crate) fn with_shared_image(store: Store, name: &str, build: impl FnOnce(&Self)) -> Self {
        let project = Self::new(store);
        let image = run::once(&format!("image-{name}-{store}"), || {
            build(&project);
            project.tag().to_owned()
        });
        project.tag.set(image.leak());
        project
    }

    fn with_channel_on_its_server(self) -> Self {
        let channel = self.server.url("/conda-forge");
        self.with_channel(channel)
    }

    /// The same project with the channel at this URL.
    pub(crate) fn with_channel(self, channel: String) -> Self {
        Self { channel, ..self }
    }

    /// A project on this engine.
    pub(crate) fn on(engine: Engine) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = Server::start();
        server.mount("/conda-forge", Channel::open().directory());
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            name: format!("e2e-{}-{number}", std::process::id()),
            tag: Cell::new("nothing-is-built-yet"),
            builds: Cell::new(0),
            through_docker: false,
            engine,
            server,
            channel: shared_channel(),
            dir: tempfile::tempdir().expect("a folder for the project"),
        }
    }

    /// A name that no other project has, for images besides its own.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL of its channel.
    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    /// The URL of a package in its channel.
    pub(crate) fn package_url(&self, package: &Package) -> String {
        format!("{}/{}", self.channel, package.path())
    }

    /// The name of the last image built.
    pub(crate) fn tag(&self) -> &str {
        self.tag.get()
    }

    /// `docker build` of an image, in the project's folder, under a new name. If a name moved to another image, the
    /// engine might remove layers of the old one that other builds are about to use (moby/buildkit issue 6521).
    pub(crate) fn build_image(&self, args: &[&str]) -> Output {
        self.build_image_from(args, None)
    }

    /// [`Project::build_image`] with a file from the project's folder as the client's standard input.
    pub(crate) fn build_image_from(&self, args: &[&str], input: Option<&str>) -> Output {
        let number = self.builds.replace(self.builds.get() + 1);
        let tag = match self.engine.store() {
            // A buildkitd keeps no images: what it builds can only be pushed.
            Store::Buildkitd => format!("{}/{}:{number}", engine::registry(), self.name),
            Store::Containerd | Store::Classic => format!("{}:{number}", self.name),
        };
        let usual = ["build", "--progress", "plain", "-t", &tag];
        let kept: &[&str] = if self.through_docker || goes_elsewhere(args) {
            &[]
        } else {
            kept_by(self.engine.store())
        };
        let args = [&usual[..], kept, args].concat();
        let output = match input {
            Some(file) => self.docker_with_input(&args, file),
            None => self.docker(&args),
        };
        if output.status.success() {
            self.tag.set(tag.leak());
        }
        output
    }

    /// The path of a file in the project's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file into the project's folder.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), contents).expect("a file in the project's folder");
        self
    }

    /// Writes a lock of these packages and their dependencies.
    pub(crate) fn lock(&self, specs: &[&str]) -> &Self {
        self.write(
            LOCK,
            self.lock_text(&Channel::open().closure(specs), HashStyle::Sha256),
        )
    }

    /// A lock of exactly these packages, below a syntax line.
    pub(crate) fn lock_text(&self, packages: &[&Package], hashes: HashStyle) -> String {
        let lock = channel::lock(packages, &self.channel, hashes);
        format!("# syntax={}\n{lock}", frontend())
    }

    /// `docker build` of the lock with the built-in installer, which needs no internet.
    pub(crate) fn build(&self, args: &[&str]) -> Output {
        self.build_as_is(&[&NATIVE, args].concat())
    }

    /// `docker build` of the lock.
    pub(crate) fn build_as_is(&self, args: &[&str]) -> Output {
        self.build_on_base(LOCK, ".", args)
    }

    /// `docker build` of a file other than the lock, with the built-in installer.
    pub(crate) fn build_file(&self, file: &str, args: &[&str]) -> Output {
        self.build_on_base(file, ".", &[&NATIVE, args].concat())
    }

    /// `docker build` of a folder, with the built-in installer.
    pub(crate) fn build_folder(&self, folder: &str, args: &[&str]) -> Output {
        let base = format!("BASE_IMAGE={}", base());
        let usual = ["--build-arg", &base];
        self.build_image(&[&usual[..], &NATIVE, args, &[folder]].concat())
    }

    fn build_on_base(&self, file: &str, folder: &str, args: &[&str]) -> Output {
        let base = format!("BASE_IMAGE={}", base());
        let usual = ["-f", file, "--build-arg", &base];
        self.build_image(&[&usual[..], args, &[folder]].concat())
    }

    /// `docker build` of the lock, with the built-in installer, that only pushes to the tests' registry, as in CI.
    /// The image there has no attestations, and shares a repository with others: layers that are there are not sent again.
    pub(crate) fn push(&self, tag: &str, args: &[&str]) -> Pushed {
        self.push_file(LOCK, tag, args)
    }

    /// [`Project::push`] for another file.
    pub(crate) fn push_file(&self, file: &str, tag: &str, args: &[&str]) -> Pushed {
        let reference = format!("{}/pushed:{}-{tag}", engine::registry(), self.name);
        let output = format!("type=image,name={reference},push=true,store=false,{GZIP}");
        let base = format!("BASE_IMAGE={}", base());
        let usual = ["build", "--progress", "plain", "--build-arg", &base];
        let to = ["-f", file, "--output", &output, "--provenance=false"];
        let output = self.docker(&[&usual[..], &to, &NATIVE, args, &["."]].concat());
        let progress = output.expect_success().stderr;
        Pushed::new(progress, &reference)
    }

    /// `docker run` of the image without network; `args` are options, `command` is the command to run.
    pub(crate) fn run(&self, args: &[&str], command: &[&str]) -> Output {
        let all = [
            &["run", "--rm", "--network", "none"],
            args,
            &[self.tag()],
            command,
        ]
        .concat();
        self.docker(&all)
    }

    /// The same project, whose builds use all of the docker client.
    pub(crate) fn through_docker(self) -> Self {
        Self {
            through_docker: true,
            ..self
        }
    }

    /// Runs the client with these arguments.
    pub(crate) fn docker(&self, args: &[&str]) -> Output {
        self.docker_in(self.dir.path(), args)
    }

    /// Runs the client with these arguments and a file from the project's folder as its standard input.
    pub(crate) fn docker_with_input(&self, args: &[&str], file: &str) -> Output {
        let input = File::open(self.path(file)).expect("a file in the project's folder");
        let mut command = self.engine.docker(args);
        engine::run_with_input(command.current_dir(self.dir.path()), input)
    }

    fn docker_in(&self, dir: &Path, args: &[&str]) -> Output {
        let mut command = if self.through_docker {
            self.engine.client(args)
        } else {
            self.engine.docker(args)
        };
        engine::run(command.current_dir(dir))
    }

    /// The paths requested from the project's server since the last call, sorted.
    pub(crate) fn packages_requested(&self) -> Vec<String> {
        let requests = self.server.requests();
        self.server.clear();
        let mut paths: Vec<_> = requests.into_iter().map(|request| request.path).collect();
        paths.sort();
        paths
    }
}

/// Options with which an engine that compresses layers keeps them as they are. Nothing is sent anywhere, and to run such an
/// image, nothing has to be unpacked from gzip.
pub(crate) fn kept_by(store: Store) -> &'static [&'static str] {
    match store {
        Store::Containerd => &["--output", "type=image,compression=uncompressed"],
        Store::Classic | Store::Buildkitd => &[],
    }
}

/// Whether options of `docker build` say what becomes of the result.
fn goes_elsewhere(args: &[&str]) -> bool {
    let is_output = |arg: &&str| {
        ["-o", "--output", "--push", "--load"].contains(arg) || arg.starts_with("--call")
    };
    args.iter().any(is_output)
}

/// Attributes of what is sent to a registry, also where the engine keeps its layers as they are: the usual compression, also
/// of an export that was interrupted.
pub(crate) const GZIP: &str = "compression=gzip,force-compression=true";

/// An attribute of what only the test reads: layers that have no compressed form yet get none.
pub(crate) const UNCOMPRESSED: &str = "compression=uncompressed";

/// The frontend image in the tests' registry.
pub(crate) fn frontend() -> String {
    format!("{}/condafront:dev", engine::registry())
}

/// The base image in the tests' registry.
pub(crate) fn base() -> String {
    format!("{}/debian:13-slim", engine::registry())
}

/// The URL of the channel that `make test` serves to all tests.
pub(crate) fn shared_channel() -> String {
    engine::variable("CONDAFRONT_TEST_CHANNEL")
}
