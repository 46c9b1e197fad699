//! Writing a lock again, by the target `lock`.

use super::{KeptPip, LockKind, OwnLock, UPGRADE};
use crate::environment_input::{Conda, EnvironmentInput, Pip};
use crate::requirements::List;
use crate::section::image_section::PLATFORM;
use crate::settings::InputSettings;
use crate::written_lock::LocalPypi;
use crate::yaml::{self, Node};
use crate::{pixi_lock, platform_name};
use condafront_model::lint::{Rule, Warning};
use condafront_model::nearest::did_you_mean;
use condafront_model::package::Package;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::solve::Kept;

use std::sync::Arc;

use rattler_lock::Environment;

/// The lines of the first PyPI package that is asked for.
fn first_of_pypi(pip: &Pip) -> Option<Lines> {
    match pip {
        Pip::Unsolved(list) => list.first().map(|entry| entry.lines),
        Pip::Locked(pip) => pip.files.first().map(|file| file.lines),
    }
}

impl OwnLock {
    /// The kind that the target `lock` writes for the environment `input`; `lock` is the existing one.
    ///
    /// # Errors
    /// A diagnostic if it is, or should be, one that only another tool writes.
    pub fn kind_to_write(
        &self,
        lock: Option<&SourceFile>,
        input: &EnvironmentInput,
    ) -> Result<LockKind, Diagnostic> {
        let kind = match lock {
            Some(lock) if !self.is_beside => LockKind::of(lock),
            _ => LockKind::by_name(&self.path),
        };
        if kind != LockKind::Workspaces {
            return Ok(kind);
        }
        let command = self.command(kind);
        if !self.is_beside {
            return Err(self
                .error(format!("only `{command}` writes {}", kind.name()))
                .help(format!(
                    "Run it. Or name an explicit lock, which a build can write: lock: conda-{PLATFORM}.lock"
                )));
        }
        let Some(lines) = first_of_pypi(&input.pip) else {
            return Ok(kind);
        };
        // conda-workspaces makes conda packages of them, and refuses a lock with others.
        let message = format!("only `{command}` writes a conda.lock with PyPI packages");
        Err(Diagnostic::new(message).at(&self.file, lines).help(format!(
            "Run it. Or name an explicit lock, which a build can write: lock = \"conda-{PLATFORM}.lock\" in [tool.condafront]"
        )))
    }

    /// What a new lock is solved for. pip is not in a manifest's: its tool installs PyPI packages without it.
    #[must_use]
    pub fn solved_for(&self, mut input: EnvironmentInput) -> EnvironmentInput {
        if let (true, Conda::Unsolved(request)) = (self.is_beside, &mut input.conda) {
            request.specs.retain(|asked| !asked.is_implied);
        }
        input
    }

    /// Checks that `lock` is a lock of any platform.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_lock(
        &self,
        lock: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Result<(), Diagnostic> {
        if self.is_beside {
            return pixi_lock::parsed(lock).map(drop);
        }
        if self.has_platform(lock) {
            return self.read_old(lock, settings).map(drop);
        }
        let tree = lock.text().and_then(|text| yaml::read(lock, text));
        let is_lock = tree.is_ok_and(|tree| {
            let has = |key: &str| tree.get(key).is_some();
            has("version") && (has("package") || has("environments") && has("packages"))
        });
        if is_lock {
            return Ok(());
        }
        self.read_old(lock, settings).map(drop)
    }

    /// Whether `lock`, which is of this `kind`, has what a new one is for: the platform, and of a manifest the environment
    /// `name`. It may be older than that.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn has_it(
        &self,
        lock: &Arc<SourceFile>,
        kind: LockKind,
        name: &str,
    ) -> Result<bool, Diagnostic> {
        if !self.is_beside {
            return Ok(kind == LockKind::Explicit || self.has_platform(lock));
        }
        let parsed = pixi_lock::parsed(lock)?;
        let environment = parsed.environment(name);
        let mut platforms = environment.iter().flat_map(Environment::platforms);
        Ok(platforms.any(|one| {
            let subdir = one.subdir().as_str();
            let listed = one.virtual_packages().iter().map(String::as_str);
            let is_chosen =
                |made: &String| *made == platform_name::of_virtual_packages(subdir, listed.clone());
            subdir == self.platform.subdir() && self.platform_name.as_ref().is_none_or(is_chosen)
        }))
    }

    /// Whether `lock` has packages for the platform, or is for a single one.
    fn has_platform(&self, lock: &Arc<SourceFile>) -> bool {
        let kind = LockKind::of(lock);
        let Ok(tree) = lock.text().and_then(|text| yaml::read(lock, text)) else {
            return true;
        };
        let subdir = self.platform.subdir();
        let is_it = |node: Option<&Node>| node.and_then(Node::text) == Some(subdir);
        let any = |key: &str, field: &str| {
            let items = tree.get(key).and_then(Node::list).unwrap_or_default();
            items.iter().any(|item| is_it(item.get(field)))
        };
        match kind {
            LockKind::Explicit => true,
            LockKind::CondaLock => any("package", "platform"),
            LockKind::Pixi | LockKind::Workspaces => {
                let environments = tree.get("environments").and_then(Node::mapping);
                let mut environments = environments.unwrap_or_default().iter();
                let has_it = environments.any(|(_, node)| {
                    node.get("packages")
                        .and_then(|list| list.get(subdir))
                        .is_some()
                });
                has_it || any("platforms", "subdir")
            }
        }
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

    /// The PyPI packages of the lock `found`, which is of this `kind`, if they are what `list`, the list of the manifest, asks
    /// for, and nothing more. `project` is what [`own_project`](Self::own_project()) found in it.
    pub fn kept_pip(
        &self,
        found: &EnvironmentInput,
        list: &List,
        kind: LockKind,
        settings: &InputSettings,
        project: Option<LocalPypi>,
    ) -> Option<KeptPip> {
        let (Conda::Locked(packages), Pip::Locked(pip)) = (&found.conda, &found.pip) else {
            return None;
        };
        let check = || self.check_pip(list, packages, pip, kind, settings);
        let fits = self.is_beside && check().is_ok();
        KeptPip::of(found, list, settings, project).filter(|_| fits)
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
}
