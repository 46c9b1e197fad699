//! pixi.lock, versions 4 to 7, and conda.lock of conda-workspaces. Versions 1 to 3 have the layout of conda-lock.yml and are read by
//! [`super::conda_lock`].
//!
//! ```yaml
//! version: 6
//! environments:
//!   default:
//!     packages:
//!       linux-64:
//!       - conda: https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda
//!       - pypi: https://files.pythonhosted.org/packages/…/idna-3.10-py3-none-any.whl
//! packages:
//! - conda: https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda
//!   sha256: 5d7c0e5f…
//!   depends: [libzlib 1.3.1 hb9d3cd8_2]
//! ```
//!
//! `rattler_lock`, pixi's own reader, describes the packages. Which of them are requested, and on which lines, comes from
//! the YAML tree.

mod damage;
mod maker;
mod names;
mod readable;
mod select;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use rattler_conda_types::PackageUrl;
use rattler_lock::{CondaPackageData, LockFile, LockedPackage, PackageHashes, UrlOrPath};

use self::maker::Maker;
use self::names::Names;
use self::select::{Kind, Selection, Selector};
use super::locked::address::{self, DIRECT};
use super::locked::skip::or_skip;
use super::locked::{Locked, Repeats, Unverified, check_subdir};
use crate::conda_lock::is_conda_lock;
use crate::environment_input::{DEFAULT_ENVIRONMENT, EnvironmentInput};
use crate::settings::InputSettings;
use crate::yaml::{self, Node};
use condafront_model::link_order::link_order;
use condafront_model::package::Hashes;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::normalized;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Help for an address that is not in a channel.
const ADVICE: &str = "Use a package from a channel that has an http(s) URL.";

/// Help for the URL of one file without a hash.
const HASHLESS_DIRECT: &str = "For a package that the manifest asks for by its URL, pixi writes no hash. Append #sha256=<hash> to the `url` in the manifest, and write the lock again.";

/// Reads the packages for `platform` of the environment `default`, or of the one that the settings name.
///
/// # Errors
/// A diagnostic at the user's line: an unknown version, another platform, a package that must be built first or is a
/// local file, an inconsistent lock; or one that names the build-arg with an unknown environment.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    text: &str,
    tree: &Node,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let selection = Selection::find(file, tree, platform, settings)?;
    const HASHLESS: &str = "Regenerate the lock file with a newer pixi, which writes hashes.";
    let mut locked = Locked::new(
        file,
        settings,
        Unverified {
            conda: HASHLESS,
            pip: HASHLESS,
        },
    );
    let names = Names::find(tree);
    names.all().for_each(|name| locked.skip.know(name));
    for selector in Selector::all(tree) {
        if let Some(name) = names.of(&selector) {
            locked.skip.know(&name);
        }
    }
    locked.skip.check_names(file)?;
    let mut wanted = Vec::new();
    for selector in &selection.selectors {
        let name = names.of(selector);
        let is_left_out = name.as_ref().is_some_and(|name| match selector.kind {
            Kind::Pypi => locked.skip.pypi(name),
            Kind::Conda | Kind::CondaSource => locked.skip.conda(name),
        });
        if is_left_out {
            continue;
        }
        check_kind(file, selector).map_err(|error| match &name {
            Some(name) => or_skip(error, name),
            None => error,
        })?;
        wanted.push(selector);
    }
    if wanted.is_empty() {
        locked.skip.check_rest(file)?;
    }
    let lock = with_library(file, text, tree, Some(BESIDE))?;
    let mut depends: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let found = packages(&lock, &selection);
    for selector in wanted {
        let key = (selector.kind, selector.location());
        let package = found.get(&key).ok_or_else(|| {
            // Not expected: rattler_lock refuses locks with missing packages.
            Diagnostic::new(format!(
                "the lock does not describe {}",
                redact::quoted(selector.text)
            ))
            .at(file, selector.lines)
            .help_to_write_again(Maker::of(tree).again())
        })?;
        let again = Maker::of(tree).again();
        add(
            selector,
            package,
            platform,
            again,
            &mut locked,
            &mut depends,
        )?;
    }
    locked.deduplicate(Repeats::Slip)?;
    locked.packages = link_order(std::mem::take(&mut locked.packages), &depends);
    Ok(locked.finish())
}

/// An environment of a lock that pixi's own library has read.
pub(crate) struct ChosenLock {
    pub(crate) lock: LockFile,
    /// The environment's name.
    pub(crate) environment: String,
    /// The lock's name of the platform.
    pub(crate) platform: String,
}

/// The environment of a lock that the settings ask for.
///
/// # Errors
/// Those of [`read`], as far as they are about the lock as a whole.
pub(crate) fn chosen(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<ChosenLock, Diagnostic> {
    let text = file.text()?;
    let tree = yaml::read(file, text)?;
    let to_read = || with_library(file, text, &tree, Some(BESIDE));
    if is_conda_lock(&tree) {
        // Versions before 4 have one environment, and no names of their own for platforms.
        let asked = settings.environment.as_deref();
        if let Some(other) = asked.filter(|name| *name != DEFAULT_ENVIRONMENT) {
            let name = redact::quoted(other);
            let message = format!("{} has no environment `{name}`", file.name());
            return Err(Diagnostic::new(message)
                .at(file, Lines::one(1))
                .help_to_write_again(Maker::Pixi.again()));
        }
        return Ok(ChosenLock {
            environment: DEFAULT_ENVIRONMENT.to_owned(),
            platform: platform.subdir().to_owned(),
            lock: to_read()?,
        });
    }
    let selection = Selection::find(file, &tree, platform, settings)?;
    Ok(ChosenLock {
        environment: selection.environment.to_owned(),
        platform: selection.platform.to_owned(),
        lock: to_read()?,
    })
}

/// Where a lock is, for paths in what its packages need, such as `demo @ file:../demo`. Nothing is looked up there.
const BESIDE: &str = "/1/2/3/4/5/6/7/8/lock";

/// A lock, as pixi's own library reads it, to write a new one with what it has. A path in what a package needs cannot be written
/// as it was.
///
/// # Errors
/// That it is not one.
pub(crate) fn parsed(file: &Arc<SourceFile>) -> Result<LockFile, Diagnostic> {
    let text = file.text()?;
    with_library(file, text, &yaml::read(file, text)?, None)
}

/// A lock with this text, whose tree has been read, as pixi's own library reads it. Paths in what packages need begin in `folder`.
///
/// # Errors
/// That it is not one.
fn with_library(
    file: &Arc<SourceFile>,
    text: &str,
    tree: &Node,
    folder: Option<&str>,
) -> Result<LockFile, Diagnostic> {
    damage::check_requirements(file, tree)?;
    let text = readable::readable(text, tree);
    LockFile::from_str_with_base_directory(&text, folder.map(Path::new))
        .map_err(|error| damage::explain(file, &text, tree, error))
}

/// Whether the packages of a lock were chosen from some of `channels`, which are addresses without a slash at the end, as far as
/// the lock says so. The files of a channel may be somewhere else.
pub(crate) fn is_of_channels(
    file: &Arc<SourceFile>,
    channels: &BTreeSet<String>,
    settings: &InputSettings,
) -> bool {
    let tree = file.text().and_then(|text| yaml::read(file, text));
    tree.is_ok_and(|tree| {
        let own = select::channels(&tree, settings);
        let is_one = |own: &&str| channels.contains(own.trim_end_matches('/'));
        !own.is_empty() && own.iter().all(is_one)
    })
}

/// The packages of the chosen environment and platform.
fn packages<'a>(
    lock: &'a LockFile,
    selection: &Selection<'_>,
) -> HashMap<(Kind, Option<UrlOrPath>), &'a LockedPackage> {
    let (Some(environment), Some(platform)) = (
        lock.environment(selection.environment),
        lock.platform(selection.platform),
    ) else {
        return HashMap::new();
    };
    environment
        .packages(platform)
        .into_iter()
        .flatten()
        .map(|package| match package {
            LockedPackage::Conda(data) => ((Kind::Conda, Some(data.location().clone())), package),
            LockedPackage::Pypi(data) => {
                let location = data.location().inner().clone();
                ((Kind::Pypi, Some(location)), package)
            }
        })
        .collect::<HashMap<_, _>>()
}

/// Refuses a conda package that is not in a channel.
fn check_kind(file: &Arc<SourceFile>, selector: &Selector<'_>) -> Result<(), Diagnostic> {
    let shown = redact::quoted(selector.text);
    let error = |message: String| Diagnostic::new(message).at(file, selector.lines);
    let is_path = matches!(selector.location(), Some(UrlOrPath::Path(_)));
    let is_archive = [".conda", ".tar.bz2"]
        .iter()
        .any(|suffix| selector.text.ends_with(suffix));
    match selector.kind {
        Kind::Conda if is_archive && !is_path => {
            address::conda(file, selector.text, Hashes::default(), selector.lines, ADVICE)
                .map(drop)
        }
        Kind::Conda if is_archive => Err(error(format!(
            "`{shown}` is a file on the machine that created the lock: it cannot be downloaded"
        ))
        .help("Publish it in a channel, and lock the environment with the package from there.")
        .settled()),
        Kind::Pypi => Ok(()),
        Kind::Conda | Kind::CondaSource => Err(error(format!(
            "`{shown}` is the source of a conda package, but condafront installs only built packages"
        ))
        .help("Build it, publish it in a channel, and lock the environment with the package from there.")
        .settled()),
    }
}

fn add(
    selector: &Selector<'_>,
    package: &LockedPackage,
    platform: Platform,
    again: &str,
    locked: &mut Locked<'_>,
    depends: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), Diagnostic> {
    let file = locked.file;
    let lines = selector.lines;
    let url = match package {
        LockedPackage::Conda(_) => locked.filled(selector.text, lines)?,
        LockedPackage::Pypi(_) => locked.filled_pip(selector.text, lines)?,
    };
    match package {
        LockedPackage::Conda(CondaPackageData::Binary(data)) => {
            let record = &data.package_record;
            let hashes = Hashes {
                sha256: record.sha256.map(hex::encode),
                md5: record.md5.map(hex::encode),
            };
            let mut package = address::conda(file, &url, hashes, lines, ADVICE)?;
            check_subdir(file, &package, platform.subdir(), lines, again)?;
            package.size = record.size;
            let purls = record.purls.iter().flatten();
            locked.by_conda.extend(purls.filter_map(of_pypi));
            depends.insert(package.id.name.clone(), record.depends.clone());
            locked.packages.push(package);
        }
        LockedPackage::Pypi(data) => {
            let wheel = data.as_wheel();
            let hashes = match wheel.and_then(|wheel| wheel.hash.as_ref()) {
                Some(hash) => digits(hash),
                None => Hashes::default(),
            };
            let version = wheel.map(|wheel| wheel.version.to_string());
            // rattler_lock's placeholder for a version that is missing from the lock.
            let version = version.as_deref().filter(|version| *version != "0");
            let name = data.name().as_ref();
            if selector.text.starts_with(DIRECT) {
                locked.hashless.insert(name.to_owned(), HASHLESS_DIRECT);
            }
            locked.add_pip(name, version, &url, || Ok(hashes), lines)?;
            let needed = data.requires_dist().iter().map(ToString::to_string);
            if let Some(added) = locked.pip.last_mut().filter(|added| added.name == name) {
                added.requires_dist = needed.collect();
                added.requires_python = data.requires_python().map(ToString::to_string);
            } else {
                locked.needs.insert(normalized(name), needed.collect());
            }
        }
        LockedPackage::Conda(CondaPackageData::Source(data)) => {
            let as_source = Selector {
                kind: Kind::CondaSource,
                ..*selector
            };
            let name = data.name().as_source();
            check_kind(file, &as_source).map_err(|error| or_skip(error, name))?;
        }
    }
    Ok(())
}

/// The PyPI package that a package URL names (<https://github.com/package-url/purl-spec>).
pub(crate) fn of_pypi(purl: &PackageUrl) -> Option<String> {
    let text = purl.to_string();
    let name = text.strip_prefix("pkg:pypi/")?;
    let end = name.find(['@', '?', '#']).unwrap_or(name.len());
    Some(normalized(&name[..end]))
}

fn digits(hash: &PackageHashes) -> Hashes {
    Hashes {
        sha256: hash.sha256().map(hex::encode),
        md5: hash.md5().map(hex::encode),
    }
}

#[cfg(test)]
mod tests;
