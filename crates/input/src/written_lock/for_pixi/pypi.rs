//! What a lock says about PyPI packages: their files, where they come from, and which of them are in conda packages.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use pep508_rs::pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{PackageName, Requirement};
use rattler_conda_types::PackageUrl as Purl;
use rattler_lock::{
    CondaPackageData, FindLinksUrlOrPath, LockFile, LockedPackage, PackageHashes,
    PypiDistributionData, PypiIndexes as LockedIndexes, PypiPackageData, PypiPrereleaseMode,
    PypiSourceData, SourceData, UrlOrPath, Verbatim,
};
use serde_json::json;
use url::Url;

use crate::environment_input::PypiIndexes;
use crate::lock_terms::PYPI_ORG;
use crate::locked::address::DIRECT;
use crate::pixi_lock;
use crate::requirements::is_readable;
use crate::written_lock::content::{LocalPypi, LockedPypi, RepositoryPypi};
use condafront_model::package::PackageUrl;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::source::{Diagnostic, SourceFile};

/// A package, as a lock has it.
///
/// # Errors
/// What `fail` makes of the reason why it cannot be in such a lock.
pub(super) fn data(
    pip: &LockedPypi<'_>,
    package: &PipPackage,
    fail: &dyn Fn(&dyn Display) -> Diagnostic,
) -> Result<PypiPackageData, Diagnostic> {
    let version = package.version.clone().or_else(|| package.file_version());
    let version = version.unwrap_or_else(|| "0".to_owned());
    let name = PackageName::new(package.name.clone()).map_err(|error| fail(&error))?;
    let version = Version::from_str(&version).map_err(|error| fail(&error))?;
    let hashes = &package.hashes;
    let hash: Option<PackageHashes> = match (&hashes.sha256, &hashes.md5) {
        (None, None) => None,
        (Some(sha256), _) => Some(json!({ "sha256": sha256 })),
        (None, Some(md5)) => Some(json!({ "md5": md5 })),
    }
    .map(serde_json::from_value)
    .transpose()
    .map_err(|error| fail(&error))?;
    let url = package.url.recorded_file();
    let direct = pip.direct.get(&normalized(&package.name));
    let (url, index_url) = if let Some(fragment) = direct {
        let mut url = url;
        // pixi compares the whole address with that in the manifest.
        url.set_fragment(fragment.as_deref());
        let url = Url::parse(&format!("{DIRECT}{url}")).map_err(|error| fail(&error))?;
        (url, None)
    } else {
        (url, pip.indexes.and_then(only_index))
    };
    Ok(PypiPackageData::Distribution(Box::new(
        PypiDistributionData {
            name,
            version,
            location: UrlOrPath::Url(url).into(),
            index_url,
            hash,
            requires_dist: requirements(&package.requires_dist),
            requires_python: python(package.requires_python.as_deref()),
        },
    )))
}

/// A package of the user's folders, as a lock has it: without a version if it is built from a folder, whose content may change.
///
/// # Errors
/// What `fail` makes of the reason why it cannot be in such a lock.
pub(super) fn local(
    package: &LocalPypi,
    fail: &dyn Fn(&dyn Display) -> Diagnostic,
) -> Result<PypiPackageData, Diagnostic> {
    let name = PackageName::new(package.name.clone()).map_err(|error| fail(&error))?;
    let path = match package.path.as_str() {
        "" | "." => "./".to_owned(),
        path if path.starts_with("../") => path.to_owned(),
        path => format!("./{path}"),
    };
    let location = UrlOrPath::from_str(&path).map_err(|error| fail(&error))?;
    let location = Verbatim::new_with_given(location, path);
    let requires_dist = requirements(&package.requires_dist);
    let requires_python = python(package.requires_python.as_deref());
    if package.is_folder {
        return Ok(PypiPackageData::Source(Box::new(PypiSourceData {
            name,
            location,
            requires_dist,
            requires_python,
            source_data: SourceData::default(),
        })));
    }
    let version = Version::from_str(&package.version).map_err(|error| fail(&error))?;
    Ok(PypiPackageData::Distribution(Box::new(
        PypiDistributionData {
            name,
            version,
            location,
            index_url: None,
            hash: None,
            requires_dist,
            requires_python,
        },
    )))
}

/// A package of a git repository, as a lock has it.
///
/// # Errors
/// What `fail` makes of the reason why it cannot be in such a lock.
pub(super) fn repository(
    package: &RepositoryPypi,
    fail: &dyn Fn(&dyn Display) -> Diagnostic,
) -> Result<PypiPackageData, Diagnostic> {
    let name = PackageName::new(package.name.clone()).map_err(|error| fail(&error))?;
    let version = package.version.as_deref().unwrap_or("0");
    let version = Version::from_str(version).map_err(|error| fail(&error))?;
    let url = Url::parse(&package.address_of_pixi()).map_err(|error| fail(&error))?;
    Ok(PypiPackageData::Distribution(Box::new(
        PypiDistributionData {
            name,
            version,
            location: UrlOrPath::Url(url).into(),
            index_url: None,
            hash: None,
            requires_dist: requirements(&package.requires_dist),
            requires_python: python(package.requires_python.as_deref()),
        },
    )))
}

/// Whether the packages of the environment `name` of a lock come from where a manifest says now.
pub fn has_indexes(lock: &Arc<SourceFile>, name: &str, said: &PypiIndexes) -> bool {
    let Ok(lock) = pixi_lock::parsed(lock) else {
        return false;
    };
    lock.environment(name).is_some_and(|environment| {
        environment.pypi_indexes() == Some(&indexes(said))
            && environment.solve_options().pypi_prerelease_mode == prerelease_mode(said)
    })
}

/// Where packages come from.
pub(super) fn indexes(said: &PypiIndexes) -> LockedIndexes {
    let recorded = |text: &String| {
        let url = Url::parse(text).ok()?;
        Some(PackageUrl::new(url).recorded())
    };
    let index = said.index.clone().unwrap_or_else(|| PYPI_ORG.to_owned());
    let indexes = std::iter::once(&index).chain(&said.more);
    let links = said.links.iter().filter_map(recorded);
    LockedIndexes {
        indexes: indexes.filter_map(recorded).collect(),
        find_links: links.map(FindLinksUrlOrPath::Url).collect(),
    }
}

/// How prereleases count: as by default, unless the manifest has a word for it that pixi knows.
pub(super) fn prerelease_mode(said: &PypiIndexes) -> PypiPrereleaseMode {
    let mode = said.prerelease_mode.as_deref();
    mode.and_then(|mode| serde_json::from_value(json!(mode)).ok())
        .unwrap_or_default()
}

/// The index that all packages come from, if there is only one.
fn only_index(said: &PypiIndexes) -> Option<Url> {
    let mut all = indexes(said);
    let is_only = all.indexes.len() == 1 && all.find_links.is_empty();
    all.indexes.pop().filter(|_| is_only)
}

/// Package URLs of Python distributions (<https://github.com/package-url/purl-spec>).
pub(super) fn purls(names: &BTreeSet<String>) -> Result<BTreeSet<Purl>, <Purl as FromStr>::Err> {
    let all = names.iter().map(|name| format!("pkg:pypi/{name}"));
    all.map(|text| Purl::from_str(&text)).collect()
}

/// What the old lock says about the Python distributions in conda packages, by address.
pub(super) fn known_purls(old: Option<&LockFile>) -> HashMap<Url, BTreeSet<Purl>> {
    let packages = old.into_iter().flat_map(LockFile::packages);
    let binary = packages.filter_map(|package| match package {
        LockedPackage::Conda(CondaPackageData::Binary(data)) => Some(data),
        _ => None,
    });
    let known = binary.filter_map(|data| {
        let UrlOrPath::Url(url) = &data.location else {
            return None;
        };
        let url = PackageUrl::new(url.clone()).recorded();
        Some((url, data.package_record.purls.clone()?))
    });
    known.collect()
}

/// What a package says that it needs. What the library cannot read is left out.
fn requirements(texts: &[String]) -> Vec<Requirement> {
    let readable = texts.iter().filter(|text| is_readable(text));
    let found = readable.filter_map(|text| Requirement::from_str(text).ok());
    found.collect()
}

/// The versions of python that a package says that it works with.
fn python(text: Option<&str>) -> Option<VersionSpecifiers> {
    VersionSpecifiers::from_str(text?).ok()
}

/// Where packages of the old lock come from, without what the new one must not have.
pub(super) fn without_credentials(indexes: &LockedIndexes) -> LockedIndexes {
    let without = |url: &Url| PackageUrl::new(url.clone()).recorded();
    let link = |link: &FindLinksUrlOrPath| match link {
        FindLinksUrlOrPath::Path(path) => FindLinksUrlOrPath::Path(path.clone()),
        FindLinksUrlOrPath::Url(url) => FindLinksUrlOrPath::Url(without(url)),
    };
    LockedIndexes {
        indexes: indexes.indexes.iter().map(without).collect(),
        find_links: indexes.find_links.iter().map(link).collect(),
    }
}
