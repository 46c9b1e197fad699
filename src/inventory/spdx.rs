//! The inventory as an SPDX 2.3 document (<https://spdx.github.io/spdx-spec/v2.3/>), in JSON.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use spdx::Expression;
use spdx::LicenseItem;
use spdx::expression::ExpressionReq;

use super::component::{Component, Inventory};
use condafront_step_spec::inventory::{BASE, IMAGE, SYSTEM};

/// What SPDX says for what is not known.
const UNKNOWN: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
/// When the document was made, as far as it says. Everything else in it follows from what the image is made of.
const CREATED: &str = "1980-01-01T00:00:00Z";

/// Whether a document says which layer holds what. Builders may divide the same packages into different layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layers {
    /// For one image with its layers.
    Told,
    /// For any image of these packages: the document is the same on every builder.
    LeftOut,
}

/// The document for `inventory`.
pub(crate) fn document(inventory: &Inventory, layers: Layers) -> String {
    let mut contents = Contents {
        packages: Vec::new(),
        relationships: Vec::new(),
        last_id: 0,
        layers,
    };
    contents.packages.push(json!({
        "SPDXID": IMAGE,
        "name": "container-image",
        "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
    }));
    contents.relate(DOCUMENT, "DESCRIBES", IMAGE);
    if let Some(base) = &inventory.base {
        let mut package = package(BASE, base);
        package["primaryPackagePurpose"] = "CONTAINER".into();
        contents.packages.push(package);
        contents.relate(IMAGE, "DESCENDANT_OF", BASE);
    }
    for environment in &inventory.environments {
        contents.environment(environment);
    }
    for (index, component) in inventory.system.iter().enumerate() {
        // Numbers of their own, so that those of the environments do not depend on the distribution.
        contents.add_as(&format!("{SYSTEM}{}", index + 1), component, IMAGE);
    }
    let Contents {
        packages,
        relationships,
        ..
    } = contents;
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": "container-image",
        "documentNamespace": "",
        "creationInfo": {
            "created": CREATED,
            "creators": [format!("Tool: condafront-{}", env!("CARGO_PKG_VERSION"))],
            "comment": "The time is always the same: the document follows from the packages alone.",
        },
        "packages": packages,
        "relationships": relationships,
    });
    let hash = hex::encode(Sha256::digest(document.to_string()));
    document["documentNamespace"] = format!("https://spdx.org/spdxdocs/condafront-{hash}").into();
    format!("{document:#}\n")
}

struct Contents {
    packages: Vec<Value>,
    relationships: Vec<Value>,
    last_id: usize,
    layers: Layers,
}

impl Contents {
    fn relate(&mut self, from: &str, how: &str, to: &str) {
        self.relationships.push(json!({
            "spdxElementId": from,
            "relationshipType": how,
            "relatedSpdxElement": to,
        }));
    }

    /// Adds a component, and what it contains; returns its identifier.
    fn add(&mut self, component: &Component, within: &str) -> String {
        self.last_id += 1;
        self.add_as(&format!("SPDXRef-{}", self.last_id), component, within)
    }

    /// Adds a component whose identifier begins like this.
    fn add_as(&mut self, start: &str, component: &Component, within: &str) -> String {
        // Identifiers have letters, digits, dots and hyphens.
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let name = component.name.replace(|c: char| !is_allowed(c), "-");
        let id = format!("{start}-{name}");
        let mut package = package(&id, component);
        if let Some(layer) = component
            .layer
            .as_ref()
            .filter(|_| self.layers == Layers::Told)
        {
            package["comment"] = format!("In the layer \"{layer}\".").into();
        }
        self.packages.push(package);
        self.relate(within, "CONTAINS", &id);
        for inside in &component.contains {
            self.add(inside, &id);
        }
        id
    }

    fn environment(&mut self, components: &[Component]) {
        let ids: Vec<String> = components.iter().map(|it| self.add(it, IMAGE)).collect();
        for (component, id) in components.iter().zip(&ids) {
            for name in &component.depends {
                let found = components.iter().position(|other| other.name == *name);
                if let Some(other) = found.and_then(|index| ids.get(index)) {
                    self.relate(id, "DEPENDS_ON", other);
                }
            }
        }
    }
}

fn package(id: &str, component: &Component) -> Value {
    let location = component.url.as_ref().map_or(UNKNOWN, |url| url.as_str());
    let mut package = json!({
        "SPDXID": id,
        "name": component.name,
        "downloadLocation": location,
        "filesAnalyzed": false,
        "copyrightText": UNKNOWN,
        "licenseConcluded": UNKNOWN,
    });
    if let Some(version) = &component.version {
        package["versionInfo"] = version.as_str().into();
    }
    let license = component.license.as_deref();
    package["licenseDeclared"] = license.and_then(declared).unwrap_or(UNKNOWN.into()).into();
    if let Some(license) = license.filter(|license| declared(license).is_none()) {
        package["licenseComments"] = format!("The package states: {license}").into();
    }
    let hashes = [("SHA256", &component.sha256), ("MD5", &component.md5)];
    let hashes = hashes.into_iter().filter_map(|(algorithm, value)| {
        let value = value.as_ref()?;
        Some(json!({"algorithm": algorithm, "checksumValue": value}))
    });
    let hashes: Vec<Value> = hashes.collect();
    if !hashes.is_empty() {
        package["checksums"] = hashes.into();
    }
    if let Some(purl) = &component.purl {
        package["externalRefs"] = json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl,
        }]);
    }
    package
}

/// A licence in SPDX's form; `None` if it has not that form, or names a text that only the package has.
fn declared(license: &str) -> Option<String> {
    let expression = Expression::parse(license).ok()?;
    let is_listed = |one: &ExpressionReq| {
        let listed = matches!(one.req.license, LicenseItem::Spdx { .. });
        let addition = one.req.addition.as_ref();
        listed && addition.is_none_or(|addition| addition.id().is_some())
    };
    let all_listed = expression.requirements().all(is_listed);
    all_listed.then(|| expression.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::package::Package;
    use condafront_step_spec::facts::{Distribution, PackageFacts};
    use condafront_step_spec::system::{AddedPackage, Manager, Release};

    fn conda(name: &str, license: Option<&str>, depends: &[&str]) -> Component {
        let facts = PackageFacts {
            name: name.to_owned(),
            version: "1.0".to_owned(),
            build: "0".to_owned(),
            subdir: "linux-64".to_owned(),
            license: license.map(str::to_owned),
            sha256: "0".repeat(64),
            md5: "0".repeat(32),
            depends: depends.iter().map(ToString::to_string).collect(),
            contains: vec![Distribution {
                name: format!("Py_{name}"),
                version: "1.0".to_owned(),
            }],
            ..PackageFacts::default()
        };
        Component::conda(&Package::example(name), &facts).in_layer(&format!("[install] {name}"))
    }

    #[test]
    fn a_document_says_what_is_in_an_image() {
        let base = format!("docker.io/library/debian:13-slim@sha256:{}", "1".repeat(64));
        let inventory = Inventory {
            base: Some(Component::image(&base)),
            system: vec![Component::system(
                &AddedPackage {
                    manager: Manager::Apt,
                    name: "libgl1".to_owned(),
                    version: "1:1.7.0-1+b2".to_owned(),
                    architecture: Some("amd64".to_owned()),
                    license: None,
                    source: Some("libglvnd@1.7.0-1".to_owned()),
                },
                Some(&Release {
                    id: "debian".to_owned(),
                    version: Some("13".to_owned()),
                }),
            )],
            environments: vec![
                vec![
                    conda("app", Some("MIT"), &["lib_b", "elsewhere"]),
                    conda("lib_b", Some("BSD 3-Clause"), &[]),
                ],
                vec![Component::built("own 2.0").in_layer("[pip] install 1 package")],
            ],
        };
        let told = document(&inventory, Layers::Told);
        insta::assert_snapshot!(told);
        let left_out = document(&inventory, Layers::LeftOut);
        let kept = |line: &&str| {
            !["comment", "documentNamespace"]
                .iter()
                .any(|it| line.contains(it))
        };
        let lines = |text: &str| {
            text.lines()
                .filter(kept)
                .map(|line| line.trim_end_matches(',').to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(&left_out), lines(&told));
    }

    #[test]
    fn licences_are_declared_if_spdx_lists_them() {
        for (license, expected) in [
            ("MIT", Some("MIT")),
            (
                "Apache-2.0 OR (MIT AND BSD-3-Clause)",
                Some("Apache-2.0 OR (MIT AND BSD-3-Clause)"),
            ),
            (
                "GPL-3.0-or-later WITH GCC-exception-3.1",
                Some("GPL-3.0-or-later WITH GCC-exception-3.1"),
            ),
            ("LicenseRef-Proprietary", None),
            ("BSD 3-Clause", None),
            ("PSF", None),
            ("", None),
            ("MIT\u{1b}[31m", None),
        ] {
            assert_eq!(declared(license).as_deref(), expected, "{license:?}");
        }
    }
}
