//! Reads an entry of a conda-lock.yml.

use std::collections::BTreeMap;

use super::{Entry, Reader};
use crate::locked::address;
use crate::locked::skip::or_skip;
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
        let is_left_out = match manager {
            // A virtual package: a property of the machine.
            "conda" if name.starts_with("__") => true,
            "conda" => locked.skip.conda(name),
            "pip" | "pypi" => locked.skip.pypi(name),
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
        };
        if is_left_out {
            return Ok(());
        }
        let written = self.text(node, "url")?;
        let lines = node.get("url").map_or(node.lines, |url| url.lines);
        // Whether it can be installed at all comes first: conda-lock writes a commit in place of a hash.
        if manager != "conda" {
            let url = locked.filled_pip(written, lines)?;
            let version = node.get("version").and_then(Node::text);
            return locked.add_pip(name, version, &url, || self.hashes(node), lines);
        }
        let url = locked.filled(written, lines)?;
        const ADVICE: &str = "Publish the package in a channel that has an http(s) URL, and regenerate the lock file.";
        let package = address::conda(self.file, &url, Hashes::default(), lines, ADVICE);
        let mut package = package.map_err(|error| or_skip(error, name))?;
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
        package.hashes = self.hashes(node)?;
        package.size = node
            .get("size")
            .and_then(Node::text)
            .and_then(|text| text.parse().ok());
        depends.insert(package.id.name.clone(), dependencies(node));
        locked.packages.push(package);
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
            let text = node.text().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
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
