//! The environments to build: one, and the same with one package changed.

use std::path::PathBuf;

use condafront_testkit::channel::{self, Channel, HashStyle, Package};
use condafront_testkit::server::Server;

/// Packages that a user might ask for; with their dependencies, nearly the whole channel.
const SPECS: &[&str] = &[
    "python",
    "black",
    "flask",
    "jupyterlab",
    "lxml",
    "matplotlib",
    "networkx",
    "pandas",
    "pip",
    "pydantic",
    "pytest",
    "sqlalchemy",
    "tqdm",
    "typer",
];

/// A program that must run in both images.
pub(crate) const PROGRAM: &str = "\
import importlib.util, jupyterlab, matplotlib, numpy, pandas, pathlib, sqlalchemy, sys
frame = pandas.DataFrame({'a': numpy.arange(4)})
assert int(frame.a.sum()) == 6
assert pathlib.Path(importlib.util.cache_from_source(jupyterlab.__file__)).is_file()
for name in ('bumpme', 'bigpkg'):
    print(name, pathlib.Path(sys.prefix, 'share', name, 'version.txt').read_text(), end=' ')
";

/// One state of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The first state.
    Before,
    /// A small package has a new version.
    SmallChanged,
    /// A large package also has a new version.
    LargeChanged,
}

impl State {
    fn versions(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Before => [("bumpme", "1.0"), ("bigpkg", "1.0")],
            Self::SmallChanged => [("bumpme", "1.1"), ("bigpkg", "1.0")],
            Self::LargeChanged => [("bumpme", "1.1"), ("bigpkg", "1.1")],
        }
    }

    /// The output of [`PROGRAM`].
    pub(crate) fn expected(self) -> String {
        self.versions()
            .map(|(name, version)| format!("{name} {version}\n "))
            .concat()
    }
}

/// The channel of the environment, and its server.
pub(crate) struct Workload {
    channel: &'static Channel,
    server: Server,
}

impl Workload {
    /// Makes the channel if it does not exist yet, and serves it.
    pub(crate) fn new() -> Self {
        let channel = Channel::open();
        let server = Server::start();
        server.mount("/conda-forge", channel.directory());
        Self { channel, server }
    }

    /// The packages of a state.
    pub(crate) fn packages(&self, state: State) -> Vec<&'static Package> {
        let changing = state
            .versions()
            .map(|(name, version)| format!("{name}={version}"));
        let mut specs = SPECS.to_vec();
        specs.extend(changing.iter().map(String::as_str));
        self.channel.closure(&specs)
    }

    /// The explicit lock of a state.
    pub(crate) fn lock(&self, state: State) -> String {
        let packages = self.packages(state);
        channel::lock(
            &packages,
            &self.server.url("/conda-forge"),
            HashStyle::Sha256,
        )
    }

    /// A package's archive on disk.
    pub(crate) fn archive(&self, package: &Package) -> PathBuf {
        self.channel.archive(package)
    }
}
