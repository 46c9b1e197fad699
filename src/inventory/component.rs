//! The parts of an image, and where they come from.

use std::collections::BTreeSet;

use packageurl::PackageUrl;
use url::Url;

use condafront_model::package::Package;
use condafront_model::pypi_package::PipPackage;
use condafront_step_spec::facts::{Distribution, PackageFacts};
use condafront_step_spec::system::{AddedPackage, Manager, Release};

/// Channels below these are known by their names alone.
const KNOWN: [&str; 2] = [
    "https://conda.anaconda.org/",
    "https://repo.anaconda.com/pkgs/",
];

/// What an image contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// The image that it is built on.
    pub(crate) base: Option<Component>,
    /// The packages of its distribution that the build added.
    pub(crate) system: Vec<Component>,
    /// The packages of each environment.
    pub(crate) environments: Vec<Vec<Component>>,
}

impl Inventory {
    /// Leaves out which layer holds what, where everything is in one.
    pub(crate) fn forget_layers(&mut self) {
        for component in self.environments.iter_mut().flatten() {
            component.layer = None;
        }
    }
}

/// A part of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Component {
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// Its package URL (<https://github.com/package-url/purl-spec>).
    pub(super) purl: Option<String>,
    /// Where it was downloaded from.
    pub(super) url: Option<Url>,
    pub(super) sha256: Option<String>,
    pub(super) md5: Option<String>,
    /// The licence as the package states it.
    pub(super) license: Option<String>,
    /// The layer that holds it, as the image's history names it.
    pub(super) layer: Option<String>,
    /// The names of packages of the same environment that it depends on.
    pub(super) depends: BTreeSet<String>,
    pub(super) contains: Vec<Component>,
}

impl Component {
    /// The base image, by its name with tag and digest.
    pub(crate) fn image(reference: &str) -> Self {
        let (name, digest) = match reference.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (reference, None),
        };
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let last = repository.rsplit('/').next().unwrap_or(repository);
        let qualifiers = [("repository_url", Some(repository)), ("tag", tag)];
        Self {
            name: repository.to_owned(),
            version: tag.or(digest).map(str::to_owned),
            purl: purl("oci", &last.to_lowercase(), digest, qualifiers),
            sha256: digest
                .and_then(|digest| digest.strip_prefix("sha256:"))
                .map(str::to_owned),
            ..Self::default()
        }
    }

    /// A conda package: what the environment's plan and the package itself say.
    pub(crate) fn conda(planned: &Package, facts: &PackageFacts) -> Self {
        let channel = channel(planned.url.channel());
        let archive = planned.id.format.suffix().trim_start_matches('.');
        let qualifiers = [
            ("build", Some(facts.build.as_str())),
            ("channel", Some(&channel)),
            ("subdir", Some(&facts.subdir)),
            ("type", Some(archive)),
        ];
        Self {
            name: facts.name.clone(),
            version: Some(facts.version.clone()),
            purl: purl("conda", &facts.name, Some(&facts.version), qualifiers),
            url: Some(planned.url.recorded()),
            sha256: Some(facts.sha256.clone()),
            md5: Some(facts.md5.clone()),
            license: facts.license.clone(),
            layer: None,
            depends: facts.depends.clone(),
            contains: facts.contains.iter().map(Self::distribution).collect(),
        }
    }

    /// A Python distribution inside another component.
    fn distribution(found: &Distribution) -> Self {
        Self {
            name: found.name.clone(),
            version: Some(found.version.clone()),
            purl: pypi(&found.name, Some(&found.version)),
            ..Self::default()
        }
    }

    /// A package from a PyPI index.
    pub(crate) fn pypi(package: &PipPackage) -> Self {
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            purl: pypi(&package.name, package.version.as_deref()),
            url: Some(package.url.recorded_file()),
            sha256: package.hashes.sha256.clone(),
            md5: package.hashes.md5.clone(),
            ..Self::default()
        }
    }

    /// A package of the base image's distribution.
    pub(crate) fn system(package: &AddedPackage, release: Option<&Release>) -> Self {
        let (kind, vendor) = match package.manager {
            Manager::Apt => ("deb", "debian"),
            Manager::Apk => ("apk", "alpine"),
            Manager::Dnf => ("rpm", "fedora"),
        };
        let vendor = release.map_or(vendor, |release| &release.id);
        let distro = release.map(|release| match &release.version {
            Some(version) => format!("{}-{version}", release.id),
            None => release.id.clone(),
        });
        let (epoch, version) = match package.version.split_once(':') {
            Some((epoch, version)) if package.manager == Manager::Dnf => (Some(epoch), version),
            _ => (None, package.version.as_str()),
        };
        let qualifiers = [
            ("arch", package.architecture.as_deref()),
            ("distro", distro.as_deref()),
            ("epoch", epoch),
            ("upstream", package.source.as_deref()),
        ];
        Self {
            name: package.name.clone(),
            version: Some(package.version.clone()),
            purl: purl_in(vendor, kind, &package.name, Some(version), qualifiers),
            license: package.license.clone(),
            ..Self::default()
        }
    }

    /// A Python package that the build made of the user's own files; `label` is its name, or name and version.
    pub(crate) fn built(label: &str) -> Self {
        let (name, version) = match label.rsplit_once(' ') {
            Some((name, version)) => (name, Some(version)),
            None => (label, None),
        };
        Self {
            name: name.to_owned(),
            version: version.map(str::to_owned),
            ..Self::default()
        }
    }

    /// The component's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The same, in the layer with this name.
    pub(crate) fn in_layer(mut self, name: &str) -> Self {
        self.layer = Some(name.to_owned());
        self
    }
}

/// A PyPI project's package URL.
fn pypi(name: &str, version: Option<&str>) -> Option<String> {
    purl("pypi", name, version, [])
}

/// A package URL; `None` if there can be none for such a name.
fn purl<const N: usize>(
    kind: &str,
    name: &str,
    version: Option<&str>,
    qualifiers: [(&str, Option<&str>); N],
) -> Option<String> {
    purl_in("", kind, name, version, qualifiers)
}

/// The same, in a namespace.
fn purl_in<const N: usize>(
    namespace: &str,
    kind: &str,
    name: &str,
    version: Option<&str>,
    qualifiers: [(&str, Option<&str>); N],
) -> Option<String> {
    let mut url = PackageUrl::new(kind, name).ok()?;
    if !namespace.is_empty() {
        url.with_namespace(namespace).ok()?;
    }
    if let Some(version) = version {
        url.with_version(version).ok()?;
    }
    for (key, value) in qualifiers {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            url.add_qualifier(key, value).ok()?;
        }
    }
    Some(url.to_string())
}

/// A channel's name if everybody knows it, otherwise its address.
fn channel(address: String) -> String {
    let mut names = KNOWN.iter().filter_map(|host| address.strip_prefix(host));
    names.next().map(str::to_owned).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_name_what_databases_know() {
        let conda = |url: &str| {
            let mut planned = Package::example("absl-py");
            planned.url = condafront_model::package::PackageUrl::new(Url::parse(url).unwrap());
            let facts = PackageFacts {
                name: "absl-py".to_owned(),
                version: "1!2.0".to_owned(),
                build: "py_0".to_owned(),
                subdir: "noarch".to_owned(),
                ..PackageFacts::default()
            };
            Component::conda(&planned, &facts).purl.unwrap()
        };
        let image = |name: &str| Component::image(name).purl.unwrap();
        let digest = format!("sha256:{}", "0".repeat(64));
        let found = [
            conda("https://conda.anaconda.org/conda-forge/noarch/absl-py-1-0.conda"),
            conda("https://repo.anaconda.com/pkgs/main/noarch/absl-py-1-0.conda"),
            conda("https://me:secret@c.example/t/tk-123/own/noarch/absl-py-1-0.conda?key=secret"),
            conda("https://g.example/own/noarch/absl-py-1-0.conda?raw=true"),
            image(&format!("docker.io/library/debian:13-slim@{digest}")),
            image("localhost:5000/base"),
            pypi("Zope.Interface_x", Some("1.0+local")).unwrap(),
        ];
        insta::assert_snapshot!(found.join("\n"));
    }
}
