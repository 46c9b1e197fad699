//! The target `lock`: writes solved environments to lock files.

use super::found_packages::FoundPip;
use super::input::{EnvironmentFile, ImageInput, LockToWrite, LockUse};
use super::session::Session;

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_llb::{File, Input, Mkdir, Mkfile, OpOptions};
use buildkit_proto::gateway;

use crate::gateway::error::BuildError;
use crate::gateway::solving::Evaluate;
use condafront_input::explicit_lock::{self, ExplicitLock};
use condafront_input::own_lock::{LockKind, OwnLock};
use condafront_input::requirements::{List, ListEntry, Source};
use condafront_input::written_lock::{
    LockedEnvironment, LockedPlatform, LockedPypi, NewLock, for_conda_lock, for_pixi,
};
use condafront_input::{Conda, Machine, PypiIndexes, SolveRequest};
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::solve::SolvedPackage;

/// What is found for one platform of an environment.
struct Found {
    platform: Platform,
    /// The entry of a manifest's `platforms` that it is, if its lock has names for them.
    machine: Option<Machine>,
    /// The entries that the environment is for.
    machines: Vec<Machine>,
    request: Option<SolveRequest>,
    /// How many channels of the request are the environment's own.
    listed_channels: usize,
    packages: Vec<Package>,
    records: Vec<SolvedPackage>,
    pip: FoundPip,
    /// The normalized names of the PyPI packages that are asked for by the address of their file.
    direct: BTreeMap<String, Option<String>>,
    /// Where a manifest says that they come from.
    indexes: Option<PypiIndexes>,
}

impl Found {
    /// What a lock has of it; `None` if there was nothing to find.
    fn locked(&self) -> Option<LockedPlatform<'_>> {
        Some(LockedPlatform {
            platform: self.platform,
            machine: self.machine.as_ref(),
            machines: &self.machines,
            request: self.request.as_ref()?,
            listed_channels: self.listed_channels,
            packages: &self.packages,
            records: &self.records,
            pip: LockedPypi {
                packages: &self.pip.packages,
                local: &self.pip.local,
                repositories: &self.pip.repositories,
                direct: &self.direct,
                indexes: self.indexes.as_ref(),
                in_conda: &self.pip.in_conda,
            },
        })
    }
}

/// A lock with several platforms.
struct Shared {
    /// The file of its environments.
    file: Arc<SourceFile>,
    new: LockToWrite,
    /// What was found for its environments, by the name that they have in it.
    environments: BTreeMap<String, Vec<Found>>,
    /// The environments that the file has, if it is a manifest whose own lock this is.
    all: Option<Vec<String>>,
}

/// The locks to write, by path.
#[derive(Default)]
struct Locks {
    /// Those of one platform, as text.
    texts: BTreeMap<String, String>,
    /// The others.
    shared: BTreeMap<String, Shared>,
}

impl Locks {
    fn has(&self, path: &str) -> bool {
        self.texts.contains_key(path) || self.shared.contains_key(path)
    }

    /// The text of each.
    fn finish(self) -> Result<BTreeMap<String, String>, Diagnostic> {
        let mut texts = self.texts;
        for (path, shared) in self.shared {
            texts.insert(path, shared.text()?);
        }
        Ok(texts)
    }
}

impl Shared {
    fn text(&self) -> Result<String, Diagnostic> {
        let environments = self.environments.iter();
        let environments = environments.map(|(name, found)| LockedEnvironment {
            name,
            platforms: found.iter().filter_map(Found::locked).collect(),
        });
        let lock = NewLock {
            source: self.file.name(),
            environments: &environments.collect::<Vec<_>>(),
            old: self.new.old.as_ref(),
            all: self.all.as_deref(),
        };
        match self.new.kind {
            LockKind::CondaLock => for_conda_lock::render(&lock),
            LockKind::Workspaces => for_pixi::render_for_workspaces(&lock),
            _ => for_pixi::render(&lock),
        }
    }
}

/// The normalized names of the packages that a list asks for by the address of their file, each with the fragment of the address.
fn direct(list: &List) -> BTreeMap<String, Option<String>> {
    let asked = list.entries().iter().filter_map(ListEntry::requirement);
    let direct = asked.filter_map(|asked| {
        let Source::Web(url) = &asked.source else {
            return None;
        };
        let fragment = url.as_ref().and_then(|url| url.fragment());
        Some((asked.name.clone()?, fragment.map(str::to_owned)))
    });
    direct.collect()
}

/// The environments of a manifest whose own lock is written.
fn all_of(one: &EnvironmentFile) -> Option<Vec<String>> {
    let of_manifest = one.input.beside.as_ref()?;
    let is_own = one.input.section.lock.is_none();
    is_own.then(|| of_manifest.environments.clone())
}

/// The entry of a manifest's `platforms` that an environment was read for, if the lock has names for them.
fn machine_of(one: &EnvironmentFile) -> Option<Machine> {
    let new = one.new_lock.as_ref()?;
    let of_manifest = one.input.beside.as_ref()?;
    of_manifest
        .machine
        .clone()
        .filter(|_| new.kind == LockKind::Pixi)
}

impl Session<'_> {
    /// Writes one file per platform and environment, or one per environment where its lock has several platforms.
    pub(super) async fn locks(&self) -> Result<gateway::Result, BuildError> {
        let mut locks = Locks::default();
        for platform in self.lock_platforms().await? {
            let session = self.on(platform);
            let input = session.input_for(LockUse::Renew).await?;
            session.warn(&input.warnings).await?;
            for one in &input.environments {
                let path = session.lock_path(&input, one, &locks)?;
                let found = session.about(&one.file).found_for_lock(&input, one).await?;
                match &one.new_lock {
                    Some(new) if new.kind != LockKind::Explicit => {
                        let shared = locks.shared.entry(path).or_insert_with(|| Shared {
                            file: Arc::clone(&one.file),
                            new: new.clone(),
                            environments: BTreeMap::new(),
                            all: all_of(one),
                        });
                        let name = one.lock_environment().to_owned();
                        shared.environments.entry(name).or_default().push(found);
                    }
                    _ => {
                        let text = session.about(&one.file).explicit(&input, one, &found);
                        locks.texts.insert(path, text);
                    }
                }
            }
        }
        let mut files = File::on(Input::Scratch);
        for (path, text) in locks.finish()? {
            if let Some((folder, _)) = path.rsplit_once('/') {
                files.then(Mkdir::new(format!("/{folder}")).parents());
            }
            files.then(Mkfile::new(format!("/{path}"), text).mode(0o644));
        }
        files.name("[lock] write the solved packages");
        let files = files.build();
        let reference = match files.output() {
            Some(output) => self.solve(output, Evaluate::Lazily).await?.to_proto(),
            None => gateway::Ref::default(),
        };
        Ok(gateway::Result {
            result: Some(gateway::result::Result::Ref(reference)),
            ..Default::default()
        })
    }

    /// Where the lock of an environment is written: to the file that its own file names, or to one with the usual name. It is
    /// none of `locks`, unless that is this environment's for other platforms.
    fn lock_path(
        &self,
        image: &ImageInput,
        one: &EnvironmentFile,
        locks: &Locks,
    ) -> Result<String, Diagnostic> {
        let Some(own) = OwnLock::of(&one.file, &one.input, self.platform) else {
            let name = image.is_image_file.then(|| one.prefix.name());
            return Ok(explicit_lock::file_name(name, self.platform));
        };
        let build_folder = self.sources.build_folder();
        let place = one.folder.join(&own.path);
        let path = place.and_then(|place| place.from_folder(&build_folder));
        let path = path.unwrap_or_else(|| own.path.clone());
        if path.starts_with("../") {
            return Err(own.outside());
        }
        let is_same = |shared: &Shared| {
            let environment = shared.environments.get(one.lock_environment());
            let mut found = environment.into_iter().flatten();
            // A manifest's own lock has all of its environments.
            shared.file == one.file
                && (own.is_optional() || environment.is_some())
                && found.all(|found| {
                    (found.platform, &found.machine) != (self.platform, &machine_of(one))
                })
        };
        if locks.has(&path) && !locks.shared.get(&path).is_some_and(is_same) {
            return Err(own.shared());
        }
        Ok(path)
    }

    /// What is found for an environment.
    async fn found_for_lock(
        &self,
        image: &ImageInput,
        one: &EnvironmentFile,
    ) -> Result<Found, BuildError> {
        let solved = self.packages_of(image, one).await?;
        let kept = one.new_lock.as_ref().and_then(|new| new.kept_pip.as_ref());
        let pip = match kept.filter(|kept| kept.fits(&solved.packages)) {
            Some(kept) => FoundPip {
                packages: kept.packages().to_vec(),
                local: kept.project().into_iter().cloned().collect(),
                ..FoundPip::default()
            },
            None => self.pip_packages_of(image, one).await?,
        };
        let of_manifest = one.input.beside.as_ref();
        Ok(Found {
            platform: self.platform,
            machine: machine_of(one),
            machines: of_manifest.map_or_else(Vec::new, |it| it.machines.clone()),
            request: match &one.input.conda {
                Conda::Unsolved(request) => Some((**request).clone()),
                Conda::Locked(_) => None,
            },
            listed_channels: of_manifest.map_or(usize::MAX, |it| it.listed_channels),
            direct: direct(&one.pip.asked.list),
            indexes: of_manifest.map(|it| it.indexes.clone()),
            packages: solved.packages,
            records: solved.records,
            pip,
        })
    }

    fn explicit(&self, image: &ImageInput, one: &EnvironmentFile, found: &Found) -> String {
        let input = &one.input;
        let name = if image.is_image_file {
            Some(one.prefix.name())
        } else {
            input
                .prefix
                .as_ref()
                .map(condafront_model::environment_prefix::EnvironmentPrefix::name)
        };
        // The lock that a file names is not built by itself.
        let is_named = one.new_lock.is_some();
        let repositories = found.pip.repositories.iter();
        let repositories: Vec<(String, String)> = repositories
            .map(|package| (package.name.clone(), package.address()))
            .collect();
        explicit_lock::render(&ExplicitLock {
            syntax: self.options.get("source").filter(|_| !is_named),
            platform: self.platform,
            name,
            variables: &input.variables,
            packages: &found.packages,
            pip: &found.pip.packages,
            repositories: &repositories,
            source: Some(self.file.name()),
        })
    }
}
