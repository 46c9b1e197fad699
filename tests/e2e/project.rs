//! What a user has: an engine, a folder with a lock, a channel; and the commands that a user types.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use condafront_testkit::channel::{self, Channel, HashStyle, Package};
use condafront_testkit::engine::{self, Engine, Output, Store};
use condafront_testkit::server::Server;

use crate::pushed::Pushed;
/// Makes two tests of each of these functions, which take a [`Store`]: one for each store that every test run has.
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

/// The build file's name in every project.
pub(crate) const LOCK: &str = "env.lock";

/// The built-in installer, which needs no internet.
const NATIVE: [&str; 2] = ["--build-arg", "CONDAFRONT_INSTALLER=native"];

/// A folder to build in, with a channel's server of its own, on one engine.
pub(crate) struct Project {
    /// The engine.
    pub(crate) engine: Engine,
    /// The channel's server; nothing else asks it.
    pub(crate) server: Server,
    dir: tempfile::TempDir,
    tag: String,
}

impl Project {
    /// A project on the engine that all tests share.
    pub(crate) fn new(store: Store) -> Self {
        Self::on(Engine::shared(store))
    }

    /// A project on an engine of its own, which has nothing in it yet.
    pub(crate) fn fresh(store: Store) -> Self {
        Self::on(Engine::start_fresh(store))
    }

    fn on(engine: Engine) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = Server::start();
        server.mount("/conda-forge", Channel::open().directory());
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("e2e-{}-{number}", std::process::id());
        Self {
            // A buildkitd keeps no images: what it builds can only be pushed.
            tag: match engine.store() {
                Store::Buildkitd => format!("{}/{name}", engine::registry()),
                Store::Containerd | Store::Classic => name,
            },
            engine,
            server,
            dir: tempfile::tempdir().expect("a folder for the project"),
        }
    }

    /// The image's name.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// A file's path in the project's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file into the project's folder.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), contents).expect("a file in the project's folder");
        self
    }

    /// Writes the lock of these packages and all they need.
    pub(crate) fn lock(&self, specs: &[&str]) -> &Self {
        self.write(
            LOCK,
            self.lock_text(&Channel::open().closure(specs), HashStyle::Sha256),
        )
    }

    /// A lock of exactly these packages, below a syntax line.
    pub(crate) fn lock_text(&self, packages: &[&Package], hashes: HashStyle) -> String {
        let lock = channel::lock(packages, &self.server.url("/conda-forge"), hashes);
        format!("# syntax={}\n{lock}", frontend())
    }

    /// `docker build` of the lock with the built-in installer, which needs no internet.
    pub(crate) fn build(&self, args: &[&str]) -> Output {
        self.build_as_is(&[&NATIVE, args].concat())
    }

    /// `docker build` of the lock.
    pub(crate) fn build_as_is(&self, args: &[&str]) -> Output {
        self.build_only(&[&["-t", &self.tag], args].concat())
    }

    /// `docker build` of another file than the lock, with the built-in installer.
    pub(crate) fn build_file(&self, file: &str, args: &[&str]) -> Output {
        let usual = ["-t", &self.tag, "-f", file];
        self.build_in(".", &[&usual[..], &NATIVE, args].concat())
    }

    /// `docker build` of a folder, with the built-in installer.
    pub(crate) fn build_folder(&self, folder: &str, args: &[&str]) -> Output {
        self.build_in(folder, &[&["-t", &self.tag][..], &NATIVE, args].concat())
    }

    /// `docker build` of the lock that names no image.
    fn build_only(&self, args: &[&str]) -> Output {
        self.build_in(".", &[&["-f", LOCK], args].concat())
    }

    fn build_in(&self, folder: &str, args: &[&str]) -> Output {
        let base = format!("BASE_IMAGE={}", base());
        let usual = ["build", "--progress", "plain", "--build-arg", &base];
        self.docker_in(self.dir.path(), &[&usual[..], args, &[folder]].concat())
    }

    /// `docker build` of the lock, with the built-in installer, into the tests' registry and nowhere else, as CI does.
    /// The image there has the project's name and this tag, and no attestations.
    pub(crate) fn push(&self, tag: &str, args: &[&str]) -> Pushed {
        self.push_file(LOCK, tag, args)
    }

    /// [`Project::push`] of another file.
    pub(crate) fn push_file(&self, file: &str, tag: &str, args: &[&str]) -> Pushed {
        let reference = format!("{}/{}:{tag}", engine::registry(), self.tag);
        let output = format!("type=image,name={reference},push=true,store=false");
        let usual = ["-f", file, "--output", &output, "--provenance=false"];
        let output = self.build_in(".", &[&usual[..], &NATIVE, args].concat());
        let progress = output.expect_success().stderr;
        Pushed::new(progress, &self.engine, &reference)
    }

    /// `docker run` of the image without network; `args` are options, `command` is what runs.
    pub(crate) fn run(&self, args: &[&str], command: &[&str]) -> Output {
        let all = [
            &["run", "--rm", "--network", "none"],
            args,
            &[&self.tag],
            command,
        ]
        .concat();
        self.docker(&all)
    }

    /// The client with these arguments.
    pub(crate) fn docker(&self, args: &[&str]) -> Output {
        self.docker_in(self.dir.path(), args)
    }

    /// The client with these arguments, and a file of the project's folder as its standard input.
    pub(crate) fn docker_with_input(&self, args: &[&str], file: &str) -> Output {
        let input = File::open(self.path(file)).expect("a file in the project's folder");
        let mut command = self.engine.docker(args);
        self.engine
            .run_with_input(command.current_dir(self.dir.path()), input)
    }

    fn docker_in(&self, dir: &Path, args: &[&str]) -> Output {
        let mut command = self.engine.docker(args);
        self.engine.run(command.current_dir(dir))
    }

    /// The paths that the channel's server was asked for since the last time, sorted.
    pub(crate) fn packages_requested(&self) -> Vec<String> {
        let requests = self.server.requests();
        self.server.clear();
        let mut paths: Vec<_> = requests.into_iter().map(|request| request.path).collect();
        paths.sort();
        paths
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if self.engine.store() != Store::Buildkitd {
            self.engine.discard_image(&self.tag);
        }
    }
}

/// The frontend image in the tests' registry.
pub(crate) fn frontend() -> String {
    format!("{}/condafront:dev", engine::registry())
}

/// The base image in the tests' registry.
pub(crate) fn base() -> String {
    format!("{}/debian:13-slim", engine::registry())
}
