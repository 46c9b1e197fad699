//! A package before it becomes an archive: metadata and files, and the `info/` folder made from them.

use std::collections::BTreeMap;

use md5::Md5;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Package;
use super::archive::{self, Format, Member};

/// The placeholder for the prefix in package files until they are linked: 255 characters, as in
/// conda-build, so that any shorter prefix fits into a binary.
pub(super) fn placeholder() -> String {
    const START: &str = "/opt/build_artifacts/_h_env";
    let mut text = START.to_owned();
    while text.len() < 255 {
        text.push_str("_placehold");
    }
    text.truncate(255);
    text
}

/// How a package differs between platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// For one subdir only.
    Platform(&'static str),
    NoarchGeneric,
    NoarchPython,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholder {
    Text,
    Binary,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    File {
        content: Vec<u8>,
        mode: u32,
        placeholder: Option<Placeholder>,
    },
    Symlink(String),
}

/// A package to make.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) build: String,
    pub(super) build_number: u64,
    pub(super) kind: Kind,
    pub(super) format: Format,
    pub(super) depends: Vec<String>,
    pub(super) constrains: Vec<String>,
    pub(super) license: String,
    pub(super) summary: String,
    /// Seconds since 1970: the record's `timestamp` and the files' times.
    pub(super) time: u64,
    /// `name = module:function` lines of a noarch python package.
    pub(super) entry_points: Vec<String>,
    /// Licence texts by file name.
    pub(super) licenses: BTreeMap<String, Vec<u8>>,
    pub(super) files: BTreeMap<String, Node>,
}

impl Recipe {
    /// A package without files. The name decides the format, so that a channel has both.
    pub(super) fn new(name: &str, version: &str, kind: Kind) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let format = if digest[0] % 3 == 0 {
            Format::TarBz2
        } else {
            Format::Conda
        };
        let build = match kind {
            Kind::Platform(_) => format!("h{}_0", &hex::encode(digest)[..7]),
            Kind::NoarchGeneric => "0".to_owned(),
            Kind::NoarchPython => "pyhd8ed1ab_0".to_owned(),
        };
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            build,
            build_number: 0,
            kind,
            format,
            depends: Vec::new(),
            constrains: Vec::new(),
            license: "MIT".to_owned(),
            summary: format!("{name} for tests"),
            time: archive::DEFAULT_TIME,
            entry_points: Vec::new(),
            licenses: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    pub(super) fn depends(mut self, depends: &[&str]) -> Self {
        self.depends.extend(depends.iter().map(ToString::to_string));
        self
    }

    pub(super) fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub(super) fn file(self, path: &str, content: impl Into<Vec<u8>>, mode: u32) -> Self {
        self.node(path, content.into(), mode, None)
    }

    pub(super) fn file_with_prefix(
        self,
        path: &str,
        content: impl Into<Vec<u8>>,
        mode: u32,
        placeholder: Placeholder,
    ) -> Self {
        self.node(path, content.into(), mode, Some(placeholder))
    }

    fn node(
        mut self,
        path: &str,
        content: Vec<u8>,
        mode: u32,
        placeholder: Option<Placeholder>,
    ) -> Self {
        let node = Node::File {
            content,
            mode,
            placeholder,
        };
        self.files.insert(path.to_owned(), node);
        self
    }

    pub(super) fn symlink(mut self, path: &str, target: &str) -> Self {
        let node = Node::Symlink(target.to_owned());
        self.files.insert(path.to_owned(), node);
        self
    }

    pub(super) fn subdir(&self) -> &'static str {
        match self.kind {
            Kind::Platform(subdir) => subdir,
            Kind::NoarchGeneric | Kind::NoarchPython => "noarch",
        }
    }

    pub(super) fn stem(&self) -> String {
        format!("{}-{}-{}", self.name, self.version, self.build)
    }

    /// The package's entry in the channel's index, and its archive.
    pub(super) fn build(&self) -> (Package, Vec<u8>) {
        let info = self.info();
        let payload: Vec<Member> = self
            .files
            .iter()
            .map(|(path, node)| match node {
                Node::File { content, mode, .. } => Member::file(path, content.clone(), *mode),
                Node::Symlink(target) => Member::symlink(path, target),
            })
            .collect();
        let bytes = archive::package(self.format, &self.stem(), &info, &payload, self.time);
        (self.record(&bytes), bytes)
    }

    /// This package's index entry, given its archive.
    pub(super) fn record(&self, archive: &[u8]) -> Package {
        Package {
            name: self.name.clone(),
            version: self.version.clone(),
            build: self.build.clone(),
            build_number: self.build_number,
            subdir: self.subdir().to_owned(),
            file_name: format!("{}{}", self.stem(), self.format.extension()),
            noarch: self.noarch().map(str::to_owned),
            depends: self.depends.clone(),
            constrains: self.constrains.clone(),
            license: self.license.clone(),
            timestamp: self.time * 1000,
            size: archive.len() as u64,
            sha256: hex::encode(Sha256::digest(archive)),
            md5: hex::encode(Md5::digest(archive)),
        }
    }

    fn noarch(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Platform(_) => None,
            Kind::NoarchGeneric => Some("generic"),
            Kind::NoarchPython => Some("python"),
        }
    }

    /// The members below `info/`.
    pub(super) fn info(&self) -> Vec<Member> {
        let text = |value: &Value| {
            let mut text = serde_json::to_string_pretty(value).expect("JSON in memory");
            text.push('\n');
            text
        };
        let mut members = vec![
            Member::file("info/index.json", text(&self.index()), 0o644),
            Member::file("info/paths.json", text(&self.paths()), 0o644),
            Member::file("info/about.json", text(&self.about()), 0o644),
            Member::file("info/files", self.file_list(), 0o644),
        ];
        if self.kind == Kind::NoarchPython {
            let link = json!({
                "noarch": { "type": "python", "entry_points": self.entry_points },
                "package_metadata_version": 1,
            });
            members.push(Member::file("info/link.json", text(&link), 0o644));
        }
        let has_prefix = self.has_prefix();
        if !has_prefix.is_empty() {
            members.push(Member::file("info/has_prefix", has_prefix, 0o644));
        }
        for (name, content) in &self.licenses {
            let path = format!("info/licenses/{name}");
            members.push(Member::file(&path, content.clone(), 0o644));
        }
        members
    }

    fn index(&self) -> Value {
        let mut index = json!({
            "arch": Value::Null,
            "build": self.build,
            "build_number": self.build_number,
            "constrains": self.constrains,
            "depends": self.depends,
            "license": self.license,
            "name": self.name,
            "platform": Value::Null,
            "subdir": self.subdir(),
            "timestamp": self.time * 1000,
            "version": self.version,
        });
        if let Some((platform, arch)) = self.subdir().split_once('-') {
            let arch = if arch == "64" { "x86_64" } else { arch };
            index["platform"] = json!(platform);
            index["arch"] = json!(arch);
        }
        if let Some(noarch) = self.noarch() {
            index["noarch"] = json!(noarch);
        }
        if self.name == "python" {
            let minor: Vec<&str> = self.version.split('.').take(2).collect();
            index["python_site_packages_path"] =
                json!(format!("lib/python{}/site-packages", minor.join(".")));
        }
        index
    }

    fn about(&self) -> Value {
        json!({
            "license": self.license,
            "license_file": self.licenses.keys().collect::<Vec<_>>(),
            "summary": self.summary,
        })
    }

    fn paths(&self) -> Value {
        let paths: Vec<Value> = self
            .files
            .iter()
            .map(|(path, node)| self.path_entry(path, node))
            .collect();
        json!({ "paths": paths, "paths_version": 1 })
    }

    fn path_entry(&self, path: &str, node: &Node) -> Value {
        match node {
            Node::File {
                content,
                placeholder,
                ..
            } => {
                let mut entry = json!({
                    "_path": path,
                    "path_type": "hardlink",
                    "sha256": hex::encode(Sha256::digest(content)),
                    "size_in_bytes": content.len(),
                });
                if let Some(mode) = placeholder {
                    entry["file_mode"] = json!(mode.name());
                    entry["prefix_placeholder"] = json!(self::placeholder());
                }
                entry
            }
            Node::Symlink(target) => {
                // As in conda-build: the hash of what the link leads to, or of no bytes.
                let content = match self.files.get(&resolve(path, target)) {
                    Some(Node::File { content, .. }) => content.as_slice(),
                    _ => &[],
                };
                json!({
                    "_path": path,
                    "path_type": "softlink",
                    "sha256": hex::encode(Sha256::digest(content)),
                    "size_in_bytes": content.len(),
                })
            }
        }
    }

    fn file_list(&self) -> String {
        self.files.keys().map(|path| format!("{path}\n")).collect()
    }

    fn has_prefix(&self) -> String {
        self.files
            .iter()
            .filter_map(|(path, node)| match node {
                Node::File {
                    placeholder: Some(mode),
                    ..
                } => Some(format!("{} {} {path}\n", placeholder(), mode.name())),
                _ => None,
            })
            .collect()
    }
}

impl Placeholder {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }
}

/// The path that a relative link `target` at `path` leads to, within the package.
fn resolve(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholder_has_the_usual_length() {
        assert_eq!(placeholder().len(), 255);
    }

    #[test]
    fn links_resolve() {
        assert_eq!(resolve("lib/a/b", "../c"), "lib/c");
        assert_eq!(resolve("lib/x.so", "x.so.1"), "lib/x.so.1");
    }
}
