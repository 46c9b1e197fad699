//! conda-lock.yml, version 1 (<https://conda.org/learn/ceps/cep-0037>).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use url::Url;

use super::content::{LockedPlatform, NewLock, unreadable};
use crate::yaml::{self, Node, ScalarKind, Value};
use condafront_model::package::{Hashes, Package, PackageUrl};
use condafront_model::pypi_package::{is_for_extra, normalized, requirement_name};
use condafront_model::source::Diagnostic;

/// The hash of a platform whose old lock has none: that of nothing.
pub(super) const NO_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The lock as text.
///
/// # Errors
/// If the old lock has packages for other platforms and cannot be read.
pub fn render(lock: &NewLock<'_>) -> Result<String, Diagnostic> {
    let old = match lock.old {
        Some(file) => {
            let text = file.text()?;
            Some(yaml::read(file, text).map_err(|error| unreadable(file, error))?)
        }
        None => None,
    };
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(lock, old.as_ref(), &mut text);
    Ok(text)
}

fn write(lock: &NewLock<'_>, old: Option<&Node>, out: &mut String) -> fmt::Result {
    let new: BTreeSet<&str> = lock.platforms().map(|one| one.platform.subdir()).collect();
    let kept = kept(old, &new);
    let version = env!("CARGO_PKG_VERSION");
    writeln!(
        out,
        "# made by condafront {version} from {}",
        one_line(lock.source)
    )?;
    writeln!(out, "version: 1")?;
    metadata(lock, old, &kept, out)?;
    writeln!(out, "package:")?;
    let mut entries: Vec<(String, String, String)> = Vec::new();
    for platform in lock.platforms() {
        for package in platform.packages {
            let name = package.id.name.clone();
            let subdir = platform.platform.subdir().to_owned();
            entries.push((name, subdir, conda(platform, package)));
        }
        for package in platform.pip.packages {
            let version = package.version.clone().or_else(|| package.file_version());
            let fields = Fields {
                name: &package.name,
                version: version.as_deref().unwrap_or_default(),
                manager: "pip",
                platform: platform.platform.subdir(),
                dependencies: of_pypi(platform, &package.requires_dist),
                url: package.url.recorded_file().to_string(),
                hashes: &package.hashes,
            };
            let subdir = platform.platform.subdir().to_owned();
            entries.push((package.name.clone(), subdir, fields.text()));
        }
        for package in platform.pip.repositories {
            let fields = Fields {
                name: &package.name,
                version: package.version.as_deref().unwrap_or_default(),
                manager: "pip",
                platform: platform.platform.subdir(),
                dependencies: of_pypi(platform, &package.requires_dist),
                url: package.address(),
                hashes: &Hashes::default(),
            };
            let subdir = platform.platform.subdir().to_owned();
            entries.push((package.name.clone(), subdir, fields.text()));
        }
    }
    for (name, subdir, node) in kept {
        let mut text = String::new();
        item(node, &mut text)?;
        entries.push((name.to_owned(), subdir.to_owned(), text));
    }
    entries.sort();
    for (.., text) in entries {
        out.push_str(&text);
    }
    Ok(())
}

/// The entries of other platforms: names, subdirs and entries.
fn kept<'n>(old: Option<&'n Node>, new: &BTreeSet<&str>) -> Vec<(&'n str, &'n str, &'n Node)> {
    let entries = old.and_then(|old| old.get("package")?.list());
    let entries = entries.unwrap_or_default().iter().filter_map(|entry| {
        let name = entry.get("name")?.text()?;
        let subdir = entry.get("platform")?.text()?;
        (!new.contains(subdir)).then_some((name, subdir, entry))
    });
    entries.collect()
}

fn metadata(
    lock: &NewLock<'_>,
    old: Option<&Node>,
    kept: &[(&str, &str, &Node)],
    out: &mut String,
) -> fmt::Result {
    let old = old.and_then(|old| old.get("metadata"));
    let mut hashes: BTreeMap<&str, String> = BTreeMap::new();
    for one in lock.platforms() {
        hashes.insert(one.platform.subdir(), content_hash(one));
    }
    for (_, subdir, _) in kept {
        let hash = old.and_then(|old| old.get("content_hash")?.get(subdir)?.text());
        hashes.insert(subdir, hash.unwrap_or(NO_HASH).to_owned());
    }
    writeln!(out, "metadata:\n  content_hash:")?;
    for (subdir, hash) in &hashes {
        writeln!(out, "    {}: {}", quoted(subdir), quoted(hash))?;
    }
    writeln!(out, "  channels:")?;
    let channels = lock.platforms().next().map(|one| &one.request.channels);
    for channel in channels.into_iter().flatten() {
        let url = channel.url.recorded();
        writeln!(out, "  - url: {}\n    used_env_vars: []", quoted(&url))?;
    }
    writeln!(out, "  platforms:")?;
    for subdir in hashes.keys() {
        writeln!(out, "  - {}", quoted(subdir))?;
    }
    writeln!(out, "  sources:\n  - {}", quoted(lock.source))
}

/// A hash of what was asked and found for a platform. conda-lock wants one for each platform when it installs from a lock
/// (`render_lockfile_for_platform` in its `conda_lock.py`). Its own is of the environment file and of the machine that it takes the
/// platform for, which is not the image's, so `conda-lock --check-input-hash` solves again.
fn content_hash(platform: &LockedPlatform<'_>) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text);
        hash.update("\n");
    };
    for channel in &platform.request.channels {
        add(&channel.url.recorded());
    }
    for spec in &platform.request.specs {
        add(&spec.spec);
    }
    for package in platform.packages {
        add(package.url.recorded_file().as_ref());
    }
    for package in platform.pip.packages {
        add(package.url.recorded_file().as_ref());
    }
    for package in platform.pip.repositories {
        add(&package.address());
    }
    hex::encode(hash.finalize())
}

/// What a PyPI package needs of the packages of the lock: their names, and versions. What only extras need is left out, as
/// conda-lock does. Other markers are not read: what they leave out is usually not in the lock.
fn of_pypi(platform: &LockedPlatform<'_>, requires_dist: &[String]) -> BTreeMap<String, String> {
    let pip = &platform.pip;
    let conda = platform.packages.iter().map(|one| one.id.name.as_str());
    let known = conda.chain(pip.packages.iter().map(|one| one.name.as_str()));
    let known = known.chain(pip.repositories.iter().map(|one| one.name.as_str()));
    let known: BTreeSet<String> = known.map(normalized).collect();
    let mut all = BTreeMap::new();
    for text in requires_dist {
        let (requirement, marker) = text.split_once(';').unwrap_or((text, ""));
        let Some(name) = requirement_name(requirement) else {
            continue;
        };
        if is_for_extra(marker) || !known.contains(&name) {
            continue;
        }
        let version = requirement
            .trim()
            .trim_start_matches(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        let version = version.trim();
        let version = match version
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            Some((_, version)) => version,
            None => version,
        };
        let version: String = version
            .chars()
            .filter(|c| !c.is_whitespace() && !"()".contains(*c))
            .collect();
        let version = if version.is_empty() || version.starts_with('@') {
            "*".to_owned()
        } else {
            version
        };
        all.entry(name).or_insert(version);
    }
    all
}

fn conda(platform: &LockedPlatform<'_>, package: &Package) -> String {
    let depends = platform.record(package).map(|record| &record.depends);
    let mut dependencies: BTreeMap<String, String> = BTreeMap::new();
    for text in depends.into_iter().flatten() {
        let (name, version) = text.split_once(' ').unwrap_or((text, ""));
        let known = dependencies.entry(name.to_owned()).or_default();
        // Of several conditions for a package, all must hold.
        if !known.is_empty() && !version.is_empty() {
            known.push(',');
        }
        known.push_str(version);
    }
    let fields = Fields {
        name: &package.id.name,
        version: &package.id.version,
        manager: "conda",
        platform: platform.platform.subdir(),
        dependencies,
        url: package.url.recorded().to_string(),
        hashes: &package.hashes,
    };
    fields.text()
}

/// An entry.
struct Fields<'a> {
    name: &'a str,
    version: &'a str,
    manager: &'a str,
    platform: &'a str,
    dependencies: BTreeMap<String, String>,
    url: String,
    hashes: &'a Hashes,
}

impl Fields<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "- name: {}", quoted(self.name))?;
        writeln!(out, "  version: {}", quoted(self.version))?;
        writeln!(out, "  manager: {}", self.manager)?;
        writeln!(out, "  platform: {}", self.platform)?;
        if self.dependencies.is_empty() {
            writeln!(out, "  dependencies: {{}}")?;
        } else {
            writeln!(out, "  dependencies:")?;
            for (name, version) in &self.dependencies {
                writeln!(out, "    {}: {}", quoted(name), quoted(version))?;
            }
        }
        writeln!(out, "  url: {}", quoted(&self.url))?;
        if *self.hashes == Hashes::default() {
            writeln!(out, "  hash: {{}}")?;
        } else {
            writeln!(out, "  hash:")?;
        }
        for (name, hash) in [("md5", &self.hashes.md5), ("sha256", &self.hashes.sha256)] {
            if let Some(hash) = hash {
                writeln!(out, "    {name}: {}", quoted(hash))?;
            }
        }
        writeln!(out, "  category: main\n  optional: false")
    }
}

/// A string as YAML.
fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// An entry of another platform, as it was. Credentials are left out.
fn item(node: &Node, out: &mut String) -> fmt::Result {
    let fields = node.mapping().unwrap_or_default();
    for (index, (key, value)) in fields.iter().enumerate() {
        let start = if index == 0 { "- " } else { "  " };
        writeln!(
            out,
            "{start}{}: {}",
            quoted(&key.name),
            flow(&key.name, value)
        )?;
    }
    Ok(())
}

/// A value on one line.
fn flow(key: &str, node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Scalar { text, kind } => match kind {
            ScalarKind::String if key == "url" => quoted(&without_credentials(text)),
            ScalarKind::String => quoted(text),
            ScalarKind::Number | ScalarKind::Bool => text.clone(),
        },
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| flow("", item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(&key.name), flow(&key.name, value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

fn without_credentials(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if PackageUrl::new(url.clone()).has_credentials() => {
            PackageUrl::new(url).recorded_file().to_string()
        }
        _ => text.to_owned(),
    }
}

/// `text` without line breaks, which would end a comment.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
