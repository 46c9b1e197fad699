//! The whole repodata of a channel's subdir, of which only the records that a request can reach are in memory.
//!
//! It is read twice: first for the names, and for what the records of each need; then for the records of those names that
//! can be reached. The records are then parsed by the same reader as for a list in memory.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rattler_conda_types::{Channel, PackageName, RepoDataRecord};
use rattler_repodata_gateway::sparse::{PackageFormatSelection, SparseRepoData};

use super::document::{Document, plain};
use super::needs::{self, Needs, reached};
use super::text;

/// A whole list.
pub(super) struct List {
    path: PathBuf,
    channel: Channel,
    subdir: String,
    needs: Arc<Needs>,
    /// The same of all lists of the request.
    all: Arc<[Arc<Needs>]>,
    found: Mutex<Found>,
}

/// What is in memory.
struct Found {
    /// The names whose records are in memory.
    names: HashSet<Arc<str>>,
    records: io::Result<SparseRepoData>,
}

impl List {
    /// Reads the list at `path`; `None` if it may be invalid. The reader that holds all of it in memory can say what is wrong.
    pub(super) fn read(path: &Path, channel: &Channel, subdir: &str) -> Option<Self> {
        let mut reader = needs::Reader::default();
        let none = part(path, |name, record| {
            reader.add(name, record);
            false
        });
        let records = parsed(none.ok()?, channel, subdir).ok()?;
        let needs = Arc::new(reader.finish());
        Some(Self {
            path: path.to_owned(),
            channel: channel.clone(),
            subdir: subdir.to_owned(),
            all: Arc::from([Arc::clone(&needs)]),
            needs,
            found: Mutex::new(Found {
                names: HashSet::new(),
                records: Ok(records),
            }),
        })
    }

    /// The names in it.
    pub(super) fn needs(&self) -> &Arc<Needs> {
        &self.needs
    }

    /// Connects it with all lists of the request.
    pub(super) fn join(&mut self, all: &Arc<[Arc<Needs>]>) {
        self.all = Arc::clone(all);
    }

    /// Looks for the records of these packages, and of all that they can reach.
    pub(super) fn find(&self, names: &[PackageName]) {
        let mut found = self.found();
        let is_new = |name: &str| self.needs.lists(name) && !found.names.contains(name);
        if !names.iter().any(|name| is_new(name.as_normalized())) {
            return;
        }
        let asked = names.iter().map(PackageName::as_normalized);
        let known = found.names.iter().map(|name| &**name);
        let mut all = reached(&self.all, asked.chain(known));
        all.retain(|name| self.needs.lists(name));
        // What was there has less, and would be in memory beside the rest.
        found.records = Err(io::Error::other("it was not read to its end"));
        let part = part(&self.path, |name, _| all.contains(name));
        found.records = part.and_then(|json| parsed(json, &self.channel, &self.subdir));
        found.names = all;
    }

    /// The records of all packages with this name.
    ///
    /// # Errors
    /// When one is not valid, or the list can no longer be read.
    pub(super) fn records(
        &self,
        name: &PackageName,
        formats: PackageFormatSelection,
    ) -> io::Result<Vec<RepoDataRecord>> {
        self.find(std::slice::from_ref(name));
        match &self.found().records {
            Ok(records) => records.load_records(name, formats),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parsed(json: Vec<u8>, channel: &Channel, subdir: &str) -> io::Result<SparseRepoData> {
    SparseRepoData::from_bytes(channel.clone(), subdir, json.into(), None).map_err(io::Error::from)
}

/// The list at `path` as JSON, without the records that `keeps` is false for; it gets the name of the package, and the record.
fn part(path: &Path, keeps: impl FnMut(&str, &[u8]) -> bool) -> io::Result<Vec<u8>> {
    let mut document = Document::new(text::open(path)?);
    let mut copier = Copier {
        out: Vec::new(),
        keeps,
    };
    copier.list(&mut document)?;
    if text::is_too_large(document.finish()?) {
        return Err(io::Error::other(format!(
            "it is larger than {} MiB",
            text::LARGEST >> 20
        )));
    }
    Ok(copier.out)
}

/// Copies a part of a list.
struct Copier<F> {
    out: Vec<u8>,
    keeps: F,
}

impl<F: FnMut(&str, &[u8]) -> bool> Copier<F> {
    fn list(&mut self, document: &mut Document<impl io::Read>) -> io::Result<()> {
        self.object(document, |copier, document, key| match plain(key) {
            Some("packages" | "packages.conda") => copier.records(document, key),
            Some("v3") => copier.section(document, key, |copier, document, key| {
                copier.records(document, key)
            }),
            // A key with escapes may be any of these.
            Some("info" | "removed") | None => copier.value(document, key),
            // Nothing else matters.
            Some(_) => document.value().map(drop),
        })
    }

    /// Copies an object whose members are up to `each`.
    fn object<R: io::Read>(
        &mut self,
        document: &mut Document<R>,
        mut each: impl FnMut(&mut Self, &mut Document<R>, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        self.out.push(b'{');
        document.members(|document, key| each(self, document, key))?;
        self.out.push(b'}');
        Ok(())
    }

    /// The same as the value of a key. Anything else is copied, so that the reader of the copy reports it.
    fn section<R: io::Read>(
        &mut self,
        document: &mut Document<R>,
        key: &str,
        each: impl FnMut(&mut Self, &mut Document<R>, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        if document.next()? != Some(b'{') {
            return self.value(document, key);
        }
        self.key(key);
        self.object(document, each)
    }

    /// Copies the records below a key that are kept, and whatever is not a record.
    fn records<R: io::Read>(&mut self, document: &mut Document<R>, key: &str) -> io::Result<()> {
        self.section(document, key, |copier, document, key| {
            let record = document.value()?;
            let is_kept = match plain(key).and_then(package_of) {
                Some(name) => (copier.keeps)(name, record),
                None => true,
            };
            if is_kept {
                copier.key(key);
                copier.out.extend_from_slice(record);
            }
            Ok(())
        })
    }

    fn value(&mut self, document: &mut Document<impl io::Read>, key: &str) -> io::Result<()> {
        self.key(key);
        self.out.extend_from_slice(document.value()?);
        Ok(())
    }

    /// Writes a key, after a comma unless it is the first of its object.
    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b':');
    }
}

/// The name of the package in the name of an archive, `NAME-VERSION-BUILD`.
fn package_of(file: &str) -> Option<&str> {
    file.rsplitn(3, '-').nth(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::fs;

    const FORMATS: PackageFormatSelection = PackageFormatSelection::PreferConda;

    fn channel() -> Channel {
        Channel::from_url(url::Url::parse("https://channel.example/c").unwrap())
    }

    fn record(name: &str, depends: &[&str]) -> Value {
        json!({
            "name": name, "version": "1", "build": "0", "build_number": 0, "subdir": "noarch", "depends": depends,
        })
    }

    /// A list with everything that one may have.
    fn list() -> Value {
        json!({
            "other": [{"packages": {}}],
            "info": {"subdir": "noarch", "base_url": "https://files.example/c/noarch"},
            "packages": {
                "app-1-0.tar.bz2": record("app", &["zlib >=1"]),
                "app-2-0.tar.bz2": record("app", &["gone"]),
                "old-1-0.tar.bz2": record("old", &[]),
                "zlib-ng-1-0.tar.bz2": record("zlib-ng", &[]),
                "zlib-1-0.tar.bz2": record("zlib", &["Upper"]),
            },
            "packages.conda": {
                "zlib-1-0.conda": record("zlib", &["new"]),
                "upper-1-0.conda": record("Upper", &["app"]),
            },
            "v3": {"conda": {"new-1-0": record("new", &["old[when=\"app\"]"])}, "whl": {}},
            "removed": ["app-2-0.tar.bz2"],
            "repodata_version": 1,
        })
    }

    #[test]
    fn records_are_those_of_a_list_that_is_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repodata.json");
        let json = serde_json::to_vec_pretty(&list()).unwrap();
        let memory = parsed(json.clone(), &channel(), "noarch").unwrap();
        let compressed = zstd::encode_all(&json[..], 3).unwrap();
        for text in [&json, &compressed] {
            fs::write(&path, text).unwrap();
            let read = || List::read(&path, &channel(), "noarch").unwrap();
            // With all names at once, and one after the other.
            let once = read();
            once.find(&[PackageName::new_unchecked("app")]);
            let needs = Arc::clone(once.needs());
            let names: Vec<&str> = needs.listed().collect();
            assert_eq!(
                names,
                ["app", "new", "old", "upper", "zlib", "zlib-ng"],
                "{text:?}"
            );
            for list in [once, read()] {
                for name in names.iter().copied().chain(["gone", "missing"]) {
                    let name = PackageName::new_unchecked(name);
                    let found = list.records(&name, FORMATS).unwrap();
                    assert_eq!(found, memory.load_records(&name, FORMATS).unwrap());
                }
            }
        }
    }

    #[test]
    fn only_what_can_be_reached_is_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repodata.json");
        fs::write(&path, list().to_string()).unwrap();
        let list = List::read(&path, &channel(), "noarch").unwrap();
        let there = |list: &List| {
            let mut names: Vec<String> =
                list.found().names.iter().map(ToString::to_string).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(there(&list), [""; 0]);
        list.find(&[PackageName::new_unchecked("new")]);
        assert_eq!(there(&list), ["new", "old"]);
        list.find(&[PackageName::new_unchecked("zlib-ng")]);
        assert_eq!(there(&list), ["new", "old", "zlib-ng"]);
    }

    #[test]
    fn what_may_be_no_list_is_left_to_whoever_reads_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repodata.json");
        let whole = list().to_string();
        for text in [
            "<html>".to_owned(),
            whole[..whole.len() - 1].to_owned(),
            whole.replace("\"app-1-0.tar.bz2\"", "\"app\""),
            whole.replace("\"removed\"", "\"packages\""),
            whole.replace("\"info\":{", "\"info\":1,\"more\":{"),
            whole.replace("\"packages\":{", "\"packages\":null,\"more\":{"),
            format!("{whole}{whole}"),
        ] {
            fs::write(&path, &text).unwrap();
            let list = List::read(&path, &channel(), "noarch");
            assert!(list.is_none(), "{text}");
            assert!(parsed(text.clone().into(), &channel(), "noarch").is_err());
        }
        // What a reader of all of it accepts is not lost.
        let escaped = whole.replace("\"packages\":", "\"pack\\u0061ges\":");
        fs::write(&path, escaped).unwrap();
        let list = List::read(&path, &channel(), "noarch").unwrap();
        let app = PackageName::new_unchecked("app");
        assert_eq!(list.records(&app, FORMATS).unwrap().len(), 1);
    }
}
