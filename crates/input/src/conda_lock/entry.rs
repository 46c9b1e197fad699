//! Reads an entry of a conda-lock.yml.

use std::collections::BTreeMap;

use super::{Entry, Reader};
use crate::locked::address;
use crate::locked::{Locked, check_subdir};
use crate::yaml::Node;
use condafront_model::package::Hashes;
use condafront_model::redact;
use condafront_model::source::Diagnostic;

/// Help for inconsistent entries.
const AGAIN: &str = "Regenerate the lock file with `conda-lock lock`.";

impl Reader<'_> {
    /// Reads an entry that will be installed, and records its dependencies.
    pub(super) fn package(
        &self,
        entry: &Entry<'_>,
        locked: &mut Locked<'_>,
        depends: &mut BTreeMap<String, Vec<String>>,
    ) -> Result<(), Diagnostic> {
        let node = entry.node;
        let name = self.text(node, "name")?;
        let manager = self.text(node, "manager")?;
        let written = self.text(node, "url")?;
        let lines = node.get("url").map_or(node.lines, |url| url.lines);
        let hashes = self.hashes(node)?;
        if manager == "conda" && name.starts_with("__") {
            // A virtual package: a property of the machine.
            return Ok(());
        }
        let url = locked.without_variables(written, lines)?;
        match manager {
            "conda" => {
                const ADVICE: &str = "Publish the package in a channel that has an http(s) URL, and regenerate the lock file.";
                let mut package = address::conda(self.file, &url, hashes, lines, ADVICE)?;
                if package.id.name != name {
                    return Err(self
                        .error(
                            format!(
                                "the package {} has the URL of {}",
                                redact::quoted(name),
                                package.id.name
                            ),
                            lines,
                        )
                        .help(AGAIN));
                }
                check_subdir(self.file, &package, entry.platform, lines, AGAIN)?;
                package.size = node
                    .get("size")
                    .and_then(Node::text)
                    .and_then(|text| text.parse().ok());
                depends.insert(package.id.name.clone(), dependencies(node));
                locked.packages.push(package);
            }
            "pip" | "pypi" => {
                let version = node.get("version").and_then(Node::text);
                let package = address::pip(self.file, name, version, &url, hashes, lines)?;
                locked.pip.push(package);
            }
            other => {
                let lines = node.get("manager").map_or(node.lines, |node| node.lines);
                return Err(self
                    .error(
                        format!(
                            "`{}` is not a package manager that condafront supports",
                            redact::quoted(other)
                        ),
                        lines,
                    )
                    .help("Write conda or pip."));
            }
        }
        Ok(())
    }

    fn hashes(&self, entry: &Node) -> Result<Hashes, Diagnostic> {
        let mut hashes = Hashes::default();
        let Some(node) = entry.get("hash").filter(|node| !node.is_null()) else {
            return Ok(hashes);
        };
        if node.mapping().is_none() {
            return Err(self
                .error(
                    format!("`hash:` must be a mapping, not {}", node.what()),
                    node.lines,
                )
                .help("Write a mapping with the keys md5 and sha256."));
        }
        for key in ["md5", "sha256"] {
            let Some(node) = node.get(key).filter(|node| !node.is_null()) else {
                continue;
            };
            let text = node.text().unwrap_or_default();
            let found = address::parse_hash(&format!("{key}:{text}")).ok_or_else(|| {
                let digits = if key == "md5" { 32 } else { 64 };
                self.error(
                    format!("`{}` is not a valid {key}", redact::quoted(text)),
                    node.lines,
                )
                .help(format!(
                    "Write {digits} hex digits, in quotes if all of them are decimal."
                ))
            })?;
            hashes.md5 = hashes.md5.or(found.md5);
            hashes.sha256 = hashes.sha256.or(found.sha256);
        }
        Ok(hashes)
    }
}

/// The dependencies of an entry: names with versions in files from conda-lock, MatchSpecs in those from pixi.
fn dependencies(entry: &Node) -> Vec<String> {
    let Some(node) = entry.get("dependencies") else {
        return Vec::new();
    };
    let names = node.mapping().unwrap_or_default().iter();
    let specs = node.list().unwrap_or_default().iter();
    names
        .map(|(key, _)| key.name.clone())
        .chain(specs.filter_map(Node::text).map(str::to_owned))
        .collect()
}
