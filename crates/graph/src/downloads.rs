//! One http source per package or wheel.

use buildkit_llb::{
    Copy, Digest, File, Http, Input, OpOptions, Options, Output, Owner, ProgressGroup,
};

use super::own_files::FILE_TIME;
use crate::cache_key::{probe_file, retry, retry_download, retry_unpinned, url_of_attempt};
use crate::wanted::{Wanted, WantedKind};
use condafront_model::package::{Hashes, Package, PackageUrl};

/// The current address of each package, and how often its download has failed in this build.
///
/// BuildKit remembers failures, so each attempt is a different operation.
#[derive(Clone, Debug)]
pub struct Addresses {
    packages: Vec<Address>,
}

/// One file's addresses.
#[derive(Clone, Debug)]
pub struct Address {
    /// The folder that has the file, and the path there, if the file is not fetched.
    given: Option<Given>,
    candidates: Vec<PackageUrl>,
    current: usize,
    /// How many attempts came before, of any kind.
    attempt: u32,
    /// How many of them were downloads rather than probes of the server's response.
    failed: u32,
    /// How many downloads brought something else than the file.
    pub(super) spoiled: u32,
}

/// Where to continue after a failure.
#[derive(Clone, Debug)]
pub struct Next {
    /// The address.
    pub address: Address,
    /// Whether every address that is left has failed since the last pause.
    pub is_new_round: bool,
}

/// A download whose content the frontend looks at.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The file system with the file.
    pub output: Output,
    /// The file's name there.
    pub file_name: String,
}

/// A file in a folder that the user gave, already known to be the right one.
#[derive(Clone, Debug)]
struct Given {
    folder: Output,
    path: String,
}

impl Addresses {
    /// Files that the user gave in `folder`, each with its original address and its path there.
    pub fn given(folder: &Output, files: impl IntoIterator<Item = (PackageUrl, String)>) -> Self {
        let address = |(url, path)| Address {
            given: Some(Given {
                folder: folder.clone(),
                path,
            }),
            ..Address::new(vec![url])
        };
        Self {
            packages: files.into_iter().map(address).collect(),
        }
    }

    /// The first address of each package, at its first attempt; every list has at least one address.
    pub fn new(candidates: impl IntoIterator<Item = Vec<PackageUrl>>) -> Self {
        Self {
            packages: candidates.into_iter().map(Address::new).collect(),
        }
    }

    /// Package `index`'s address.
    pub fn get(&self, index: usize) -> &Address {
        &self.packages[index]
    }

    /// All addresses.
    pub fn iter(&self) -> impl Iterator<Item = &Address> {
        self.packages.iter()
    }

    /// Replaces package `index`'s address.
    pub fn set(&mut self, index: usize, address: Address) {
        self.packages[index] = address;
    }
}

impl Address {
    /// The first of these addresses, at its first attempt; there is at least one.
    pub fn new(candidates: Vec<PackageUrl>) -> Self {
        Self {
            given: None,
            candidates,
            current: 0,
            attempt: 0,
            failed: 0,
            spoiled: 0,
        }
    }

    /// The URL to fetch from, for messages.
    pub fn url(&self) -> &PackageUrl {
        &self.candidates[self.current]
    }

    /// How many attempts came before this one.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether the user gave the file, so that no server is involved.
    pub fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// Whether a download has already failed in this build.
    pub(crate) fn is_retried(&self) -> bool {
        self.failed > 0
    }

    /// The same address after a failed download.
    #[must_use]
    pub fn after_failure(mut self) -> Self {
        self.attempt += 1;
        self.failed += 1;
        self
    }

    /// The same address after a download that was not pinned brought the wrong content.
    #[must_use]
    pub fn after_wrong_content(mut self) -> Self {
        self.spoiled += 1;
        self
    }

    /// The address to try after a failure that may be temporary.
    #[must_use]
    pub fn next(mut self) -> Next {
        self.attempt += 1;
        self.current += 1;
        self.wrapped()
    }

    /// The address to try if the current one does not work; `None` if it was the last.
    pub fn without_current(mut self) -> Option<Next> {
        self.candidates.remove(self.current);
        self.attempt += 1;
        (!self.candidates.is_empty()).then(|| self.wrapped())
    }

    fn wrapped(mut self) -> Next {
        let is_new_round = self.current >= self.candidates.len();
        if is_new_round {
            self.current = 0;
        }
        Next {
            address: self,
            is_new_round,
        }
    }

    /// The URL for the http source.
    pub(super) fn identifier(&self) -> String {
        url_of_attempt(self.url().url().clone(), self.attempt)
    }
}

/// A file to fetch.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// What it is, for messages.
    pub wanted: Wanted,
    /// The file's name where it is mounted.
    pub file_name: String,
    /// The expected SHA-256, 64 hex digits; without one the download is not pinned.
    pub sha256: Option<String>,
    /// Its size in bytes, if that is known.
    pub size: Option<u64>,
    /// The download's options.
    pub(crate) options: Options,
    /// Whether the build ignores caches from the start.
    pub(crate) no_cache: bool,
}

impl Artifact {
    /// A conda package's archive.
    pub(crate) fn of_package(
        package: &Package,
        kind: WantedKind,
        options: Options,
        no_cache: bool,
    ) -> Self {
        Self {
            wanted: Wanted {
                kind,
                label: package.id.to_string(),
                lines: package.lines,
                file: None,
            },
            file_name: package.id.file_name(),
            sha256: package.hashes.sha256.clone(),
            size: package.size,
            options,
            no_cache,
        }
    }

    /// The download, or the file that was given instead.
    pub fn download(&self, address: &Address) -> Output {
        if let Some(given) = &address.given {
            return taken(&given.folder, &given.path, &self.file_name, &self.options);
        }
        let mut http = Http::new(address.identifier());
        http.filename(&self.file_name).options(&self.options);
        if let Some(digest) = self.digest() {
            http.checksum(digest);
            retry_download(&mut http, address.failed, self.no_cache);
        } else {
            retry_unpinned(&mut http, address.spoiled);
        }
        http.build()
    }

    /// The same file without a checksum, so that BuildKit looks at the server's response. `build` is a name that no other
    /// build has.
    pub fn probe(&self, address: &Address, build: &str) -> Probe {
        let file_name = probe_file(build, address.attempt);
        let tool = match self.wanted.kind {
            WantedKind::Package | WantedKind::Installer => "conda",
            WantedKind::Pip | WantedKind::PipInstaller | WantedKind::List => "pip",
        };
        let mut http = Http::new(address.identifier());
        http.filename(&file_name)
            .name(format!(
                "[{tool}] find out why {} cannot be downloaded",
                self.wanted.label
            ))
            .group(&ProgressGroup {
                id: format!("condafront-probes {tool}"),
                name: format!("[{tool}] find out why packages cannot be downloaded"),
                weak: false,
            })
            .export_cache(false);
        Probe {
            output: http.build(),
            file_name,
        }
    }

    fn digest(&self) -> Option<Digest> {
        let hash = self.sha256.as_deref()?;
        format!("sha256:{hash}").parse().ok()
    }
}

/// The file at `path` in a folder, on its own, as a download would leave it.
pub fn taken(folder: &Output, path: &str, file_name: &str, options: &Options) -> Output {
    let mut copy = Copy::new(folder, path, file_name);
    copy.owner(Owner::ids(0, 0)).mode(0o600).time(FILE_TIME);
    let mut file = File::on(Input::Scratch);
    file.then(copy).options(options);
    file.build().output().unwrap_or(folder).clone()
}

/// The MD5 that a step must check because BuildKit checks nothing.
///
/// A step's cache key must not depend on how many hashes of a file a lock has, so one is enough.
pub fn unpinned_md5(hashes: &Hashes) -> Option<String> {
    if hashes.is_pinned() {
        None
    } else {
        hashes.md5.clone()
    }
}

/// The files of a `.tar.bz2` package, for the one that is run as a program.
pub(crate) fn unpacked(package: &Package, archive: &Output, retried: bool) -> Output {
    let mut file = File::on(Input::Scratch);
    file.then(Copy::new(archive, package.id.file_name(), "/").unpack())
        .name(format!("[conda] unpack {}", package.id))
        .export_cache(false);
    if retried {
        retry(&mut file);
    }
    file.build().output().unwrap_or(archive).clone()
}

/// What the progress shows for package `index` of `count`.
pub(crate) fn name(package: &Package, index: usize, count: usize) -> String {
    let id = &package.id;
    let size = package
        .size
        .map(|bytes| format!(" ({:.1} MB)", bytes as f64 / 1e6))
        .unwrap_or_default();
    format!(
        "[conda {}/{count}] {} {}{size}",
        index + 1,
        id.name,
        id.version
    )
}
