//! All files of an image, to hold one image against another.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::EntryType;

/// What is at each path: kind, mode, owner, time and content, in words.
pub(crate) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads a root that was built with `--output type=tar,dest=<archive>`.
    pub(crate) fn read(archive: &Path) -> Self {
        let file = File::open(archive).expect("the exported root");
        let mut archive = tar::Archive::new(io::BufReader::with_capacity(1 << 20, file));
        let mut paths = BTreeMap::new();
        for entry in archive.entries().expect("a tar archive") {
            let mut entry = entry.expect("a tar entry");
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let link = entry.link_name_bytes().unwrap_or_default().into_owned();
            let link = String::from_utf8_lossy(&link).into_owned();
            let kind = entry.header().entry_type();
            let content = match kind {
                EntryType::Regular => {
                    let mut hash = Sha256::new();
                    io::copy(&mut entry, &mut HashWriter(&mut hash)).expect("a file's content");
                    hex::encode(hash.finalize())
                }
                _ => link,
            };
            let header = entry.header();
            let number = |value: io::Result<u64>| value.expect("a number in a tar header");
            paths.insert(
                path,
                format!(
                    "{kind:?} {:o} {}:{} {} {} {content}",
                    header.mode().expect("a mode"),
                    number(header.uid()),
                    number(header.gid()),
                    number(header.mtime()),
                    number(header.size()),
                ),
            );
        }
        Self(paths)
    }

    /// How many paths it has below `directory`.
    pub(crate) fn count_below(&self, directory: &str) -> usize {
        let below = |path: &&String| path.starts_with(directory);
        self.0.keys().filter(below).count()
    }

    /// Every path that is not the same in both, with what either has there.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let nothing = String::from("nothing");
        let paths: std::collections::BTreeSet<&String> =
            self.0.keys().chain(other.0.keys()).collect();
        paths
            .into_iter()
            .filter_map(|path| {
                let one = self.0.get(path).unwrap_or(&nothing);
                let two = other.0.get(path).unwrap_or(&nothing);
                (one != two).then(|| format!("{path}\n  {one}\n  {two}"))
            })
            .collect()
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
