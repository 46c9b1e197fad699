//! Conda channels with real contents, made on this machine and kept in [`crate::cache`].
//!
//! - [`Channel::open`]: a CPython that runs, its shared libraries, about 130 PyPI packages, stand-ins for a few
//!   packages that are not available here, and everything in the small channel. Needs Debian's archive and PyPI the
//!   first time.
//! - [`Channel::bioconda`]: a few tools, to use alongside the above.
//! - [`Channel::small`]: packages made from scratch, one for each thing a package can do.
//! - [`Channel::hostile`]: archives that an installer must refuse.
//! - [`Channel::tiny`]: any number of packages with one small file each.
//! - [`package`]: a package that a test makes for itself.

mod archive;
mod bioconda;
mod cpython;
mod custom;
mod debian;
mod hostile;
mod metadata;
mod pypi;
mod python2;
mod python36;
mod recipe;
mod select;
mod small;
mod stand_ins;
mod stdlib_bytecode;
mod store;
mod tools;
mod wheel;
mod wheel_file;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub use custom::{package, package_named, package_of_size, package_with_links};
pub use select::{HashStyle, lock};
pub(crate) use tools::pip;
pub use wheel_file::WheelFile;

/// A package in a channel: its `repodata.json` record and the location of its archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Build string.
    pub build: String,
    /// Build number.
    pub build_number: u64,
    /// Subdir of the channel: `linux-64`, `noarch`, …
    pub subdir: String,
    /// Archive file name, ending in `.conda` or `.tar.bz2`.
    pub file_name: String,
    /// `generic` or `python`, for noarch packages.
    pub noarch: Option<String>,
    /// MatchSpecs of its dependencies.
    pub depends: Vec<String>,
    /// MatchSpecs that must hold if the named package is installed.
    pub constrains: Vec<String>,
    /// Licence.
    pub license: String,
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// Bytes of the archive.
    pub size: u64,
    /// SHA-256 of the archive, in hex.
    pub sha256: String,
    /// MD5 of the archive, in hex.
    pub md5: String,
}

impl Package {
    /// The archive's path below the channel: `<subdir>/<file name>`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.subdir, self.file_name)
    }
}

/// A channel on disk.
#[derive(Debug)]
pub struct Channel {
    directory: PathBuf,
    packages: Vec<Package>,
}

impl Channel {
    /// The whole channel. Making it takes about a minute; it is kept, so opening it again is instant.
    ///
    /// # Panics
    /// If it cannot be made: it needs `apt-get`, `dpkg-deb`, `python3 -m pip`, a C compiler, and
    /// access to Debian's archive and PyPI.
    pub fn open() -> &'static Self {
        static CHANNEL: OnceLock<Channel> = OnceLock::new();
        CHANNEL.get_or_init(|| {
            store::open("full", &|| {
                let mut jobs = cpython::jobs();
                jobs.extend(wheel::jobs(&pypi::wheels()));
                jobs.extend(small::jobs());
                jobs.extend(stand_ins::jobs());
                jobs
            })
        })
    }

    /// A channel whose packages need those of [`Channel::open`], as bioconda's need conda-forge's.
    ///
    /// # Panics
    /// If it cannot be made (it needs Debian's archive).
    pub fn bioconda() -> &'static Self {
        static CHANNEL: OnceLock<Channel> = OnceLock::new();
        CHANNEL.get_or_init(|| {
            store::open("bioconda", &|| {
                bioconda::jobs(&debian::Debian::open(debian::Architecture::Amd64))
            })
        })
    }

    /// A channel with the next patch release of the python of [`Channel::open`], made of the same files.
    ///
    /// # Panics
    /// If it cannot be made (it needs Debian's archive).
    pub fn next_python() -> Self {
        store::open("next-python", &|| vec![cpython::next_python()])
    }

    /// A channel with a CPython 2.7, and the last pip, setuptools and wheel for it.
    ///
    /// # Panics
    /// If it cannot be made (it needs Debian's archive, with Debian 11, and PyPI).
    pub fn python2() -> Self {
        store::open("python2", &|| python2::jobs())
    }

    /// A channel with a CPython 3.6, and the last pip, setuptools and wheel for it.
    ///
    /// # Panics
    /// If it cannot be made (it needs the interpreter that `PYTHON36` names, and PyPI).
    pub fn python36() -> Self {
        store::open("python36", &|| python36::jobs())
    }

    /// The small channel: made in seconds, without network.
    ///
    /// # Panics
    /// If it cannot be made (it needs a C compiler, `cc`).
    pub fn small() -> &'static Self {
        static CHANNEL: OnceLock<Channel> = OnceLock::new();
        CHANNEL.get_or_init(|| store::open("small", &|| small::jobs()))
    }

    /// Broken or hostile archives: one package name for each kind.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn hostile() -> &'static Self {
        static CHANNEL: OnceLock<Channel> = OnceLock::new();
        CHANNEL.get_or_init(|| store::open("hostile", &|| hostile::jobs()))
    }

    /// A channel of `count` packages `tiny-0000`, … with one small file each.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn tiny(count: usize) -> Self {
        store::open(&format!("tiny-{count}"), &|| small::tiny_jobs(count))
    }

    /// The folder that holds the subdirs, for a server to mount.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Every package, sorted by subdir and file name.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The path of a package's archive on disk.
    pub fn archive(&self, package: &Package) -> PathBuf {
        self.directory.join(package.path())
    }
}

/// The wheels that the channel's packages are made from, sorted by name.
///
/// # Panics
/// If they are not on this machine and PyPI cannot be reached.
pub fn wheels() -> Vec<PathBuf> {
    pypi::wheels()
}

/// Further real wheels for the same python, of kinds that those do not have.
///
/// # Panics
/// If they are not on this machine and PyPI cannot be reached.
pub fn further_wheels() -> Vec<PathBuf> {
    pypi::further_wheels()
}

/// The last pip for python 2.7, as PyPI has it.
///
/// # Panics
/// If it is not on this machine and PyPI cannot be reached.
pub fn pip_of_python2() -> PathBuf {
    pip_among(python2::wheels())
}

/// The last pip for python 3.6, as PyPI has it.
///
/// # Panics
/// If it is not on this machine and PyPI cannot be reached.
pub fn pip_of_python36() -> PathBuf {
    pip_among(python36::wheels())
}

fn pip_among(wheels: Vec<PathBuf>) -> PathBuf {
    let mut wheels = wheels.into_iter();
    let is_pip = |wheel: &PathBuf| {
        wheel
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("pip-"))
    };
    wheels.find(is_pip).expect("the list has a pip")
}

/// Runs `program`, an ELF file from the channel, with Debian 13's libc, which the channel's python needs and
/// this machine may not have.
///
/// # Panics
/// If Debian's packages cannot be fetched.
pub fn command(program: &Path) -> Command {
    debian::Debian::open(debian::Architecture::Amd64).command(program)
}
