//! The lock that an env.yml names: a build takes the packages from it and all else from the env.yml, after checking that
//! the lock is one of that file.

mod kind;
mod satisfied;

pub use self::kind::LockKind;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::satisfied::{Fault, Packages, channel_of, name_of};
use crate::environment_input::{Conda, EnvironmentInput, LocalPip, LockedPip, Pip, SolveRequest};
use crate::file_path::{FilePath, NamedPath};
use crate::locked;
use crate::read;
use crate::requirements::{List, Source};
use crate::section::image_section::Located;
use crate::settings::InputSettings;
use condafront_model::lint::{Rule, Warning};
use condafront_model::nearest::did_you_mean;
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, Location, SourceFile};
use condafront_step_spec::solve::Kept;

/// The build-arg that says which packages of a lock may change.
const UPGRADE: &str = "UPGRADE";

/// In the path of a lock, what stands for conda's name of the platform, as in conda-lock's `--filename-template`.
const PLATFORM: &str = "{platform}";

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
    /// Whether the env.yml lists the platform, so that the target `lock` writes its lock without being told.
    is_declared: bool,
}

impl OwnLock {
    /// The lock that the env.yml `file` names for `platform`, if it names one.
    pub fn of(
        file: &Arc<SourceFile>,
        input: &EnvironmentInput,
        platform: Platform,
    ) -> Option<Self> {
        let Located { value, lines } = input.section.lock.as_ref()?;
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
        })
    }

    /// Its path, named in an env.yml in `folder`.
    pub fn named(&self, folder: &FilePath) -> NamedPath {
        NamedPath {
            path: self.path.clone(),
            folder: folder.clone(),
            or_context: true,
            location: Location {
                file: Arc::clone(&self.file),
                lines: self.lines,
            },
        }
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
    /// What is wrong with it, also where the env.yml names it; or that it is not a lock.
    pub fn read(
        &self,
        lock: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Result<EnvironmentInput, Diagnostic> {
        let found = read::read(lock, self.platform, settings).map_err(|error| {
            let renew = self.renew(LockKind::of(lock));
            let help = match &error.help {
                Some(help) => format!("{help} {renew}"),
                None => renew,
            };
            error.at(&self.file, self.lines).help(help)
        })?;
        if found.locked().is_none() {
            return Err(self
                .error(format!("`{}` is not a lock", self.shown()))
                .help("Name an explicit lock, a conda-lock.yml or a pixi.lock."));
        }
        Ok(found)
    }

    /// The environment with the packages of the lock `found`, which is of this `kind`, instead of a solve.
    ///
    /// # Errors
    /// A diagnostic at a dependency that the lock does not satisfy, or at the lock if it has packages from elsewhere.
    pub fn installed(
        &self,
        input: EnvironmentInput,
        found: EnvironmentInput,
        kind: LockKind,
        settings: &InputSettings,
    ) -> Result<EnvironmentInput, Diagnostic> {
        let (Conda::Unsolved(request), Conda::Locked(packages)) = (&input.conda, found.conda)
        else {
            return Ok(input);
        };
        self.check(request, &packages, kind, settings)?;
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
            Pip::Locked(pip) if pip.files.is_empty() && pip.local.is_empty() => input.pip,
            Pip::Locked(pip) => Pip::Locked(self.named_here(pip)),
            Pip::Unsolved(_) => input.pip,
        };
        let mut warnings = input.warnings;
        warnings.extend(found.warnings);
        Ok(EnvironmentInput {
            conda,
            pip,
            warnings,
            unknown_skips: found.unknown_skips,
            ..input
        })
    }

    /// PyPI packages, asked for where the env.yml names the lock.
    fn named_here(&self, pip: LockedPip) -> LockedPip {
        let lines = self.lines;
        let files = pip.files.into_iter();
        let local = pip.local.into_iter();
        LockedPip {
            files: files.map(|file| PipPackage { lines, ..file }).collect(),
            local: local.map(|one| LocalPip { lines, ..one }).collect(),
        }
    }

    fn check(
        &self,
        request: &SolveRequest,
        packages: &[Package],
        kind: LockKind,
        settings: &InputSettings,
    ) -> Result<(), Diagnostic> {
        let known = Packages::of(packages);
        let is_skipped = |name: &str| settings.skip.iter().any(|skip| skip == name);
        for asked in &request.specs {
            let Some((name, fault)) = known.fault(&asked.spec) else {
                continue;
            };
            if fault == Fault::Missing && is_skipped(&name) {
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
                    channel_of(package)
                ),
            };
            let error = Diagnostic::new(message).at(&self.file, asked.lines);
            return Err(error.help(self.renew(kind)));
        }
        let is_listed = |package: &Package| {
            let own = channel_of(package);
            let mut channels = request.channels.iter();
            channels.any(|channel| channel.url.recorded() == own)
        };
        match packages.iter().find(|package| !is_listed(package)) {
            None => Ok(()),
            Some(package) => Err(self
                .error(format!(
                    "`{}` has {} from {}, which is not one of the channels",
                    self.shown(),
                    shown(package),
                    channel_of(package)
                ))
                .help(format!("Add the channel. {}", self.renew(kind)))),
        }
    }

    /// Checks that the PyPI packages `files` of the lock, which is of this `kind`, are what the env.yml's list asks for.
    ///
    /// # Errors
    /// A diagnostic at an entry that they do not satisfy, or that no lock can have.
    pub fn check_pip(
        &self,
        list: &List,
        files: &[PipPackage],
        kind: LockKind,
    ) -> Result<(), Diagnostic> {
        let lock = self.shown();
        for entry in list.entries() {
            let Some(requirement) = entry.requirement() else {
                continue;
            };
            let place = entry.location();
            let error = |message: String| Diagnostic::new(message).at(&place.file, place.lines);
            if matches!(
                requirement.source,
                Source::Context(_) | Source::Repository(_)
            ) {
                return Err(error(format!(
                    "`{lock}` has PyPI packages, but this one cannot be in a lock"
                ))
                .help("Put it under `condafront:`, in a list `pip:`, which is installed after the lock's."));
            }
            let Some(name) = &requirement.name else {
                continue;
            };
            let found = files.iter().find(|file| normalized(&file.name) == *name);
            let message = match found {
                None if requirement.has_marker || entry.is_constraint => continue,
                None => format!("`{lock}` has no PyPI package {name}"),
                Some(file) if requirement.allows(file) => continue,
                Some(file) => format!(
                    "`{lock}` has the PyPI package {}, which is not what this line asks for",
                    file.label()
                ),
            };
            return Err(error(message).help(self.renew(kind)));
        }
        Ok(())
    }

    /// Checks that the target `lock` can write it; `lock` is what there is already.
    ///
    /// # Errors
    /// A diagnostic if it is, or should be, of a kind that another tool writes.
    pub fn check_kind(&self, lock: Option<&SourceFile>) -> Result<(), Diagnostic> {
        let (is, kind) = match lock {
            Some(lock) => ("is", LockKind::of(lock)),
            None => ("is named like", LockKind::by_name(&self.path)),
        };
        if kind == LockKind::Explicit {
            return Ok(());
        }
        Err(self
            .error(format!(
                "`{}` {is} {}, and a build writes explicit locks only",
                self.shown(),
                kind.name()
            ))
            .help(format!(
                "Write it with `{}`. Or name an explicit lock, which a build can write: lock: conda-{PLATFORM}.lock",
                self.command(kind)
            )))
    }

    /// The error that the locks of two platforms or environments would be the same file.
    pub fn shared(&self) -> Diagnostic {
        self.error(format!(
            "the lock `{}` would be written twice, for different platforms or environments",
            self.shown()
        ))
        .help(format!(
            "Write {PLATFORM} in the name, which stands for the platform: conda-{PLATFORM}.lock. Each environment needs a name of its own."
        ))
    }

    /// The error that the target `lock` cannot write where it is.
    pub fn outside(&self) -> Diagnostic {
        self.error(format!(
            "the lock `{}` cannot be written: it is outside the folder of the build file",
            self.shown()
        ))
        .help("Name a file in that folder or below.")
    }

    /// What stays of the lock `found` in a new one. Warnings say which of the packages that may change it does not have.
    pub fn kept(
        &self,
        found: EnvironmentInput,
        settings: &InputSettings,
    ) -> (Kept<Package>, Vec<Warning>) {
        let (Conda::Locked(packages), Pip::Locked(pip)) = (found.conda, found.pip) else {
            return (Kept::default(), Vec::new());
        };
        let conda = packages.iter().map(|package| package.id.name.as_str());
        let names = conda.chain(pip.files.iter().map(|file| file.name.as_str()));
        let names: Vec<&str> = names.collect();
        let unknown = settings.upgrade.iter().filter(|asked| {
            let is_it = |name: &&str| name.eq_ignore_ascii_case(asked);
            !names.iter().any(is_it)
        });
        let warnings = unknown.map(|asked| {
            let message = format!(
                "build-arg {UPGRADE}: the lock `{}` has no package `{}`",
                self.shown(),
                quoted(asked)
            );
            let mut diagnostic = Diagnostic::new(message);
            diagnostic.help = did_you_mean(asked, names.iter().copied());
            Warning {
                rule: Rule::Ignored,
                diagnostic,
            }
        });
        let warnings = warnings.collect();
        let may_change = |package: &Package| {
            let mut asked = settings.upgrade.iter();
            asked.any(|asked| asked.eq_ignore_ascii_case(&package.id.name))
        };
        let packages = packages.into_iter().filter(|package| !may_change(package));
        let upgrade = settings.upgrade.iter().map(|name| name.to_lowercase());
        let kept = Kept {
            packages: packages.collect(),
            upgrade: upgrade.collect(),
        };
        (kept, warnings)
    }

    fn error(&self, message: String) -> Diagnostic {
        Diagnostic::new(message).at(&self.file, self.lines)
    }

    /// What to do about a lock that does not fit the file.
    fn renew(&self, kind: LockKind) -> String {
        format!("Write the lock again with `{}`.", self.command(kind))
    }

    fn command(&self, kind: LockKind) -> String {
        let platform = (!self.is_declared).then_some(self.platform);
        kind.command(self.file.name(), &self.path, platform)
    }

    fn shown(&self) -> String {
        quoted(&self.path)
    }
}

/// Whether all packages may change in a new lock.
pub fn upgrades_all(settings: &InputSettings) -> bool {
    settings.upgrade.iter().any(|name| name == "*")
}

/// The warning that the build-arg that names packages to change has no effect on a build of `file`.
pub fn upgrade_without_effect(file: &SourceFile, why: &str) -> Warning {
    locked::without_effect(UPGRADE, file, why)
}

fn shown(package: &Package) -> String {
    format!(
        "{} {} {}",
        package.id.name, package.id.version, package.id.build
    )
}

#[cfg(test)]
mod tests;
