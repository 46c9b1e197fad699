//! What an image's inventory says: what it is built on, and those of its packages that nothing else lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::conda::channel_name;
use super::list::{Key, List};
use crate::root::Root;
use crate::untrusted;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::shortened;
use condafront_step_spec::diff::{Details, PackageKind};
use condafront_step_spec::inventory::{BASE, IMAGE, INVENTORY};
use condafront_step_spec::system::Manager;

/// The longest one that is read.
const LONGEST: u64 = 16 << 20;

/// What an inventory says.
pub(super) struct Inventory {
    /// The base image: name, tag and digest.
    pub(super) base: Option<String>,
    /// The conda and PyPI packages.
    pub(super) packages: List,
    /// The packages of the base's distribution that the build added, by what manages them.
    pub(super) system: BTreeMap<Manager, Vec<SystemPackage>>,
}

/// A package of a distribution.
pub(super) struct SystemPackage {
    pub(super) name: String,
    pub(super) architecture: String,
    pub(super) details: Details,
}

#[derive(Deserialize)]
struct Document {
    packages: Vec<Package>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: String,
    #[serde(rename = "relationshipType")]
    how: String,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(default)]
    version_info: String,
    #[serde(default)]
    license_declared: String,
    #[serde(default)]
    external_refs: Vec<Reference>,
    #[serde(default)]
    checksums: Vec<Checksum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_locator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: String,
    checksum_value: String,
}

/// Reads the inventory of an image, which is in one of `prefixes`; `None` if there is none.
pub(super) fn read(root: &Root, prefixes: &[String]) -> Option<Inventory> {
    let text = prefixes.iter().find_map(|prefix| {
        let path = root.resolve(&Path::new(prefix).join(INVENTORY)).ok()?;
        untrusted::read(&root.outside(&path), LONGEST).ok()
    });
    parse(&text?)
}

pub(super) fn parse(text: &[u8]) -> Option<Inventory> {
    let document: Document = serde_json::from_slice(text).ok()?;
    let mut inventory = Inventory {
        base: None,
        packages: List::default(),
        system: BTreeMap::new(),
    };
    // Distributions in conda packages.
    let is_inside = |it: &&Relationship| it.how == "CONTAINS" && it.from != IMAGE;
    let inside = document.relationships.iter().filter(is_inside);
    let inside: BTreeSet<&str> = inside.map(|it| it.to.as_str()).collect();
    for package in document.packages {
        if inside.contains(package.id.as_str()) {
            continue;
        }
        if package.id == BASE {
            inventory.base = Some(shortened(&base(&package), 300));
            continue;
        }
        let purl = package.external_refs.first();
        let purl = purl
            .map(|one| one.reference_locator.as_str())
            .unwrap_or_default();
        let qualifier = |key: &str| {
            let (_, qualifiers) = purl.split_once('?')?;
            let mut all = qualifiers.split('&').filter_map(|one| one.split_once('='));
            let (_, value) = all.find(|(name, _)| *name == key)?;
            Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
        };
        let license = Some(package.license_declared.clone());
        let details = Details {
            version: package.version_info.clone(),
            build: qualifier("build"),
            channel: qualifier("channel").map(|channel| channel_name(&channel)),
            license: license.filter(|it| !["", "NOASSERTION"].contains(&it.as_str())),
            sha256: sha256(&package).map(str::to_owned),
            bytes: None,
        };
        let kind = purl
            .strip_prefix("pkg:")
            .and_then(|purl| purl.split('/').next());
        let manager = match kind {
            Some("deb") => Some(Manager::Apt),
            Some("apk") => Some(Manager::Apk),
            Some("rpm") => Some(Manager::Dnf),
            _ => None,
        };
        if let Some(manager) = manager {
            let one = SystemPackage {
                architecture: qualifier("arch").unwrap_or_default(),
                name: package.name,
                details,
            };
            inventory.system.entry(manager).or_default().push(one);
            continue;
        }
        let (kind, name) = match kind {
            Some("conda") => (PackageKind::Conda, package.name.clone()),
            Some("pypi") => (PackageKind::Pypi, normalized(&package.name)),
            _ => continue,
        };
        let key = Key {
            kind,
            environment: Some("base".to_owned()),
            name,
        };
        inventory.packages.add(key, details, &package.id);
    }
    Some(inventory)
}

fn sha256(package: &Package) -> Option<&str> {
    let found = package
        .checksums
        .iter()
        .find(|one| one.algorithm == "SHA256");
    found.map(|one| one.checksum_value.as_str())
}

fn base(package: &Package) -> String {
    let mut base = package.name.clone();
    if !package.version_info.is_empty() && !package.version_info.starts_with("sha256:") {
        base.push_str(&format!(":{}", package.version_info));
    }
    if let Some(digest) = sha256(package) {
        base.push_str(&format!("@sha256:{digest}"));
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_lists_packages_and_the_base() {
        let text = r#"{"packages": [
            {"SPDXID": "SPDXRef-image", "name": "container-image"},
            {"SPDXID": "SPDXRef-base", "name": "docker.io/library/debian", "versionInfo": "13-slim",
             "checksums": [{"algorithm": "SHA256", "checksumValue": "ab"}]},
            {"SPDXID": "SPDXRef-1-a", "name": "a", "versionInfo": "1.0", "licenseDeclared": "MIT",
             "externalRefs": [{"referenceLocator": "pkg:conda/a@1.0?build=0&channel=https://c.example/my%2520own&subdir=noarch"}]},
            {"SPDXID": "SPDXRef-2-B", "name": "B_b", "versionInfo": "2", "licenseDeclared": "NOASSERTION",
             "externalRefs": [{"referenceLocator": "pkg:pypi/b-b@2"}]},
            {"SPDXID": "SPDXRef-3-in", "name": "in", "externalRefs": [{"referenceLocator": "pkg:pypi/in@2"}]},
            {"SPDXID": "SPDXRef-system-1-c", "name": "c", "versionInfo": "1:3", "licenseDeclared": "MIT",
             "externalRefs": [{"referenceLocator": "pkg:rpm/fedora/c@3?arch=noarch&epoch=1"}]}],
            "relationships": [
                {"spdxElementId": "SPDXRef-image", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-1-a"},
                {"spdxElementId": "SPDXRef-1-a", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-3-in"}]}"#;
        let found = parse(text.as_bytes()).unwrap();
        assert_eq!(
            found.base.as_deref(),
            Some("docker.io/library/debian:13-slim@sha256:ab")
        );
        let packages = found.packages.into_packages().into_iter();
        let packages: Vec<String> = packages
            .map(|(key, it)| {
                format!(
                    "{} {} {:?} {:?}",
                    key.name, it.version, it.channel, it.license
                )
            })
            .collect();
        assert_eq!(
            packages,
            [
                "a 1.0 Some(\"https://c.example/my%20own\") Some(\"MIT\")",
                "b-b 2 None None"
            ]
        );
        let of_dnf = &found.system[&Manager::Dnf];
        let of_dnf = of_dnf
            .iter()
            .map(|it| (&*it.name, &*it.details.version, &*it.architecture));
        assert_eq!(of_dnf.collect::<Vec<_>>(), [("c", "1:3", "noarch")]);
        assert!(parse(b"[]").is_none());
    }
}
