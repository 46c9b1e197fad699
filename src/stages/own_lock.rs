//! The locks that env.yml files name, and those beside manifests: builds take the packages from them, and the target `lock` writes them.

use super::input::{EnvironmentFile, LockToWrite, LockUse};
use super::session::Session;

use std::sync::Arc;

use crate::gateway::error::BuildError;
use condafront_input::Conda;
use condafront_input::file_path::NamedFile;
use condafront_input::own_lock::{
    LockKind, OwnLock, to_solve, upgrade_without_effect, upgrades_all,
};

impl Session<'_> {
    /// The environment with what the lock says that its file names, if it names one.
    pub(super) async fn with_own_lock(
        &self,
        mut one: EnvironmentFile,
        lock_use: LockUse,
    ) -> Result<EnvironmentFile, BuildError> {
        let own = OwnLock::of(&one.file, &one.input, self.platform);
        if !one.settings.upgrade.is_empty() && (own.is_none() || lock_use == LockUse::Install) {
            let why = match own {
                None => "it names no lock",
                Some(_) => "only --target lock writes its lock",
            };
            let warning = upgrade_without_effect(&one.file, why);
            one.input.warnings.push(warning);
        }
        let Some(own) = own else {
            return Ok(one);
        };
        let found = self.sources.optional_file(&own.named(&one.folder)).await?;
        match lock_use {
            LockUse::Install => self.installed(one, &own, found).await,
            LockUse::Renew => self.renewed(one, &own, found).await,
        }
    }

    async fn installed(
        &self,
        mut one: EnvironmentFile,
        own: &OwnLock,
        found: Option<NamedFile>,
    ) -> Result<EnvironmentFile, BuildError> {
        let Some(lock) = found else {
            one.input = own.without(one.input)?;
            return Ok(one);
        };
        let settings = self.for_file(&lock.file, &one.settings).await?;
        let kind = LockKind::of(&lock.file);
        let list = match own.list_of_manifest(&one.input.pip, &one.folder, &one.settings)? {
            Some(list) => list,
            None => {
                let asked = self.read_pip(&one.input.pip, &[], &one.file, &one.folder);
                asked.await?.asked.list
            }
        };
        let content = own.read(&lock.file, &settings)?;
        if let Conda::Unsolved(request) = &one.input.conda {
            one.answered = Some((**request).clone());
        }
        one.input = own.installed(one.input, content, kind, &settings)?;
        own.check_pip(&list, &one.input, kind, &settings)?;
        one.input.warnings.extend(lock.warning);
        Ok(one)
    }

    async fn renewed(
        &self,
        mut one: EnvironmentFile,
        own: &OwnLock,
        found: Option<NamedFile>,
    ) -> Result<EnvironmentFile, BuildError> {
        let old = found.as_ref().map(|lock| Arc::clone(&lock.file));
        if let Some(old) = &old
            && LockKind::of(old) != LockKind::Explicit
        {
            // It may be no lock at all.
            let settings = self.for_file(old, &one.settings).await?;
            own.check_lock(old, &settings)?;
        }
        let kind = own.kind_to_write(old.as_deref(), &one.input)?;
        one.input = own.solved_for(to_solve(one.input)?);
        one.new_lock = Some(LockToWrite { kind, old });
        let lock = found.filter(|_| !upgrades_all(&one.settings));
        if let (Some(lock), Conda::Unsolved(request)) = (lock, &mut one.input.conda) {
            let settings = self.for_file(&lock.file, &one.settings).await?;
            // It may be for other platforms only.
            if kind != LockKind::Explicit && !own.has_platform(&lock.file) {
                return Ok(one);
            }
            let content = match own.read(&lock.file, &settings) {
                // A manifest's may have been written before this environment.
                Err(_) if own.is_optional() => return Ok(one),
                content => content?,
            };
            let (kept, warnings) = own.kept(content, &settings);
            request.kept = kept;
            one.input.warnings.extend(warnings);
            one.input.warnings.extend(lock.warning);
        }
        Ok(one)
    }
}
