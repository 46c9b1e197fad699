//! The lock of a file that says what an environment is for: the one that an env.yml names, or the one beside a manifest. A build
//! takes the packages from it and all else from the file, after checking that the lock is one of that file.

mod condition;
mod kept_pip;
mod kind;
mod known_pip;
mod of_extras;
mod of_pixi;
mod of_pypi;
mod renewal;
mod satisfied;
mod surroundings;

pub use self::kept_pip::KeptPip;
pub use self::kind::LockKind;
pub use self::surroundings::{LocalProject, Surroundings};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::satisfied::{Fault, Packages, name_of};
use crate::environment_input::{Conda, EnvironmentInput, Pip, SolveRequest};
use crate::file_path::{FilePath, NamedPath};
use crate::locked;
use crate::pixi_lock;
use crate::read;
use crate::section::image_section::{Located, PLATFORM};
use crate::settings::InputSettings;
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::redact::quoted;
use condafront_model::source::{Advice, Diagnostic, Lines, Location, SourceFile};

/// The build-arg that says which packages of a lock may change.
const UPGRADE: &str = "UPGRADE";

/// The lock that an env.yml names, for one platform.
#[derive(Clone, Debug)]
pub struct OwnLock {
    /// Its path.
    pub path: String,
    /// The env.yml.
    file: Arc<SourceFile>,
    /// The lines that name it.
    lines: Lines,
    platform: Platform,
    /// Whether the env.yml lists the platform, so that the target `lock` writes its lock without `--platform`.
    is_declared: bool,
    /// Whether it is a manifest's, which can do without.
    is_beside: bool,
    /// The error that the manifest is for other platforms.
    other_platform: Option<Diagnostic>,
    /// The name that pixi makes for the platform that the user chose.
    platform_name: Option<String>,
}

impl OwnLock {
    /// The lock that the env.yml `file` names for `platform`, or the one that is beside the manifest `file`.
    pub fn of(
        file: &Arc<SourceFile>,
        input: &EnvironmentInput,
        platform: Platform,
    ) -> Option<Self> {
        let beside = input.beside.as_ref().map(|beside| &beside.lock);
        let named = input.section.lock.as_ref();
        let Located { value, lines } = named.or(beside)?;
        let declared = match &input.conda {
            Conda::Unsolved(request) => request.platforms.as_slice(),
            Conda::Locked(_) => &[],
        };
        Some(Self {
            path: value.replace(PLATFORM, platform.subdir()),
            file: Arc::clone(file),
            lines: *lines,
            platform,
            is_declared: declared.iter().any(|one| one.subdir == platform.subdir()),
            is_beside: named.is_none(),
            other_platform: input
                .beside
                .as_ref()
                .and_then(|beside| beside.other_platform.clone()),
            platform_name: input
                .beside
                .as_ref()
                .and_then(|beside| beside.platform_name.clone()),
        })
    }

    /// The settings for reading it.
    #[must_use]
    pub fn settings(&self, settings: &InputSettings) -> InputSettings {
        InputSettings {
            platform_name: self.platform_name.clone(),
            ..settings.clone()
        }
    }

    /// Its path, named in an env.yml in `folder`.
    pub fn named(&self, folder: &FilePath) -> NamedPath {
        NamedPath {
            path: self.path.clone(),
            folder: folder.clone(),
            beside: None,
            or_context: !self.is_beside,
            location: Location {
                file: Arc::clone(&self.file),
                lines: self.lines,
            },
        }
    }

    /// The environment if it is missing.
    ///
    /// # Errors
    /// The error that it is missing, or what the manifest asks for that only its own tool can do.
    pub fn without(&self, input: EnvironmentInput) -> Result<EnvironmentInput, Diagnostic> {
        if self.is_beside {
            to_solve(input)
        } else {
            Err(self.missing())
        }
    }

    /// Whether a build can do without it.
    pub fn is_optional(&self) -> bool {
        self.is_beside
    }

    /// The error that it is missing.
    pub fn missing(&self) -> Diagnostic {
        let kind = LockKind::by_name(&self.path);
        self.error(format!("the lock `{}` is missing", self.shown()))
            .help(format!("Write it with `{}`.", self.command(kind)))
    }

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, also where the env.yml names it; that it is not a lock; or that the manifest is for other
    /// platforms.
    pub fn read(
        &self,
        lock: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Result<EnvironmentInput, Diagnostic> {
        let kind = LockKind::of(lock);
        if let Some(error) = &self.other_platform {
            return Err(with_help(error.clone(), &self.renew(kind)));
        }
        self.read_or(lock, settings, |error| match error.advice {
            Advice::Complete => None,
            // It names the manifest's own tool.
            Advice::WriteAgain if self.is_beside => None,
            Advice::WriteAgain | Advice::Open => Some(self.renew(kind)),
        })
        .map_err(|error| match error.advice {
            // The reader of this layout names conda-lock.
            Advice::WriteAgain | Advice::Open if self.is_beside && kind == LockKind::CondaLock => {
                error.help(self.renew(kind))
            }
            _ => error,
        })
    }

    /// The same if a new one is to take its place.
    ///
    /// # Errors
    /// Those of [`read`](Self::read()).
    pub fn read_old(
        &self,
        lock: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Result<EnvironmentInput, Diagnostic> {
        let way_out = "To start over, remove the file.";
        self.read_or(lock, settings, |_| Some(way_out.to_owned()))
    }

    fn read_or(
        &self,
        lock: &Arc<SourceFile>,
        settings: &InputSettings,
        way_out: impl FnOnce(&Diagnostic) -> Option<String>,
    ) -> Result<EnvironmentInput, Diagnostic> {
        let found = read::read(lock, self.platform, settings).map_err(|error| {
            let way_out = way_out(&error);
            let error = error.at(&self.file, self.lines);
            match way_out {
                Some(way_out) => with_help(error, &way_out),
                None => error,
            }
        })?;
        if found.locked().is_none() {
            return Err(self
                .error(format!("`{}` is not a lock", self.shown()))
                .help("Name an explicit lock, a conda-lock.yml or a pixi.lock."));
        }
        Ok(found)
    }

    /// The environment with the packages `found` of `lock`, instead of a solve.
    ///
    /// # Errors
    /// A diagnostic at a dependency that the lock does not satisfy, or at the lock if it has packages from elsewhere or was
    /// written for something else.
    pub fn installed(
        &self,
        input: EnvironmentInput,
        found: EnvironmentInput,
        lock: &Arc<SourceFile>,
        surroundings: &Surroundings<'_>,
    ) -> Result<EnvironmentInput, Diagnostic> {
        let (Conda::Unsolved(request), Conda::Locked(packages)) = (&input.conda, found.conda)
        else {
            return Ok(input);
        };
        let settings = surroundings.settings;
        self.check(request, &packages, lock, settings)?;
        if !self.is_beside && LockKind::of(lock) == LockKind::Pixi {
            self.check_dates(&input, request, lock, surroundings)?;
        }
        if let (Some(list), Pip::Locked(pip)) = (surroundings.list, &found.pip) {
            let kind = LockKind::of(lock);
            self.check_pip(list, &packages, pip, kind, settings)?;
            let beside = input.beside.as_ref().filter(|_| self.is_beside);
            if let Some(terms) = beside.and_then(|beside| beside.terms.as_ref()) {
                self.check_terms(request, list, terms, lock, surroundings)?;
            }
        }
        let mut asking: BTreeMap<String, Lines> = BTreeMap::new();
        for asked in &request.specs {
            if let Some(name) = name_of(&asked.spec) {
                asking.entry(name).or_insert(asked.lines);
            }
        }
        let lines = |package: &Package| {
            let asking = asking.get(&package.id.name.to_lowercase());
            asking.copied().unwrap_or(self.lines)
        };
        let packages = packages.into_iter().map(|package| Package {
            lines: lines(&package),
            ..package
        });
        let conda = Conda::Locked(packages.collect());
        let pip = match found.pip {
            // A manifest's lock has all PyPI packages, or there are none.
            Pip::Locked(pip) if pip.is_empty() && !self.is_beside => input.pip,
            Pip::Locked(pip) => Pip::Locked(self.named_here(pip, &input.pip)),
            Pip::Unsolved(_) => input.pip,
        };
        let mut warnings = input.warnings;
        if input.section.build.is_none() {
            // Nothing is solved, so no age counts.
            warnings.retain(|warning| warning.rule != Rule::Unrepeatable);
        }
        // The file lists the channels, and has this warning itself.
        let is_new = |warning: &Warning| warning.rule != Rule::AnacondaChannel;
        warnings.extend(found.warnings.into_iter().filter(is_new));
        if let Pip::Locked(pip) = &pip {
            let terms = input.beside.as_ref().and_then(|it| it.terms.as_ref());
            let terms = terms.and_then(|terms| terms.pypi.as_ref());
            warnings.extend(terms.and_then(|terms| self.of_isolation(terms, pip)));
        }
        Ok(EnvironmentInput {
            conda,
            pip,
            warnings,
            unknown_skips: found.unknown_skips,
            categories: found.categories,
            ..input
        })
    }

    fn check(
        &self,
        request: &SolveRequest,
        packages: &[Package],
        file: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Result<(), Diagnostic> {
        let kind = LockKind::of(file);
        let known = Packages::of(packages);
        let is_skipped = |name: &str| settings.skip.iter().any(|skip| skip == name);
        let channels = request.channels.iter();
        let channels: BTreeSet<String> = channels
            .map(|channel| channel.url.recorded().clone())
            .collect();
        let is_listed = |package: &Package| channels.contains(&package.url.channel());
        let may_be_elsewhere = || pixi_lock::is_of_channels(file, &channels, settings);
        for asked in &request.specs {
            let Some((name, fault)) = known.fault(&asked.spec) else {
                continue;
            };
            if let Fault::Channel(package) = &fault
                && !is_listed(package)
                && may_be_elsewhere()
            {
                continue;
            }
            // The tools of manifests install PyPI packages without pip.
            let is_needless = self.is_beside && asked.is_implied;
            if fault == Fault::Missing && (is_skipped(&name) || is_needless) {
                continue;
            }
            let lock = self.shown();
            let message = match fault {
                Fault::Missing => format!("`{lock}` has no {name}"),
                Fault::Other(package) => format!(
                    "`{lock}` has {}, which is not what this line asks for",
                    shown(package)
                ),
                Fault::Channel(package) => format!(
                    "`{lock}` has {} from {}, which is not the channel that this line asks for",
                    shown(package),
                    package.url.channel()
                ),
            };
            let error = Diagnostic::new(message).at(&self.file, asked.lines);
            return Err(error.help(self.renew(kind)));
        }
        match packages.iter().find(|package| !is_listed(package)) {
            None => Ok(()),
            Some(_) if may_be_elsewhere() => Ok(()),
            Some(package) => Err(self
                .error(format!(
                    "`{}` has {} from {}, which is not one of the channels",
                    self.shown(),
                    shown(package),
                    package.url.channel()
                ))
                .help(format!("Add the channel. {}", self.renew(kind)))),
        }
    }

    fn error(&self, message: String) -> Diagnostic {
        self.error_at(message, self.lines)
    }

    fn error_at(&self, message: String, lines: Lines) -> Diagnostic {
        Diagnostic::new(message).at(&self.file, lines)
    }

    /// What to do about a lock that does not fit the file.
    fn renew(&self, kind: LockKind) -> String {
        format!("Write the lock again with `{}`.", self.command(kind))
    }

    fn command(&self, kind: LockKind) -> String {
        let platform = (!self.is_declared).then_some(self.platform);
        kind.command(self.file.name(), platform, self.is_beside)
    }

    fn shown(&self) -> String {
        quoted(&self.path)
    }
}

/// The environment if its packages are to be found by a solve, also one for a new lock.
///
/// # Errors
/// What a manifest asks for that only its own tool can do.
pub fn to_solve(mut input: EnvironmentInput) -> Result<EnvironmentInput, Diagnostic> {
    if let Some(of_manifest) = &input.beside {
        if let Some(error) = &of_manifest.unsolvable {
            return Err(error.clone());
        }
        input.warnings.extend(of_manifest.warnings.iter().cloned());
    }
    Ok(input)
}

/// Whether all packages may change in a new lock.
pub fn upgrades_all(settings: &InputSettings) -> bool {
    settings.upgrade.iter().any(|name| name == "*")
}

/// The warning that the build-arg that names packages to change has no effect on a build of `file`.
pub fn upgrade_without_effect(file: &SourceFile, why: &str) -> Warning {
    locked::without_effect(UPGRADE, file, why)
}

/// An error with more help.
fn with_help(error: Diagnostic, more: &str) -> Diagnostic {
    let help = match &error.help {
        Some(help) => format!("{help} {more}"),
        None => more.to_owned(),
    };
    error.help(help)
}

fn shown(package: &Package) -> String {
    format!(
        "{} {} {}",
        package.id.name, package.id.version, package.id.build
    )
}

#[cfg(test)]
mod tests;
