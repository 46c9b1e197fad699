//! pixi.lock, versions 4 to 7. Versions 2 and 3 have the layout of conda-lock.yml and are read by
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
mod select;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rattler_lock::{CondaPackageData, LockFile, LockedPackage, PackageHashes, UrlOrPath};

use self::damage::AGAIN;
use self::select::{Kind, Selection, Selector};
use super::locked::address;
use super::locked::{Locked, Repeats, Unverified, check_subdir, without_effect};
use crate::environment_input::EnvironmentInput;
use crate::settings::InputSettings;
use crate::yaml::Node;
use condafront_model::link_order::link_order;
use condafront_model::package::Hashes;
use condafront_model::platform::Platform;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, SourceFile};

/// Help for an address that is not in a channel.
const ADVICE: &str = "Use a package from a channel that has an http(s) URL.";

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
    for selector in &selection.selectors {
        refuse_unfetchable(file, selector)?;
    }
    let lock = LockFile::from_str_with_base_directory(text, None)
        .map_err(|error| damage::explain(file, text, tree, error))?;
    const HASHLESS: &str = "Regenerate the lock file with a newer pixi, which writes hashes.";
    let mut locked = Locked::new(
        file,
        Unverified {
            conda: HASHLESS,
            pip: HASHLESS,
        },
    );
    let mut depends: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let found = packages(&lock, &selection);
    for selector in &selection.selectors {
        let key = (selector.kind, selector.location());
        let package = found.get(&key).ok_or_else(|| {
            // Not expected: rattler_lock refuses locks with missing packages.
            Diagnostic::new(format!(
                "the lock does not describe {}",
                redact::quoted(selector.text)
            ))
            .at(file, selector.lines)
            .help(AGAIN)
        })?;
        add(file, selector, package, platform, &mut locked, &mut depends)?;
    }
    if locked.packages.is_empty() && locked.pip.is_empty() {
        return Err(Diagnostic::new(format!(
            "the environment {} lists no packages for {}",
            selection.environment,
            platform.subdir()
        ))
        .at(file, selection.lines)
        .help(
            "Choose another with the build-arg ENVIRONMENT, or regenerate the lock file with `pixi lock`.",
        ));
    }
    locked.deduplicate(Repeats::Slip)?;
    locked.packages = link_order(std::mem::take(&mut locked.packages), &depends);
    let mut input = locked.finish();
    if !settings.categories.is_empty() {
        let why = "it has environments, not categories";
        input
            .warnings
            .push(without_effect("CONDA_LOCK_CATEGORIES", file, why));
    }
    Ok(input)
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

/// Refuses what is not a file that can be downloaded.
fn refuse_unfetchable(file: &Arc<SourceFile>, selector: &Selector<'_>) -> Result<(), Diagnostic> {
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
        .help("Publish it in a channel, and lock the environment with the package from there.")),
        Kind::Pypi if is_path => Err(error(format!(
            "`{shown}` is a local Python project or wheel: a lock installs only what can be downloaded"
        ))
        .help("Lock an environment without it and choose that with the build-arg ENVIRONMENT; install the project in a later step, or publish a wheel of it.")),
        Kind::Pypi => Ok(()),
        Kind::Conda | Kind::CondaSource => Err(error(format!(
            "`{shown}` is the source of a conda package, but condafront installs only built packages"
        ))
        .help("Build it, publish it in a channel, and lock the environment with the package from there.")),
    }
}

fn add(
    file: &Arc<SourceFile>,
    selector: &Selector<'_>,
    package: &LockedPackage,
    platform: Platform,
    locked: &mut Locked<'_>,
    depends: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), Diagnostic> {
    match package {
        LockedPackage::Conda(CondaPackageData::Binary(data)) => {
            let record = &data.package_record;
            let hashes = Hashes {
                sha256: record.sha256.map(hex::encode),
                md5: record.md5.map(hex::encode),
            };
            let mut package = address::conda(file, selector.text, hashes, selector.lines, ADVICE)?;
            check_subdir(file, &package, platform.subdir(), selector.lines, AGAIN)?;
            package.size = record.size;
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
            locked.pip.push(address::pip(
                file,
                data.name().as_ref(),
                // rattler_lock's placeholder for a version that is missing from the lock.
                version.as_deref().filter(|version| *version != "0"),
                selector.text,
                hashes,
                selector.lines,
            )?);
        }
        LockedPackage::Conda(CondaPackageData::Source(_)) => {
            let as_source = Selector {
                kind: Kind::CondaSource,
                ..*selector
            };
            refuse_unfetchable(file, &as_source)?;
        }
    }
    Ok(())
}

fn digits(hash: &PackageHashes) -> Hashes {
    Hashes {
        sha256: hash.sha256().map(hex::encode),
        md5: hash.md5().map(hex::encode),
    }
}

#[cfg(test)]
mod tests;
