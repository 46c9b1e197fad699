//! Unpacked packages of Debian: the source of the channel's CPython and shared libraries.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::recipe::Node;
use crate::cache::made_once;
use crate::engine::run;

/// Debian 13.
const SUITE: &str = "trixie";

const PACKAGES: [&str; 21] = [
    "libbz2-1.0",
    "libc6",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libncursesw6",
    "libpython3.13-minimal",
    "libpython3.13-stdlib",
    "libreadline8t64",
    "libsqlite3-0",
    "libssl3t64",
    "libstdc++6",
    "libtinfo6",
    "libuuid1",
    "libzstd1",
    "ncurses-base",
    "patchelf",
    "python3.13-minimal",
    "seqtk",
    "zlib1g",
];

/// A processor that Debian has packages for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Architecture {
    /// The one of the machine that the tests run on.
    Amd64,
    /// A different one.
    Arm64,
}

impl Architecture {
    /// Debian's name.
    fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// Conda's name for the platform.
    pub(super) fn subdir(self) -> &'static str {
        match self {
            Self::Amd64 => "linux-64",
            Self::Arm64 => "linux-aarch64",
        }
    }

    /// The toolchains' name for it.
    pub(super) fn triplet(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
        }
    }
}

/// The unpacked packages.
#[derive(Clone, Debug)]
pub(super) struct Debian {
    directory: PathBuf,
    architecture: Architecture,
}

impl Debian {
    /// The packages, fetched if this machine does not have them yet.
    pub(super) fn open(architecture: Architecture) -> Self {
        Self::unpacked(architecture, &PACKAGES)
    }

    /// Other packages.
    pub(super) fn unpacked(architecture: Architecture, packages: &[&str]) -> Self {
        Self::of_suite(SUITE, architecture, packages)
    }

    /// Packages of another release of Debian.
    pub(super) fn of_suite(suite: &str, architecture: Architecture, packages: &[&str]) -> Self {
        let key = &hex::encode(Sha256::digest(packages.join(" ")))[..12];
        let of_suite = if suite == SUITE { "" } else { suite };
        let of_architecture = match architecture {
            Architecture::Amd64 => "",
            Architecture::Arm64 => "arm64",
        };
        let words = ["debian", of_suite, of_architecture, key];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let name = words.join("-");
        let directory = made_once(&name, |directory| {
            run(
                Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/engine"))
                    .args(["debs", &format!("{suite}/{}", architecture.name())])
                    .arg(directory)
                    .args(packages),
            )
            .expect_success();
            for package in packages {
                run(Command::new("dpkg-deb")
                    .arg("-x")
                    .arg(archive(directory, package))
                    .arg(directory.join(package)))
                .expect_success();
            }
        });
        Self {
            directory,
            architecture,
        }
    }

    /// The architecture that the packages are for.
    pub(super) fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// Where Debian keeps shared libraries.
    pub(super) fn libraries(&self) -> String {
        format!("usr/lib/{}", self.architecture.triplet())
    }

    /// The root folder of one package's files.
    pub(super) fn root(&self, package: &str) -> PathBuf {
        self.directory.join(package)
    }

    /// The upstream version, without Debian's additions.
    pub(super) fn version(&self, package: &str) -> String {
        let file_name = archive(&self.directory, package);
        let file_name = file_name.file_name().unwrap_or_default().to_string_lossy();
        upstream_version(file_name.split('_').nth(1).unwrap_or_default()).to_owned()
    }

    /// When the newest file of a package was made, in seconds since 1970.
    pub(super) fn time(&self, package: &str) -> u64 {
        let times = walk(&self.root(package), "").into_iter().map(|path| {
            let path = self.root(package).join(path);
            let metadata = fs::symlink_metadata(&path).expect("a file that was just listed");
            u64::try_from(metadata.mtime()).unwrap_or(0)
        });
        times.max().unwrap_or(0)
    }

    /// A package's licence text.
    pub(super) fn copyright(&self, package: &str) -> Option<Vec<u8>> {
        fs::read(
            self.root(package)
                .join("usr/share/doc")
                .join(package)
                .join("copyright"),
        )
        .ok()
    }

    /// The files below `folder` in a package, by their path relative to it.
    pub(super) fn files(&self, package: &str, folder: &str) -> BTreeMap<String, Node> {
        let root = self.root(package).join(folder);
        walk(&root, "")
            .into_iter()
            .map(|path| {
                let node = read(&root.join(&path));
                (path, node)
            })
            .collect()
    }

    /// Runs `program` (an ELF file of this machine's architecture) with Debian 13's libc, which may be newer than
    /// this machine's, and with the libraries of the programs that are run here.
    pub(super) fn command(&self, program: &Path) -> Command {
        let libraries = |package| self.root(package).join(self.libraries());
        let mut path = libraries("libc6").into_os_string();
        for package in ["libstdc++6", "libgcc-s1", "libexpat1", "zlib1g"] {
            path.push(":");
            path.push(libraries(package));
        }
        let mut command = Command::new(libraries("libc6").join("ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(path).arg(program);
        command
    }

    /// `content`, an ELF file of any architecture, with this RPATH.
    pub(super) fn set_rpath(content: &[u8], rpath: &str) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(file.path(), content).expect("the temporary file is written");
        let own = Self::open(Architecture::Amd64);
        let patchelf = own.root("patchelf").join("usr/bin/patchelf");
        run(own
            .command(&patchelf)
            .args(["--force-rpath", "--set-rpath", rpath])
            .arg(file.path()))
        .expect_success();
        fs::read(file.path()).expect("what patchelf wrote")
    }
}

/// The archive file of a package.
fn archive(directory: &Path, package: &str) -> PathBuf {
    let start = format!("{package}_");
    fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", directory.display()))
        .map(|entry| entry.expect("a folder entry").path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&start))
        })
        .unwrap_or_else(|| panic!("{} has no package {package}", directory.display()))
}

/// The paths of all files and links below `folder`, relative to it and sorted.
fn walk(folder: &Path, relative: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let Ok(entries) = fs::read_dir(folder.join(relative)) else {
        return paths;
    };
    for entry in entries {
        let entry = entry.expect("a folder entry");
        let name = entry.file_name().into_string().expect("a UTF-8 name");
        let path = match relative {
            "" => name,
            _ => format!("{relative}/{name}"),
        };
        if entry.file_type().expect("a file type").is_dir() {
            paths.extend(walk(folder, &path));
        } else {
            paths.push(path);
        }
    }
    paths.sort();
    paths
}

fn read(path: &Path) -> Node {
    let content = fs::symlink_metadata(path).and_then(|metadata| {
        if metadata.is_symlink() {
            let target = fs::read_link(path)?;
            return Ok(Node::Symlink(target.to_string_lossy().into_owned()));
        }
        Ok(Node::File {
            content: fs::read(path)?,
            mode: if metadata.mode() & 0o111 == 0 {
                0o644
            } else {
                0o755
            },
            placeholder: None,
        })
    });
    content.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// `1.3.1` of `1%3a1.3.dfsg+really1.3.1-1+b1`, `8.2` of `8.2-6`.
fn upstream_version(version: &str) -> &str {
    let version = version.split_once("%3a").map_or(version, |(_, rest)| rest);
    let version = version
        .split_once("+really")
        .map_or(version, |(_, real)| real);
    let end = version
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(version.len());
    version[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(upstream_version("1%3a1.3.dfsg+really1.3.1-1+b1"), "1.3.1");
        assert_eq!(upstream_version("6.5+20250216-2"), "6.5");
        assert_eq!(upstream_version("1.5.7+dfsg-1"), "1.5.7");
        assert_eq!(upstream_version("3.5.7-1~deb13u2"), "3.5.7");
    }
}
