//! One http source per package.

use buildkit_llb::{Copy, Digest, File, Http, Input, OpOptions, Options, Output, ProgressGroup};

use crate::package::{Package, PackageUrl};

/// Where each package is fetched from now. A download that failed is tried again from another address, or from the
/// same one under a name that BuildKit takes for another: it remembers a vertex's failure for the whole build.
#[derive(Clone, Debug)]
pub struct Addresses {
    packages: Vec<Address>,
}

/// One package's addresses.
#[derive(Clone, Debug)]
pub struct Address {
    candidates: Vec<PackageUrl>,
    current: usize,
    attempt: u32,
}

impl Addresses {
    /// First attempts at the first address of each package; every list has at least one.
    pub fn new(candidates: impl IntoIterator<Item = Vec<PackageUrl>>) -> Self {
        Self {
            packages: candidates
                .into_iter()
                .map(|candidates| Address {
                    candidates,
                    current: 0,
                    attempt: 0,
                })
                .collect(),
        }
    }

    /// Package `index`'s address.
    pub fn get(&self, index: usize) -> &Address {
        &self.packages[index]
    }

    /// Replaces package `index`'s address.
    pub fn set(&mut self, index: usize, address: Address) {
        self.packages[index] = address;
    }
}

impl Address {
    /// The URL to fetch from, for messages.
    pub fn url(&self) -> &PackageUrl {
        &self.candidates[self.current]
    }

    /// How many addresses there are.
    pub fn candidates(&self) -> usize {
        self.candidates.len()
    }

    /// The next address, after the last one the first again, under a new name.
    #[must_use]
    pub fn next(&self) -> Self {
        Self {
            candidates: self.candidates.clone(),
            current: (self.current + 1) % self.candidates.len(),
            attempt: self.attempt + 1,
        }
    }

    /// The URL as the http source gets it. A fragment is not sent to servers and not part of a pinned download's
    /// cache key, but makes another vertex.
    fn identifier(&self, note: &str) -> String {
        let mut url = self.url().with_credentials().clone();
        match (self.attempt, note) {
            (0, "") => {}
            (attempt, note) => url.set_fragment(Some(&format!("{note}{attempt}"))),
        }
        url.into()
    }
}

/// The download of one package.
pub fn download(package: &Package, address: &Address, options: &Options) -> Output {
    let mut http = Http::new(address.identifier(""));
    http.filename(package.id.file_name()).options(options);
    if let Some(digest) = sha256(package) {
        http.checksum(digest);
    }
    http.build()
}

/// The same file with nothing said about its content, so that BuildKit looks at the server's answer.
pub fn probe(package: &Package, address: &Address) -> Output {
    let mut http = Http::new(address.identifier("probe-"));
    http.filename(package.id.file_name())
        .name(format!(
            "[conda] ask why {} cannot be downloaded",
            package.id
        ))
        .group(&ProgressGroup {
            id: "condafront-probes".to_owned(),
            name: "[conda] ask why packages cannot be downloaded".to_owned(),
            weak: false,
        })
        .export_cache(false);
    http.build()
}

/// A `.tar.bz2` package's files, for the one that is a program to run.
pub fn unpacked(package: &Package, archive: &Output) -> Output {
    let mut file = File::on(Input::Scratch);
    file.then(Copy::new(archive, package.id.file_name(), "/").unpack())
        .name(format!("[conda] unpack {}", package.id))
        .export_cache(false);
    file.build().output().unwrap_or(archive).clone()
}

/// What the progress shows for package `index` of `count`.
pub fn name(package: &Package, index: usize, count: usize) -> String {
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

/// Clients that can show all downloads as one line.
pub fn group(count: usize) -> ProgressGroup {
    ProgressGroup {
        id: "condafront-packages".to_owned(),
        name: format!("[conda] download {count} packages"),
        weak: false,
    }
}

fn sha256(package: &Package) -> Option<Digest> {
    let hash = package.hashes.sha256.as_deref()?;
    format!("sha256:{hash}").parse().ok()
}
