//! Environments, and the conda packages that their records list.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::budget::Budget;
use super::list::{Key, List};
use super::names::names;
use crate::root::Root;
use crate::untrusted::LONGEST_RECORD;
use condafront_model::redact::without_credentials;
use condafront_step_spec::diff::{Details, PackageKind};

/// How many environments are looked at.
const ENVIRONMENTS: usize = 1000;
/// How many records of an environment are read.
const RECORDS: usize = 20_000;
/// How many files of a package count.
const FILES: usize = 500_000;
/// The longest path that Linux opens.
const LONGEST_PATH: usize = 4096;
/// How many Python distributions of an environment are known to be conda's.
const METADATA: usize = 50_000;
/// The longest path of their metadata: a folder's name, and the python's, have at most 255 bytes.
const LONGEST_METADATA: usize = 600;
/// Channels of this host are known by their names alone.
const ANACONDA: &str = "https://conda.anaconda.org/";

/// An environment of an image.
pub(super) struct Environment {
    /// What the report calls it.
    pub(super) name: String,
    /// Where it is in the image, after following links.
    pub(super) prefix: PathBuf,
}

#[derive(Deserialize)]
struct Record {
    name: String,
    version: String,
    #[serde(default)]
    build: String,
    // Old records have a table here.
    #[serde(default)]
    channel: Option<Box<RawValue>>,
    #[serde(default)]
    license: Option<Box<RawValue>>,
    #[serde(default)]
    sha256: Option<Box<RawValue>>,
    #[serde(default)]
    files: Files,
}

/// The first paths of a list, without any that no file can have.
#[derive(Default)]
struct Files(Vec<String>);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Paths;
        impl<'de> Visitor<'de> for Paths {
            type Value = Files;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of paths")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Files, A::Error> {
                let mut files = Vec::new();
                while files.len() < FILES {
                    match list.next_element::<String>()? {
                        Some(path) if path.len() > LONGEST_PATH => {}
                        Some(path) => files.push(path),
                        None => return Ok(Files(files)),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Files(files))
            }
        }
        deserializer.deserialize_seq(Paths)
    }
}

/// The environments of an image: those at `prefixes`, and those in their folders `envs`.
pub(super) fn environments(root: &Root, prefixes: &[String]) -> Vec<Environment> {
    let mut found: Vec<Environment> = Vec::new();
    for prefix in prefixes {
        let envs = format!("{prefix}/envs");
        let named = names(root, Path::new(&envs), ENVIRONMENTS, |_| true).into_iter();
        let named = named.map(|name| (name.clone(), format!("{envs}/{name}")));
        let of_prefix = if found.is_empty() {
            "base".to_owned()
        } else {
            prefix.clone()
        };
        for (name, path) in std::iter::once((of_prefix, prefix.clone())).chain(named) {
            let Ok(prefix) = root.resolve(Path::new(&path)) else {
                continue;
            };
            let is_new = !found.iter().any(|one| one.prefix == prefix);
            let is_there = root.outside(&prefix).is_dir();
            // Two root prefixes can have environments of one name.
            let name = if found.iter().any(|one| one.name == name) {
                path
            } else {
                name
            };
            if is_new && is_there && found.len() < ENVIRONMENTS {
                found.push(Environment { name, prefix });
            }
        }
    }
    found
}

/// Adds the packages of an environment that have records; returns the metadata of Python distributions in them.
pub(super) fn add(
    root: &Root,
    environment: &Environment,
    budget: &mut Budget,
    list: &mut List,
) -> BTreeSet<String> {
    let mut metadata = BTreeSet::new();
    let folder = environment.prefix.join("conda-meta");
    let Ok(folder) = root.resolve(&folder) else {
        return metadata;
    };
    let records = names(root, &folder, RECORDS, |name| name.ends_with(".json"));
    for name in &records {
        let path = root.outside(&folder.join(name));
        let text = budget.read(&path, LONGEST_RECORD, list).ok();
        if text.is_none() && budget.is_spent() {
            break;
        }
        let Some(record) = text.and_then(|text| serde_json::from_slice::<Record>(&text).ok())
        else {
            list.note(&format!(
                "Some records in conda-meta of {} cannot be read.",
                environment.name
            ));
            continue;
        };
        let text = |value: Option<Box<RawValue>>| serde_json::from_str::<String>(value?.get()).ok();
        let files = record.files.0;
        let details = Details {
            version: record.version,
            build: Some(record.build),
            channel: text(record.channel).map(|channel| channel_name(&channel)),
            license: text(record.license),
            sha256: text(record.sha256),
            bytes: Some(size(root, &environment.prefix, files.iter().cloned())),
        };
        let key = Key {
            kind: PackageKind::Conda,
            environment: Some(environment.name.clone()),
            name: record.name,
        };
        list.add(key, details, name);
        let is_metadata =
            |path: &String| path.len() <= LONGEST_METADATA && path.ends_with(".dist-info/METADATA");
        let room = METADATA.saturating_sub(metadata.len());
        metadata.extend(files.into_iter().filter(is_metadata).take(room));
    }
    metadata
}

/// How many bytes the files at `paths` in a prefix have. What is missing has none.
pub(super) fn size(root: &Root, prefix: &Path, paths: impl Iterator<Item = String>) -> u64 {
    let sizes = paths.take(FILES).filter_map(|path| {
        let inside = root.resolve_parent(&prefix.join(path)).ok()?;
        let found = root.outside(&inside).symlink_metadata().ok()?;
        found.is_file().then_some(found.len())
    });
    sizes.fold(0, u64::saturating_add)
}

/// A channel as users know it: without the address of the usual host, the subdir and credentials.
pub(super) fn channel_name(channel: &str) -> String {
    let channel = without_credentials(channel);
    let channel = channel.strip_prefix(ANACONDA).unwrap_or(&channel);
    let channel = channel.trim_end_matches('/');
    match channel.rsplit_once('/') {
        Some((before, subdir)) if subdir == "noarch" || subdir.starts_with("linux-") => {
            before.to_owned()
        }
        _ => channel.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_of_one_name_are_told_apart() {
        let image = tempfile::tempdir().unwrap();
        let prefixes = ["/opt/conda", "/srv/mamba"].map(str::to_owned);
        for prefix in &prefixes {
            let lab = format!("{}/envs/lab", &prefix[1..]);
            std::fs::create_dir_all(image.path().join(lab)).unwrap();
        }
        let found = environments(&Root::new(image.path()), &prefixes);
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["base", "lab", "/srv/mamba", "/srv/mamba/envs/lab"]);
    }

    #[test]
    fn channels_have_the_names_that_users_know() {
        for (recorded, shown) in [
            (
                "https://conda.anaconda.org/conda-forge/linux-64",
                "conda-forge",
            ),
            ("https://conda.anaconda.org/conda-forge", "conda-forge"),
            ("conda-forge", "conda-forge"),
            (
                "https://me:secret@c.example/t/tk-1/own/noarch/",
                "https://c.example/own",
            ),
        ] {
            assert_eq!(channel_name(recorded), shown);
        }
    }
}
