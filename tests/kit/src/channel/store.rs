//! Makes a channel's folder once, with its index and repodata, and opens it afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::recipe::Recipe;
use super::{Channel, Package, archive};
use crate::cache;

/// Work that makes one package: an archive and its record. Jobs run on several threads.
pub(super) type Job = Box<dyn FnOnce() -> (Package, Vec<u8>) + Send>;

/// The list of the channel's packages, next to the subdirs.
const INDEX: &str = "channel.json";

/// What determines a channel's bytes besides the downloads: a change in any of these makes a new channel.
const SOURCES: [&str; 20] = [
    super::pypi::LIST,
    super::python2::LIST,
    super::python36::LIST,
    include_str!("archive.rs"),
    include_str!("bioconda.rs"),
    include_str!("cpython.rs"),
    include_str!("custom.rs"),
    include_str!("debian.rs"),
    include_str!("hostile.rs"),
    include_str!("metadata.rs"),
    include_str!("../channel.rs"),
    include_str!("python2.rs"),
    include_str!("python36.rs"),
    include_str!("recipe.rs"),
    include_str!("small.rs"),
    include_str!("small/prefix_demo.c"),
    include_str!("stand_ins.rs"),
    include_str!("stdlib_bytecode.rs"),
    include_str!("store.rs"),
    include_str!("wheel.rs"),
];

/// The job that makes `recipe`.
pub(super) fn job(recipe: Recipe) -> Job {
    Box::new(move || recipe.build())
}

/// Opens the channel `name`; makes it from `jobs` if it is missing.
pub(super) fn open(name: &str, jobs: &dyn Fn() -> Vec<Job>) -> Channel {
    let mut hash = Sha256::new();
    for source in SOURCES {
        hash.update(source);
    }
    let key = &hex::encode(hash.finalize())[..12];
    let directory = cache::made_once(&format!("channel-{name}-{key}"), |directory| {
        make(directory, jobs());
    });
    let index = directory.join(INDEX);
    let packages = fs::read(&index)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", index.display()));
    Channel {
        directory,
        packages,
    }
}

fn make(directory: &Path, jobs: Vec<Job>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = Mutex::new(jobs.into_iter());
    let packages = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().expect("no job panicked").next();
                    let Some(job) = job else { break };
                    let (package, bytes) = job();
                    write(&directory.join(package.path()), &bytes);
                    packages.lock().expect("no job panicked").push(package);
                }
            });
        }
    });
    let mut packages = packages.into_inner().expect("no job panicked");
    packages.sort_by_key(Package::path);
    write_repodata(directory, &packages);
    write(&directory.join(INDEX), &to_json(&json!(packages)));
}

/// Writes the `repodata.json` of every subdir, plain and compressed; `linux-64` and `noarch` always exist.
fn write_repodata(directory: &Path, packages: &[Package]) {
    let mut by_subdir: BTreeMap<&str, Vec<&Package>> =
        BTreeMap::from([("linux-64", Vec::new()), ("noarch", Vec::new())]);
    for package in packages {
        by_subdir
            .entry(package.subdir.as_str())
            .or_default()
            .push(package);
    }
    for (subdir, packages) in by_subdir {
        let (conda, tar_bz2): (Vec<_>, Vec<_>) = packages
            .into_iter()
            .partition(|package| package.file_name.ends_with(".conda"));
        let records = |packages: Vec<&Package>| -> Map<String, Value> {
            packages
                .into_iter()
                .map(|package| (package.file_name.clone(), record(package)))
                .collect()
        };
        let repodata = to_json(&json!({
            "info": { "subdir": subdir },
            "packages": records(tar_bz2),
            "packages.conda": records(conda),
            "removed": [],
            "repodata_version": 1,
        }));
        let subdir = directory.join(subdir);
        write(&subdir.join("repodata.json"), &repodata);
        write(&subdir.join("repodata.json.zst"), &archive::zstd(&repodata));
    }
}

/// A package's record in `repodata.json`.
fn record(package: &Package) -> Value {
    let mut record = json!(package);
    if let Value::Object(fields) = &mut record {
        fields.remove("file_name");
        if package.noarch.is_none() {
            fields.remove("noarch");
        }
    }
    record
}

fn to_json(value: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("JSON in memory");
    bytes.push(b'\n');
    bytes
}

fn write(path: &Path, bytes: &[u8]) {
    let parent = path.parent().expect("a file in a folder");
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, bytes))
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}
