//! The environments to build, and how they change.

mod size;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

pub(crate) use self::size::Size;
use condafront_model::pypi_package::normalized;
use condafront_testkit::channel::{self, Channel, HashStyle, Package, WheelFile};
use condafront_testkit::server::Server;

/// What another project leaves out of [`USUAL`]: with their dependencies, about a tenth of it.
const LEFT_OUT: &[&str] = &["black", "flask", "networkx", "sqlalchemy", "typer"];

/// What the list for pip in [`Size::Pip`] has instead: pip finds about as many that these need.
const LISTED: &[&str] = LEFT_OUT;

/// The PyPI package that [`Change::Wheel`] adds.
const ADDED_WHEEL: &str = "addedwheel";

/// The conda package that [`Change::Added`] adds to an env.yml: it must be in the channel's package list.
const ADDED_DEPENDENCY: &str = "noarch-demo";

/// A program that must run in every image with python.
const PROGRAM: &str = "\
import importlib.util, jupyterlab, matplotlib, numpy, pandas, pathlib
frame = pandas.DataFrame({'a': numpy.arange(4)})
assert int(frame.a.sum()) == 6
assert pathlib.Path(importlib.util.cache_from_source(jupyterlab.__file__)).is_file()
";

/// What must run besides, in images with what the list asks for.
const PROGRAM_OF_LIST: &str = "\
import importlib.util, black, flask, networkx, sqlalchemy, typer
for name in ['addedwheel', 'noarch_demo']:
    print(name, importlib.util.find_spec(name) is not None)
";

/// The path of the index for pip on the server.
const INDEX: &str = "/simple/";

/// The channel's path on the server.
const CHANNEL: &str = "/conda-forge";

/// The size of `middlepkg` in bytes.
const MIDDLE: usize = 1_000_000;

/// The size of a giant in bytes.
const GIANT: usize = 400_000_000;

/// What differs from the environment of the first build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// A comment in the file.
    Comment,
    /// The version of a package of a few kilobytes.
    Small,
    /// The version of a package of a megabyte.
    Middle,
    /// The version of a package of 20 MB.
    Large,
    /// There is one more small package.
    Added,
    /// There is one more small PyPI package in the list for pip.
    Wheel,
    /// Python is the next patch release.
    Python,
    /// The base image.
    Base,
    /// Another project, with nine tenths of the packages.
    Project,
}

/// A package, and its archive if that is not in the channel's folder.
struct Made {
    record: Package,
    archive: Vec<u8>,
}

/// An environment, and the server of its channel.
pub(crate) struct Environment {
    size: Size,
    channel: &'static Channel,
    next_python: Channel,
    /// By name and version.
    made: BTreeMap<(String, String), Made>,
    server: Server,
}

impl Environment {
    /// Makes the channel if it does not exist yet, and serves it.
    pub(crate) fn new(size: Size) -> Self {
        let server = Server::start();
        let channel = Channel::open();
        server.mount(CHANNEL, channel.directory());
        let mut environment = Self {
            size,
            channel,
            next_python: Channel::next_python(),
            made: BTreeMap::new(),
            server,
        };
        for version in ["1.0", "1.1"] {
            environment.make("middlepkg", version, MIDDLE);
        }
        environment.make("addedpkg", "1.0", 100);
        if size == Size::Giants {
            for name in ["giant-a", "giant-b", "giant-c"] {
                environment.make(name, "1.0", GIANT);
            }
        }
        if size.has_list() {
            environment.serve_index();
        }
        let tiny = Channel::tiny(size.count());
        for package in tiny.packages() {
            let archive = std::fs::read(tiny.archive(package)).expect("an archive of the channel");
            environment.add(package.clone(), archive);
        }
        for package in environment.next_python.packages() {
            let archive = environment.next_python.archive(package);
            let archive = std::fs::read(archive).expect("an archive of the channel");
            let path = format!("{CHANNEL}/{}", package.path());
            environment.server.put(&path, archive);
        }
        environment
    }

    /// Serves an index with all real wheels of the tests, and the one that is added.
    fn serve_index(&self) {
        let added = WheelFile::new(ADDED_WHEEL, "1.0").file("addedwheel.py", "added = True\n");
        let real = channel::wheels().into_iter().map(|wheel| {
            let name = wheel.file_name().unwrap_or_default().to_string_lossy();
            let content = std::fs::read(&wheel).expect("a wheel of the tests");
            (name.into_owned(), content)
        });
        for (file, content) in real.chain([(added.file_name(), added.build())]) {
            let name = file.split('-').next().unwrap_or_default();
            let name = normalized(name);
            let page = format!("<!DOCTYPE html><a href=\"../../wheels/{file}\">{file}</a>\n");
            self.server.put(&format!("{INDEX}{name}/"), page);
            self.server.put(&format!("/wheels/{file}"), content);
        }
    }

    fn make(&mut self, name: &str, version: &str, bytes: usize) {
        let (record, archive) = channel::package_of_size(name, version, bytes);
        self.add(record, archive);
    }

    fn add(&mut self, record: Package, archive: Vec<u8>) {
        let path = format!("{CHANNEL}/{}", record.path());
        self.server.put(&path, archive.clone());
        let key = (record.name.clone(), record.version.clone());
        self.made.insert(key, Made { record, archive });
    }

    /// Its size.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// The server's `host:port`.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// Forgets what has been downloaded.
    pub(crate) fn clear(&self) {
        self.server.clear();
    }

    /// How many bytes have been downloaded since the last [`Environment::clear`].
    pub(crate) fn downloaded(&self) -> u64 {
        self.server.requests().iter().map(|it| it.bytes).sum()
    }

    /// The versions of the packages that change.
    fn versions(change: Change) -> [(&'static str, &'static str); 3] {
        let of = |it| if change == it { "1.1" } else { "1.0" };
        [
            ("bumpme", of(Change::Small)),
            ("middlepkg", of(Change::Middle)),
            ("bigpkg", of(Change::Large)),
        ]
    }

    /// The packages with a change.
    pub(crate) fn packages(&self, change: Change) -> Vec<&Package> {
        let versions = Self::versions(change);
        let [small, _, large] = versions.map(|(name, version)| format!("{name}={version}"));
        let mut specs: Vec<&str> = self.size.specs().to_vec();
        if change == Change::Project || self.size.has_list() {
            specs.retain(|spec| !LEFT_OUT.contains(spec));
        }
        specs.extend([small.as_str(), large.as_str()]);
        if self.size.has_list() {
            specs.extend((change == Change::Added).then_some(ADDED_DEPENDENCY));
            return self.channel.closure(&specs);
        }
        let mut packages: Vec<&Package> = self.channel.closure(&specs);
        if change == Change::Python
            && let Some(next) = self.next_python.packages().first()
            && let Some(python) = packages.iter_mut().find(|it| it.name == next.name)
        {
            *python = next;
        }
        let middle = versions[1].1;
        let mut count = self.size.count().saturating_sub(packages.len() + 1);
        let wanted = self.made.values().filter(|made| {
            let name = made.record.name.as_str();
            match name {
                "middlepkg" => made.record.version == middle,
                "addedpkg" => matches!(change, Change::Added | Change::Project),
                _ if name.starts_with("tiny-") => {
                    let fits = count > 0;
                    count = count.saturating_sub(1);
                    fits
                }
                _ => true,
            }
        });
        packages.extend(wanted.map(|made| &made.record));
        packages
    }

    /// The explicit lock with a change; `address` is where the server is reached.
    pub(crate) fn lock(&self, change: Change, address: &str) -> String {
        let channel = format!("http://{address}{CHANNEL}");
        let mut lock = channel::lock(&self.packages(change), &channel, HashStyle::Sha256);
        if change == Change::Comment {
            // Writing to a string cannot fail.
            let _ = writeln!(lock, "# Nothing has changed.");
        }
        lock
    }

    /// The env.yml with a change; `address` is where the server is reached.
    pub(crate) fn env_yml(&self, change: Change, address: &str) -> String {
        let versions = Self::versions(change);
        let fixed = [versions[0], versions[2]].map(|(name, version)| format!("{name}={version}"));
        let conda = self.size.specs().iter();
        let conda = conda.filter(|spec| !LEFT_OUT.contains(spec));
        let added = (change == Change::Added).then_some(ADDED_DEPENDENCY);
        let conda = conda.copied().chain(fixed.iter().map(String::as_str));
        let mut text = format!("channels: [\"http://{address}{CHANNEL}\"]\ndependencies:\n");
        for name in conda.chain(added) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  - {name}");
        }
        text.push_str("  - pip:\n");
        for name in Self::listed(change) {
            let _ = writeln!(text, "      - {name}");
        }
        text
    }

    /// The requirements of the list for pip.
    pub(crate) fn listed(change: Change) -> impl Iterator<Item = &'static str> {
        let added = (change == Change::Wheel).then_some(ADDED_WHEEL);
        LISTED.iter().copied().chain(added)
    }

    /// The address of the index for pip; `address` is where the server is reached.
    pub(crate) fn index(address: &str) -> String {
        format!("http://{address}{INDEX}")
    }

    /// A package's archive.
    pub(crate) fn archive(&self, package: &Package) -> Archive<'_> {
        let key = (package.name.clone(), package.version.clone());
        if let Some(made) = self.made.get(&key) {
            return Archive::Bytes(&made.archive);
        }
        let next = self.next_python.packages();
        let channel = if next.contains(package) {
            &self.next_python
        } else {
            self.channel
        };
        Archive::File(channel.archive(package))
    }

    /// A command that checks an image with a change, and what it prints.
    pub(crate) fn check(&self, change: Change) -> (Vec<&'static str>, String) {
        let expected = Self::versions(change).map(|(_, version)| format!("{version}\n"));
        if self.size.has_list() {
            let say = |is: bool| if is { "True" } else { "False" };
            let [small, _, large] = expected;
            let wheel = say(change == Change::Wheel);
            let dependency = say(change == Change::Added);
            let expected =
                format!("{ADDED_WHEEL} {wheel}\nnoarch_demo {dependency}\n{small}{large}");
            let script = "python -c \"$1\" && python -c \"$2\" && pip check >&2 && cd /opt/conda/share && cat bumpme/version.txt bigpkg/version.txt";
            return (
                vec!["sh", "-c", script, "sh", PROGRAM, PROGRAM_OF_LIST],
                expected,
            );
        }
        let show = "cd /opt/conda/share && cat bumpme/version.txt middlepkg/version.txt bigpkg/version.txt";
        let command = if self.size.has_python() {
            vec![
                "sh",
                "-c",
                "python -c \"$1\" && eval \"$2\"",
                "sh",
                PROGRAM,
                show,
            ]
        } else {
            vec!["sh", "-c", show]
        };
        (command, expected.concat())
    }
}

/// Where an archive is.
pub(crate) enum Archive<'a> {
    Bytes(&'a [u8]),
    File(PathBuf),
}
