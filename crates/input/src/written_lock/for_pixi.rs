//! pixi.lock, in the newest version that `rattler_lock`, pixi's own library, writes, and the conda.lock of conda-workspaces,
//! which is much the same.

mod pypi;

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use rattler_conda_types::package::DistArchiveIdentifier;
use rattler_conda_types::{ChannelUrl, PackageRecord, PackageUrl as Purl, Subdir};
use rattler_lock::options::ChannelPriority as LockedPriority;
use rattler_lock::{
    CondaBinaryData, CondaPackageData, LockFile, LockFileBuilder, LockedPackage, PlatformData,
    PlatformName, PypiPackageData, SolveOptions, UrlOrPath,
};
use serde_json::json;
use url::Url;

use super::content::{LockedPlatform, LockedPypi, NewLock, unreadable};
use crate::{pixi_lock, platform_name};
use condafront_model::channel::ChannelPriority;
use condafront_model::package::{Package, PackageUrl};
use condafront_model::source::Diagnostic;

pub use self::pypi::has_indexes;

/// The conda.lock of conda-workspaces as text: the same tables in a version of its own, and without a list of platforms.
///
/// # Errors
/// Those of [`render`].
pub fn render_for_workspaces(lock: &NewLock<'_>) -> Result<String, Diagnostic> {
    let text = render(lock)?;
    let mut out = "version: 1\n".to_owned();
    let rest = text
        .find("\nenvironments:")
        .map_or("", |at| &text[at + 1..]);
    out.push_str(rest);
    Ok(out)
}

/// The lock as text.
///
/// # Errors
/// If the old lock has other environments or platforms and cannot be read, or if a package cannot be in such a lock.
pub fn render(lock: &NewLock<'_>) -> Result<String, Diagnostic> {
    let old = match lock.old {
        Some(file) => Some(pixi_lock::parsed(file).map_err(|error| unreadable(file, error))?),
        None => None,
    };
    let mut writer = Writer {
        builder: LockFile::builder(),
        lock,
        purls: pypi::known_purls(old.as_ref()),
        old,
    };
    writer.platforms()?;
    writer.kept()?;
    for environment in lock.environments {
        for platform in &environment.platforms {
            writer.platform(environment.name, platform)?;
        }
    }
    let text = writer.builder.finish().render_to_string();
    text.map_err(|error| writer_failed(lock, error))
}

fn writer_failed(lock: &NewLock<'_>, error: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(format!(
        "the lock of {} cannot be written: {error}",
        lock.source
    ))
}

struct Writer<'l, 'a> {
    builder: LockFileBuilder,
    lock: &'l NewLock<'a>,
    /// The lock that it takes the place of.
    old: Option<LockFile>,
    /// The Python distributions in that one's conda packages, by address.
    purls: HashMap<Url, BTreeSet<Purl>>,
}

impl Writer<'_, '_> {
    fn fail(&self, error: impl std::fmt::Display) -> Diagnostic {
        writer_failed(self.lock, error)
    }

    /// Lists the platforms, those of the old lock among them.
    fn platforms(&mut self) -> Result<(), Diagnostic> {
        let old = self.old.as_ref();
        let mut all: Vec<PlatformData> = Vec::new();
        for platform in self.lock.platforms() {
            if all
                .iter()
                .any(|known| known.name.as_str() == platform.name())
            {
                continue;
            }
            let subdir = Subdir::from_str(platform.platform.subdir());
            let subdir = subdir.map_err(|error| self.fail(error))?;
            let name = PlatformName::try_from(platform.name().to_owned());
            let mut known = old.into_iter().flat_map(LockFile::platforms);
            let known = known.find(|known| platform.is(known.name().as_str(), &made(known)));
            let of_machine = platform.machine.map(|one| one.virtual_packages.clone());
            let of_machine = of_machine.filter(|listed| !listed.is_empty());
            let known = known.map(|known| known.virtual_packages().to_vec());
            all.push(PlatformData {
                name: name.map_err(|error| self.fail(error))?,
                subdir,
                virtual_packages: of_machine.or(known).unwrap_or_default(),
            });
        }
        for platform in old.into_iter().flat_map(LockFile::platforms) {
            // Those that no environment has any more are left out.
            let is_used = old
                .into_iter()
                .flat_map(LockFile::environments)
                .any(|(name, one)| {
                    let mut platforms = one.platforms();
                    platforms.any(|known| known.name() == platform.name())
                        && self.stays(name, &platform)
                });
            let name = self.name_of(&platform);
            if is_used && !all.iter().any(|known| known.name.as_str() == name) {
                all.push(PlatformData {
                    name: platform.name().clone(),
                    subdir: platform.subdir(),
                    virtual_packages: platform.virtual_packages().to_vec(),
                });
            }
        }
        all.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
        let builder = std::mem::take(&mut self.builder).with_platforms(all);
        self.builder = builder.map_err(|error| self.fail(error))?;
        Ok(())
    }

    /// Adds what the old lock has for other environments and platforms.
    fn kept(&mut self) -> Result<(), Diagnostic> {
        let old = self.old.clone();
        for (name, environment) in old.iter().flat_map(LockFile::environments) {
            let is_known = |all: &&[String]| all.iter().any(|known| known == name);
            if !self.lock.all.as_ref().is_none_or(is_known) {
                continue;
            }
            if self.lock.environment(name).is_none() {
                self.builder
                    .set_channels(name, environment.channels().to_vec());
            }
            self.builder
                .set_options(name, environment.solve_options().clone());
            let mut has_pypi = false;
            for (platform, packages) in environment.packages_by_platform() {
                if !self.stays(name, &platform) {
                    continue;
                }
                let platform = self.name_of(&platform);
                for package in packages {
                    has_pypi |= matches!(package, LockedPackage::Pypi(_));
                    let added =
                        self.builder
                            .add_package(name, &platform, without_credentials(package));
                    added
                        .map(drop)
                        .map_err(|error| writer_failed(self.lock, error))?;
                }
            }
            // If no PyPI packages stay, these would say where others came from.
            if let Some(indexes) = environment.pypi_indexes()
                && (has_pypi || self.lock.environment(name).is_none())
            {
                self.builder
                    .set_pypi_indexes(name, pypi::without_credentials(indexes));
            }
        }
        Ok(())
    }

    /// Whether the packages of the old lock stay in an environment for a platform.
    fn stays(&self, environment: &str, platform: &rattler_lock::Platform<'_>) -> bool {
        let is_known = |all: &&[String]| all.iter().any(|known| known == environment);
        if !self.lock.all.as_ref().is_none_or(is_known) {
            return false;
        }
        match self.lock.environment(environment) {
            None => true,
            Some(new) => {
                let (name, made) = (platform.name().as_str(), made(platform));
                !new.has(name, &made) && (self.lock.all.is_none() || new.is_for(name, &made))
            }
        }
    }

    /// The name in the new lock of a platform of the old one, which may have another name for it.
    fn name_of(&self, platform: &rattler_lock::Platform<'_>) -> String {
        let name = platform.name().as_str();
        let made = made(platform);
        let mut new = self.lock.platforms();
        let new = new.find(|new| new.is(name, &made));
        new.map_or(name, LockedPlatform::name).to_owned()
    }

    fn platform(
        &mut self,
        environment: &str,
        platform: &LockedPlatform<'_>,
    ) -> Result<(), Diagnostic> {
        let name = platform.name();
        let channels = platform.request.channels.iter();
        let channels = channels.take(platform.listed_channels);
        // With a slash, as pixi writes them.
        let channels = channels.map(|channel| format!("{}/", channel.url.recorded()));
        self.builder.set_channels(environment, channels);
        self.options(environment, platform);
        self.indexes(environment, &platform.pip);
        for package in platform.packages {
            let data = self.conda(platform, package)?;
            let added = self
                .builder
                .add_conda_package(environment, name, data.into());
            added
                .map(drop)
                .map_err(|error| writer_failed(self.lock, error))?;
        }
        for package in platform.pip.packages {
            let data = pypi::data(&platform.pip, package, &|error| self.fail(error))?;
            self.add_pypi(environment, name, data)?;
        }
        for package in platform.pip.local {
            let data = pypi::local(package, &|error| self.fail(error))?;
            self.add_pypi(environment, name, data)?;
        }
        for package in platform.pip.repositories {
            let data = pypi::repository(package, &|error| self.fail(error))?;
            self.add_pypi(environment, name, data)?;
        }
        Ok(())
    }

    fn add_pypi(
        &mut self,
        environment: &str,
        platform: &str,
        data: PypiPackageData,
    ) -> Result<(), Diagnostic> {
        let added = self.builder.add_pypi_package(environment, platform, data);
        added
            .map(drop)
            .map_err(|error| writer_failed(self.lock, error))
    }

    /// How packages were chosen, and how a manifest says that PyPI packages are: pixi takes a lock for outdated that says
    /// something else.
    fn options(&mut self, environment: &str, platform: &LockedPlatform<'_>) {
        let old = self.old.as_ref();
        let old = old.and_then(|old| old.environment(environment));
        let kept = old.map(|old| old.solve_options().pypi_prerelease_mode);
        let said = platform.pip.indexes.map(pypi::prerelease_mode);
        let options = SolveOptions {
            channel_priority: match platform.request.priority {
                ChannelPriority::Strict => LockedPriority::Strict,
                ChannelPriority::Flexible => LockedPriority::Flexible,
            },
            pypi_prerelease_mode: said.or(kept).unwrap_or_default(),
            ..SolveOptions::default()
        };
        self.builder.set_options(environment, options);
    }

    /// Where a manifest says that PyPI packages come from.
    fn indexes(&mut self, environment: &str, pip: &LockedPypi<'_>) {
        let is_empty =
            pip.packages.is_empty() && pip.local.is_empty() && pip.repositories.is_empty();
        if let Some(said) = pip.indexes.filter(|_| !is_empty) {
            self.builder
                .set_pypi_indexes(environment, pypi::indexes(said));
        }
    }

    fn conda(
        &self,
        platform: &LockedPlatform<'_>,
        package: &Package,
    ) -> Result<CondaBinaryData, Diagnostic> {
        let id = &package.id;
        let mut record = json!({
            "name": id.name,
            "version": id.version,
            "build": id.build,
            "build_number": build_number(&id.build),
            "subdir": package.subdir,
            "depends": [],
        });
        let mut set = |key: &str, value: serde_json::Value| {
            if !value.is_null() {
                record[key] = value;
            }
        };
        set("sha256", json!(package.hashes.sha256));
        set("md5", json!(package.hashes.md5));
        set("size", json!(package.size));
        if let Some(found) = platform.record(package) {
            let details = &found.details;
            set("depends", json!(found.depends));
            set("license", json!(found.license));
            set("build_number", json!(details.build_number));
            set("constrains", json!(details.constrains));
            set("license_family", json!(details.license_family));
            set("noarch", json!(details.noarch));
            set("timestamp", json!(details.timestamp));
            set(
                "python_site_packages_path",
                json!(details.python_site_packages_path),
            );
            set("track_features", json!(details.track_features));
        }
        let mut package_record: PackageRecord =
            serde_json::from_value(record).map_err(|error| self.fail(error))?;
        let url = package.url.recorded();
        package_record.purls = match platform.pip.in_conda.get(&id.name) {
            Some(names) => Some(pypi::purls(names).map_err(|error| self.fail(error))?),
            None => self.purls.get(&url).cloned(),
        };
        let file_name = DistArchiveIdentifier::try_from_url(&url);
        let file_name =
            file_name.ok_or_else(|| self.fail(format_args!("{url} is not a package")))?;
        let channel = Url::parse(&package.url.channel()).ok();
        Ok(CondaBinaryData {
            package_record,
            location: UrlOrPath::Url(url),
            file_name,
            channel: channel.map(ChannelUrl::from),
        })
    }
}

/// The name that pixi makes for a platform of a lock.
fn made(platform: &rattler_lock::Platform<'_>) -> String {
    let listed = platform.virtual_packages().iter();
    let listed = listed.map(String::as_str);
    platform_name::of_virtual_packages(platform.subdir().as_str(), listed)
}

/// A package of the old lock, without what the new one must not have.
fn without_credentials(package: &LockedPackage) -> LockedPackage {
    let mut package = package.clone();
    match &mut package {
        LockedPackage::Conda(CondaPackageData::Binary(data)) => {
            if let UrlOrPath::Url(url) = &data.location {
                data.location = UrlOrPath::Url(PackageUrl::new(url.clone()).recorded());
            }
        }
        LockedPackage::Pypi(PypiPackageData::Distribution(data)) => {
            data.index_url = data
                .index_url
                .take()
                .map(|url| PackageUrl::new(url).recorded());
            if let UrlOrPath::Url(url) = data.location.inner()
                && PackageUrl::new(url.clone()).has_login()
            {
                let url = PackageUrl::new(url.clone()).recorded_file();
                data.location = UrlOrPath::Url(url).into();
            }
        }
        LockedPackage::Conda(_) | LockedPackage::Pypi(_) => {}
    }
    package
}

/// By convention, the build string ends with the build number.
fn build_number(build: &str) -> u64 {
    let end = build.rsplit('_').next();
    end.and_then(|end| end.parse().ok()).unwrap_or(0)
}
