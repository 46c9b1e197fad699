//! The locks that env.yml files name, and those beside manifests: builds take the packages from them, and the target `lock` writes them.

use super::input::{EnvironmentFile, LockToWrite, LockUse};
use super::session::Session;

use std::sync::Arc;

use futures_util::future::try_join_all;

use crate::gateway::error::BuildError;
use condafront_input::file_path::{NamedFile, NamedPath};
use condafront_input::own_lock::{
    KeptPip, LocalProject, LockKind, OwnLock, Surroundings, to_solve, upgrade_without_effect,
    upgrades_all,
};
use condafront_input::written_lock::for_pixi;
use condafront_input::{Conda, EnvironmentInput};
use condafront_model::source::{Diagnostic, SourceFile};

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
        one.settings = own.settings(&one.settings);
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
        let list = match own.list_of_manifest(&one.input.pip, &one.folder, &one.settings)? {
            Some(list) => list,
            None => {
                let asked = self.read_pip(&one.input.pip, &[], &one.file, &one.folder);
                asked.await?.asked.list
            }
        };
        let content = own.read(&lock.file, &settings)?;
        let projects = own.projects(&one.input, &content, &one.folder);
        let projects = try_join_all(projects.iter().map(|one| self.project_file(one))).await?;
        let projects: Vec<LocalProject> = projects.into_iter().flatten().collect();
        if let Conda::Unsolved(request) = &one.input.conda {
            one.answered = Some((**request).clone());
        }
        let surroundings = Surroundings {
            settings: &settings,
            list: Some(&list),
            projects: &projects,
            now: self.so_far.started,
        };
        one.input = own.installed(one.input, content, &lock.file, &surroundings)?;
        one.input.warnings.extend(lock.warning);
        Ok(one)
    }

    /// The pyproject.toml of a folder that a lock names; `None` if it is missing, or nobody knows where it is: the build of the
    /// package says so.
    async fn project_file(
        &self,
        (path, named): &(String, NamedPath),
    ) -> Result<Option<LocalProject>, BuildError> {
        match self.sources.optional_file(named).await {
            Ok(found) => Ok(found.map(|found| LocalProject {
                path: path.clone(),
                file: found.file,
            })),
            Err(BuildError::Diagnostic(_)) => Ok(None),
            Err(error) => Err(error),
        }
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
        let mut kept_pip = None;
        let lock = found.filter(|_| !upgrades_all(&one.settings));
        if let Some(lock) = lock
            && own.has_it(&lock.file, kind, one.lock_environment())?
        {
            let settings = self.for_file(&lock.file, &one.settings).await?;
            let content = own.read_old(&lock.file, &settings)?;
            kept_pip = kept_pip_of(&one, own, &lock.file, kind, &content)?;
            let (kept, warnings) = own.kept(content, &settings);
            if let Conda::Unsolved(request) = &mut one.input.conda {
                request.kept = kept;
            }
            one.input.warnings.extend(warnings);
            one.input.warnings.extend(lock.warning);
        }
        one.new_lock = Some(LockToWrite {
            kind,
            old,
            kept_pip,
        });
        Ok(one)
    }
}

/// The PyPI packages of a manifest's `lock` that stay in the new one.
fn kept_pip_of(
    one: &EnvironmentFile,
    own: &OwnLock,
    lock: &Arc<SourceFile>,
    kind: LockKind,
    content: &EnvironmentInput,
) -> Result<Option<KeptPip>, Diagnostic> {
    let Some(of_manifest) = one.input.beside.as_ref().filter(|_| own.is_optional()) else {
        return Ok(None);
    };
    // Whether a package is asked for by the address of its file may have changed.
    if !for_pixi::has_indexes(lock, one.lock_environment(), &of_manifest.indexes)
        || lock.lossy_text().contains("direct+")
    {
        return Ok(None);
    }
    let list = own.list_of_manifest(&one.input.pip, &one.folder, &one.settings)?;
    let project = own.own_project(&one.input, lock, &one.settings);
    Ok(list.and_then(|list| own.kept_pip(content, &list, kind, &one.settings, project)))
}
