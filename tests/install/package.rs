//! A writer of small conda packages, valid ones and hostile ones.

use std::io::{Cursor, Write};
use std::path::Path;

use condafront_step_spec::install::PackageSpec;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

/// The time of all files in archives made here.
pub(crate) const FILE_TIME: u64 = 1_600_000_000;
/// The `timestamp` of all packages made here, in seconds.
pub(crate) const BUILD_TIME: i64 = 1_650_000_000;
/// The placeholder for the prefix in files.
pub(crate) const PLACEHOLDER: &str = "/home/builder/a_long_placeholder_of_a_prefix";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Conda,
    TarBz2,
}

#[derive(Clone)]
struct Entry {
    /// As written into the archive, even if it is invalid.
    name: String,
    kind: EntryType,
    mode: u32,
    link: String,
    content: Vec<u8>,
}

/// One package that is being made.
#[derive(Clone)]
pub(crate) struct Package {
    name: String,
    format: Format,
    entries: Vec<Entry>,
    paths: Vec<Value>,
    index: Map<String, Value>,
    entry_points: Vec<String>,
    old_form: bool,
}

impl Package {
    /// Version 1.0, build 0.
    pub(crate) fn new(name: &str) -> Self {
        let index = json!({
            "name": name, "version": "1.0", "build": "0", "build_number": 0, "depends": [],
            "subdir": "linux-64", "license": "MIT", "timestamp": BUILD_TIME * 1000,
        });
        let Value::Object(index) = index else {
            unreachable!()
        };
        Package {
            name: name.into(),
            format: Format::Conda,
            entries: Vec::new(),
            paths: Vec::new(),
            index,
            entry_points: Vec::new(),
            old_form: false,
        }
    }

    pub(crate) fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub(crate) fn noarch_python(mut self, entry_points: &[&str]) -> Self {
        self.index.insert("noarch".into(), json!("python"));
        self.entry_points = entry_points.iter().map(|e| (*e).to_owned()).collect();
        self
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.file_with_mode(name, content, 0o644)
    }

    pub(crate) fn file_with_mode(mut self, name: &str, content: &str, mode: u32) -> Self {
        self.paths.push(json!({
            "_path": name, "path_type": "hardlink", "size_in_bytes": content.len(),
            "sha256": hex::encode(Sha256::digest(content)),
        }));
        self.entry(name, EntryType::Regular, mode, "", content.as_bytes())
    }

    /// A text file with a placeholder of its own.
    pub(crate) fn file_with_placeholder(
        mut self,
        name: &str,
        content: &[u8],
        placeholder: &str,
    ) -> Self {
        self.paths.push(json!({
            "_path": name, "path_type": "hardlink",
            "file_mode": "text", "prefix_placeholder": placeholder,
        }));
        self.entry(name, EntryType::Regular, 0o644, "", content)
    }

    /// A file that contains the prefix; `kind` is `text` or `binary`.
    pub(crate) fn file_with_prefix(mut self, name: &str, content: &[u8], kind: &str) -> Self {
        self.paths.push(json!({
            "_path": name, "path_type": "hardlink", "size_in_bytes": content.len(),
            "sha256": hex::encode(Sha256::digest(content)),
            "file_mode": kind, "prefix_placeholder": PLACEHOLDER,
        }));
        self.entry(name, EntryType::Regular, 0o755, "", content)
    }

    pub(crate) fn symlink(mut self, name: &str, target: &str) -> Self {
        self.paths
            .push(json!({"_path": name, "path_type": "softlink"}));
        self.entry(name, EntryType::Symlink, 0o777, target, b"")
    }

    pub(crate) fn hard_link(mut self, name: &str, target: &str) -> Self {
        self.paths
            .push(json!({"_path": name, "path_type": "hardlink"}));
        self.entry(name, EntryType::Link, 0o644, target, b"")
    }

    pub(crate) fn directory(mut self, name: &str) -> Self {
        self.paths
            .push(json!({"_path": name, "path_type": "directory"}));
        self
    }

    /// Describes its files as packages did before `paths.json`: in `info/files` and `info/has_prefix`.
    pub(crate) fn of_old_form(mut self) -> Self {
        self.old_form = true;
        self
    }

    /// A path that `paths.json` lists, but that may be missing from the archive.
    pub(crate) fn listed(mut self, name: &str) -> Self {
        self.paths
            .push(json!({"_path": name, "path_type": "hardlink"}));
        self
    }

    /// An entry of the archive that `paths.json` does not list.
    pub(crate) fn entry(
        mut self,
        name: &str,
        kind: EntryType,
        mode: u32,
        link: &str,
        content: &[u8],
    ) -> Self {
        self.entries.push(Entry {
            name: name.into(),
            kind,
            mode,
            link: link.into(),
            content: content.into(),
        });
        self
    }

    pub(crate) fn file_name(&self) -> String {
        match self.format {
            Format::Conda => format!("{}-1.0-0.conda", self.name),
            Format::TarBz2 => format!("{}-1.0-0.tar.bz2", self.name),
        }
    }

    fn info(&self) -> Vec<Entry> {
        let mut info = vec![info_file("index.json", &Value::Object(self.index.clone()))];
        if self.old_form {
            let text =
                |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            let (mut files, mut prefixes) = (String::new(), String::new());
            // The old form cannot list directories.
            let is_file = |entry: &&Value| entry["path_type"] != "directory";
            for entry in self.paths.iter().filter(is_file) {
                let path = text(entry, "_path");
                files += &format!("{path}\n");
                if entry.get("prefix_placeholder").is_some() {
                    let mode = text(entry, "file_mode");
                    prefixes += &format!("{PLACEHOLDER} {mode} {path}\n");
                }
            }
            info.push(info_text("files", files));
            info.push(info_text("has_prefix", prefixes));
        } else {
            let paths = json!({"paths": self.paths, "paths_version": 1});
            info.push(info_file("paths.json", &paths));
        }
        if !self.entry_points.is_empty() {
            let noarch = json!({"type": "python", "entry_points": self.entry_points});
            info.push(info_file(
                "link.json",
                &json!({"noarch": noarch, "package_metadata_version": 1}),
            ));
        }
        info
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self.format {
            Format::TarBz2 => {
                let entries: Vec<Entry> = self
                    .info()
                    .into_iter()
                    .chain(self.entries.clone())
                    .collect();
                let level = bzip2::Compression::fast();
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
                encoder.write_all(&tar(&entries)).unwrap();
                encoder.finish().unwrap()
            }
            Format::Conda => {
                let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
                let stored = zip::write::SimpleFileOptions::default()
                    .compression_method(zip::CompressionMethod::Stored)
                    .last_modified_time(zip::DateTime::default());
                for (part, entries) in [("info", &self.info()), ("pkg", &self.entries)] {
                    let member = format!("{part}-{}-1.0-0.tar.zst", self.name);
                    zip.start_file(member, stored).unwrap();
                    zip.write_all(&zstd::encode_all(&*tar(entries), 3).unwrap())
                        .unwrap();
                }
                zip.finish().unwrap().into_inner()
            }
        }
    }

    /// Writes the archive as input `index` of a step and returns its spec.
    pub(crate) fn mount(&self, input: &Path, index: usize) -> PackageSpec {
        let archive = self.file_name();
        let dir = input.join(index.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(&archive), self.bytes()).unwrap();
        let channel = "https://user:secret@example.org/t/to-ken/channel";
        PackageSpec {
            label: format!("{} 1.0", self.name),
            url: format!("{channel}/linux-64/{archive}"),
            archive,
            channel: channel.into(),
            subdir: "linux-64".into(),
            sha256: None,
            md5: None,
        }
    }
}

fn info_file(name: &str, value: &Value) -> Entry {
    info_text(name, value.to_string())
}

fn info_text(name: &str, content: String) -> Entry {
    Entry {
        name: format!("info/{name}"),
        kind: EntryType::Regular,
        mode: 0o644,
        link: String::new(),
        content: content.into_bytes(),
    }
}

/// A tar archive with the names written as they are; the `tar` crate itself refuses to write bad ones.
fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_ustar();
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_uid(1000);
        header.set_gid(1000);
        header.set_mtime(FILE_TIME);
        header.set_size(entry.content.len() as u64);
        let raw = header.as_old_mut();
        raw.name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        raw.linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_cksum();
        builder.append(&header, &*entry.content).unwrap();
    }
    builder.into_inner().unwrap()
}
