//! Which package has a path, by the records in what the file describes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::dist_info::listed;
use crate::install::error::{Error, ErrorKind, Result};
use crate::install::{programs, source_of};

/// What records say about files that the installer made: modules that it compiled, and programs for entry points.
const MADE: [&str; 2] = ["pyc_file", "unix_python_entry_point"];
/// What pip and other installers of wheels write beside their metadata.
const OF_INSTALLERS: [&str; 4] = ["INSTALLER", "RECORD", "REQUESTED", "direct_url.json"];

/// The packages of a tree, and what they have in it.
#[derive(Debug, Default)]
pub(super) struct Packages {
    labels: Vec<String>,
    paths: BTreeMap<String, Claim>,
    /// The identities that records state, by the paths of the records.
    records: HashMap<String, Identity>,
}

#[derive(Debug, Clone, Copy)]
struct Claim {
    package: usize,
    contained: Contained,
}

/// How the archive of a package contains a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contained {
    /// With this content.
    AsItIs,
    /// With this content but for the first line of a script, where installers put the interpreter.
    AsScript,
    /// Not at all: its installer made it.
    Not,
}

/// What distinguishes a package from all others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Identity {
    name: String,
    version: String,
    build: String,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    md5: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(flatten)]
    identity: Identity,
    #[serde(default)]
    paths_data: Paths,
}

#[derive(Default, Deserialize)]
struct Paths {
    #[serde(default)]
    paths: Vec<RecordedPath>,
}

#[derive(Deserialize)]
struct RecordedPath {
    #[serde(rename = "_path")]
    path: String,
    #[serde(default)]
    path_type: String,
    /// What stood for the prefix in the file.
    #[serde(default)]
    prefix_placeholder: Option<IgnoredAny>,
}

impl Identity {
    /// Whether both are the same package. Not every record has both hashes.
    pub(super) fn is(&self, other: &Self) -> bool {
        let agree = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        let hashes = [(&self.sha256, &other.sha256), (&self.md5, &other.md5)];
        let named = (&self.name, &self.version, &self.build);
        named == (&other.name, &other.version, &other.build)
            && hashes
                .iter()
                .any(|(one, other)| one.is_some() && other.is_some())
            && hashes.iter().all(|(one, other)| agree(one, other))
    }
}

impl Packages {
    /// The packages of the environments in the root prefix `dir`.
    ///
    /// # Errors
    /// A directory or record that cannot be read.
    pub(super) fn of(dir: &Path) -> Result<Self> {
        let mut packages = Self::default();
        packages.add_environment(dir, "")?;
        for name in names(&dir.join("envs"))? {
            packages.add_environment(dir, &format!("envs/{name}/"))?;
        }
        Ok(packages)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The name and version of the package that has `path`.
    pub(super) fn owner(&self, path: &str) -> Option<&str> {
        let claim = self.paths.get(path)?;
        self.labels.get(claim.package).map(String::as_str)
    }

    /// How the archive of a package contains `path`.
    pub(super) fn contained(&self, path: &str) -> Contained {
        let claim = self.paths.get(path);
        claim.map_or(Contained::Not, |claim| claim.contained)
    }

    /// Whether the archive of a package contains the directory `path`, or something below it.
    pub(super) fn contain_below(&self, path: &str) -> bool {
        let start = format!("{path}/");
        let below = self.paths.range(start.clone()..);
        self.contained(path) != Contained::Not
            || below
                .take_while(|(path, _)| path.starts_with(&start))
                .any(|(_, claim)| claim.contained != Contained::Not)
    }

    /// The package that the record at `path` is about.
    pub(super) fn recorded(&self, path: &str) -> Option<&Identity> {
        self.records.get(path)
    }

    fn add(&mut self, package: usize, path: String, contained: Contained) {
        self.paths.insert(path, Claim { package, contained });
    }

    fn add_environment(&mut self, dir: &Path, prefix: &str) -> Result<()> {
        let meta = dir.join(prefix).join("conda-meta");
        for name in names(&meta)?.iter().filter(|name| name.ends_with(".json")) {
            let file = meta.join(name);
            let text = fs::read(&file).map_err(|e| Error::io("read", &file, e))?;
            let record: Record = serde_json::from_slice(&text).map_err(|e| {
                let message = format!("{} is not a record: {e}", file.display());
                Error::new(ErrorKind::BadMetadata, message).caused_by(e)
            })?;
            let package = self.labels.len();
            let Identity {
                name: of, version, ..
            } = &record.identity;
            self.labels.push(format!("{of} {version}"));
            let paths = record.paths_data.paths;
            let patched = paths.iter().filter(|it| it.prefix_placeholder.is_some());
            let patched: HashSet<String> = patched.map(|it| it.path.clone()).collect();
            for one in paths {
                // Bytecode in an archive is that of the module without the prefix. So python replaces it as soon as it may.
                let is_stale = || source_of(&one.path).is_some_and(|it| patched.contains(&it));
                let contained = if MADE.contains(&one.path_type.as_str()) || is_stale() {
                    Contained::Not
                } else {
                    Contained::AsItIs
                };
                self.add(package, prefix.to_owned() + &one.path, contained);
            }
            let path = format!("{prefix}conda-meta/{name}");
            self.add(package, path.clone(), Contained::Not);
            self.records.insert(path, record.identity);
        }
        for python in names(&dir.join(prefix).join("lib"))? {
            if let Some(version) = python.strip_prefix("python") {
                self.add_wheels(dir, prefix, version)?;
            }
        }
        Ok(())
    }

    /// Adds the distributions of the python of this version that no conda package has.
    fn add_wheels(&mut self, dir: &Path, prefix: &str, version: &str) -> Result<()> {
        let modules = &format!("{prefix}lib/python{version}/site-packages");
        for folder in names(&dir.join(modules))? {
            let Some(stem) = folder.strip_suffix(".dist-info") else {
                continue;
            };
            let list = format!("{modules}/{folder}/RECORD");
            let file = dir.join(&list);
            if self.paths.contains_key(&list) || !file.is_file() {
                continue;
            }
            let text = fs::read(&file).map_err(|e| Error::io("read", &file, e))?;
            let package = self.labels.len();
            self.labels.push(stem.replacen('-', " ", 1));
            let text = String::from_utf8_lossy(&text);
            let paths: BTreeSet<String> = text
                .lines()
                .filter_map(|line| listed(line, modules))
                .collect();
            let metadata = format!("{modules}/{folder}/");
            let made = made_programs(&dir.join(&metadata), version)?;
            for path in &paths {
                let of_installer = path.strip_prefix(&metadata);
                let is_made = of_installer.is_some_and(|name| OF_INSTALLERS.contains(&name))
                    || source_of(path).is_some_and(|source| paths.contains(&source));
                let contained = match path.strip_prefix(&format!("{prefix}bin/")) {
                    _ if is_made => Contained::Not,
                    Some(name) if made.contains(name) => Contained::Not,
                    Some(_) => Contained::AsScript,
                    None => Contained::AsItIs,
                };
                self.add(package, path.clone(), contained);
            }
        }
        Ok(())
    }
}

/// The programs that installers make for the entry points of the distribution with this metadata. There are none if no
/// installer would read them.
fn made_programs(metadata: &Path, version: &str) -> Result<BTreeSet<String>> {
    let path = metadata.join("entry_points.txt");
    if !path.is_file() {
        return Ok(BTreeSet::new());
    }
    let text = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
    Ok(programs(&String::from_utf8_lossy(&text), version).unwrap_or_default())
}

/// The names in a directory, sorted; none if it is missing. Names that are not text belong to no package.
fn names(dir: &Path) -> Result<Vec<String>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| Error::io("list", dir, e))? {
        let entry = entry.map_err(|e| Error::io("list", dir, e))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_the_same_if_a_hash_says_so() {
        let identity = |sha256: Option<&str>, md5: Option<&str>| Identity {
            name: "a".to_owned(),
            version: "1".to_owned(),
            build: "0".to_owned(),
            sha256: sha256.map(str::to_owned),
            md5: md5.map(str::to_owned),
        };
        let own = identity(Some("1"), Some("2"));
        assert!(own.is(&identity(Some("1"), None)));
        assert!(own.is(&identity(None, Some("2"))));
        assert!(!own.is(&identity(Some("1"), Some("3"))));
        assert!(!own.is(&identity(None, None)));
    }
}
