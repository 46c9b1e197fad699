//! The target `lock`: writes solved environments to lock files.

use super::input::{EnvironmentFile, ImageInput, LockToWrite, LockUse};
use super::pip::not_on_a_server;
use super::session::Session;
use super::solve::{Base, Solved};

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_llb::{File, Input, Mkdir, Mkfile, OpOptions};
use buildkit_proto::gateway;
use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use crate::gateway::error::BuildError;
use crate::gateway::solving::Evaluate;
use crate::options::choices::Choices;
use condafront_graph::Tools;
use condafront_input as input;
use condafront_input::explicit_lock::{self, ExplicitLock};
use condafront_input::own_lock::{LockKind, OwnLock};
use condafront_input::written_lock::{
    LockedEnvironment, LockedPlatform, NewLock, for_conda_lock, for_pixi,
};
use condafront_input::{
    BuildSource, Conda, DeclaredPlatform, InputSettings, SolveRequest, or_skip,
};
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::solve::SolvedPackage;

/// What is found for one platform of an environment.
struct Found {
    platform: Platform,
    request: Option<SolveRequest>,
    /// How many channels of the request are the environment's own.
    listed_channels: usize,
    packages: Vec<Package>,
    records: Vec<SolvedPackage>,
    pip: Vec<PipPackage>,
}

impl Found {
    /// What a lock has of it; `None` if there was nothing to find.
    fn locked(&self) -> Option<LockedPlatform<'_>> {
        Some(LockedPlatform {
            platform: self.platform,
            request: self.request.as_ref()?,
            listed_channels: self.listed_channels,
            packages: &self.packages,
            records: &self.records,
            pip: &self.pip,
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

/// The environments of a manifest whose own lock is written.
fn all_of(one: &EnvironmentFile) -> Option<Vec<String>> {
    let of_manifest = one.input.beside.as_ref()?;
    let is_own = one.input.section.lock.is_none();
    is_own.then(|| of_manifest.environments.clone())
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
        files.name("[lock] write what was solved");
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
                && found.all(|found| found.platform != self.platform)
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
        Ok(Found {
            platform: self.platform,
            request: match &one.input.conda {
                Conda::Unsolved(request) => Some((**request).clone()),
                Conda::Locked(_) => None,
            },
            listed_channels: match &one.input.beside {
                Some(of_manifest) => of_manifest.listed_channels,
                None => usize::MAX,
            },
            packages: solved.packages,
            records: solved.records,
            pip: self.pip_packages_of(image, one).await?,
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
        explicit_lock::render(&ExplicitLock {
            platform: self.platform,
            name,
            variables: &input.variables,
            packages: &found.packages,
            pip: &found.pip,
            source: Some(self.file.name()),
        })
    }

    /// An environment's conda packages: those of its lock, or those that a solve finds.
    pub(super) async fn packages_of(
        &self,
        image: &ImageInput,
        one: &EnvironmentFile,
    ) -> Result<Solved, BuildError> {
        let request = match &one.input.conda {
            Conda::Locked(packages) => return Ok(Solved::locked(packages.clone())),
            Conda::Unsolved(request) => request,
        };
        let choices = Choices::new(self.settings, &image.section);
        let overrides = &self.settings.overrides;
        // The base image only matters for its glibc and CUDA.
        let base = async {
            if overrides.glibc().is_some() && overrides.cuda.is_some() {
                return Ok(None);
            }
            let session = self.about(&self.build_file.file);
            session.base(&self.finder(), &choices.base).await.map(Some)
        };
        let (found, programs) = tokio::try_join!(base, self.programs())?;
        let base = found.as_ref().map(|found| Base {
            found,
            lines: choices.base.lines,
        });
        let tools = Tools {
            environment: image.label_of(one),
            ..self.tools(&programs)
        };
        self.packages(request, &tools, base.as_ref()).await
    }

    /// An environment's PyPI packages: those of its lock, or what pip finds in an image with the conda packages.
    pub(super) async fn pip_packages_of(
        &self,
        image: &ImageInput,
        one: &EnvironmentFile,
    ) -> Result<Vec<PipPackage>, BuildError> {
        let asked = &one.pip.asked;
        if let Some(local) = asked.local.first() {
            let error = not_on_a_server(&local.name, &local.location(&one.file));
            return Err(or_skip(error, &local.name).into());
        }
        if !asked.asks_for_more() {
            return Ok(asked.locked.clone());
        }
        self.check_pip(asked)?;
        let alone = image.only(one);
        let session = self.about(&self.build_file.file);
        let ground = session.ground(&alone).await?;
        let plan = OnceCell::new();
        let image = ground.link(&plan).await?;
        let linked = image.linked().await?;
        match (&linked.root, image.environments.first()) {
            (Input::Output(root), Some(environment)) => {
                environment.pip_files(root, &image.wheel_ground()).await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The platforms of `--platform`, or else those that the files declare, or else the engine's own.
    pub(super) async fn lock_platforms(&self) -> Result<Vec<Platform>, BuildError> {
        let mut platforms = self.options.platforms()?;
        if platforms.is_empty() {
            for (file, settings) in &self.files_of_environments().await? {
                let session = self.about(file);
                for declared in session.declared_platforms(settings).await? {
                    match Platform::from_subdir(&declared.subdir) {
                        Some(platform) => platforms.push(platform),
                        None => session.warn(&[session.no_lock_for(&declared)]).await?,
                    }
                }
            }
        }
        if platforms.is_empty() {
            platforms.push(self.platform);
        }
        platforms.sort_unstable();
        platforms.dedup();
        Ok(platforms)
    }

    /// The files that describe the environments, with the settings for each.
    async fn files_of_environments(
        &self,
    ) -> Result<Vec<(Arc<SourceFile>, InputSettings)>, BuildError> {
        let BuildSource::File(file) = self.source else {
            return Ok(Vec::new());
        };
        let settings = &self.settings.input;
        match input::image_file(file, self.platform, settings)? {
            None => Ok(vec![(Arc::clone(file), settings.clone())]),
            Some(image) => {
                let files = image.environments.iter();
                let found =
                    try_join_all(files.map(|one| self.beside_build_file(&one.file))).await?;
                let files = found.into_iter().zip(&image.environments);
                Ok(files
                    .map(|(found, one)| (found.file, settings.within(one, &image)))
                    .collect())
            }
        }
    }

    /// The platforms that an environment file declares: a manifest those of the chosen environment, or else of all whose lock
    /// is written. The engine's own may not be among them.
    async fn declared_platforms(
        &self,
        settings: &InputSettings,
    ) -> Result<Vec<DeclaredPlatform>, BuildError> {
        let settings = self.for_file(self.file, settings).await?;
        let read = |settings: &InputSettings| {
            let read = |platform| input::read(self.file, platform, settings);
            let first = read(self.platform);
            first.or_else(|error| {
                let mut others = Platform::ALL.into_iter();
                others.find_map(|other| read(other).ok()).ok_or(error)
            })
        };
        // Lock files declare no platforms to solve for. Their errors are reported when they are read.
        let Ok(first) = read(&settings) else {
            return Ok(Vec::new());
        };
        let own_lock = first.beside.as_ref();
        let own_lock = own_lock.filter(|_| first.section.lock.is_none());
        let names = match (own_lock, &settings.environment) {
            (Some(own_lock), None) => own_lock.environments.as_slice(),
            _ => &[],
        };
        let others = names.iter().filter_map(|name| {
            let environment = Some(name.clone());
            read(&InputSettings {
                environment,
                ..settings.clone()
            })
            .ok()
        });
        let mut platforms: Vec<DeclaredPlatform> = Vec::new();
        for input in others.chain([first.clone()]) {
            let Conda::Unsolved(request) = input.conda else {
                continue;
            };
            for one in request.platforms {
                if !platforms.iter().any(|known| known.subdir == one.subdir) {
                    platforms.push(one);
                }
            }
        }
        Ok(platforms)
    }

    fn no_lock_for(&self, declared: &DeclaredPlatform) -> Warning {
        let diagnostic = Diagnostic::new(format!("no lock is written for {}", declared.subdir))
            .at(self.file, declared.lines)
            .help("condafront only solves for Linux. Use conda-lock or pixi for other platforms.");
        Warning {
            rule: Rule::Ignored,
            diagnostic,
        }
    }
}
