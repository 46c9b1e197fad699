//! What the user's files say about the image and its environments.

use super::pip_list::PipInput;
use super::session::Session;

use std::sync::Arc;

use crate::findings as of_image;
use crate::gateway::error::BuildError;
use crate::options::choices::Choices;
use condafront_input as input;
use condafront_input::build_packages::{self, BuildFor};
use condafront_input::file_path::FilePath;
use condafront_input::findings;
use condafront_input::own_lock::{KeptPip, LockKind};
use condafront_input::section::{Environment, ImageFile, ImageSection};
use condafront_input::{
    BuildInput, Conda, EnvironmentInput, InputSettings, KnownCategories, SolveRequest,
};
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::lint::Warning;
use condafront_model::source::{Diagnostic, SourceFile};

/// The contents of all files, for one platform.
pub(crate) struct ImageInput {
    /// The image section. Its lines are in the build file.
    pub section: ImageSection,
    /// The environments, at least one.
    pub environments: Vec<EnvironmentFile>,
    /// The index of the environment that is active unless a container chooses another.
    pub(super) default: usize,
    /// Whether the build has several environments, even if this is only one of them.
    pub(super) is_one_of_several: bool,
    /// How many environments of the image file `when` leaves out.
    pub(super) left_out: usize,
    /// Whether an image file names the environments.
    pub(super) is_image_file: bool,
    /// Warnings about the files.
    pub warnings: Vec<Warning>,
}

/// An environment, with the file that describes it.
#[derive(Clone)]
pub(crate) struct EnvironmentFile {
    /// Its name, and where it is in the image.
    pub(super) prefix: EnvironmentPrefix,
    /// Whether the image has variants without it.
    pub(super) is_optional: bool,
    /// The file.
    pub file: Arc<SourceFile>,
    /// Its folder, in which it looks for the files that it names.
    pub(super) folder: FilePath,
    /// Its contents.
    pub input: EnvironmentInput,
    /// The settings that it was read with.
    pub(super) settings: InputSettings,
    /// What the file asks of a solve, if a lock answers it.
    pub(super) answered: Option<SolveRequest>,
    /// The solve for the packages that only builds of wheels see. Its lines are in the build file.
    pub(super) build: Option<SolveRequest>,
    /// The lock that the target `lock` writes, if the file names one.
    pub(super) new_lock: Option<LockToWrite>,
    /// What the file asks of pip, and what the image asks if this is its default environment.
    pub(super) pip: PipInput,
}

/// A lock to write.
#[derive(Clone)]
pub(super) struct LockToWrite {
    /// Its kind.
    pub(super) kind: LockKind,
    /// What is there already.
    pub(super) old: Option<Arc<SourceFile>>,
    /// The PyPI packages of it that may stay.
    pub(super) kept_pip: Option<KeptPip>,
}

/// What happens with the lock that an env.yml names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockUse {
    /// Its packages are installed.
    Install,
    /// It is written again, and keeps its packages where possible.
    Renew,
}

impl EnvironmentFile {
    /// The environment that a file describes.
    pub(super) fn of(
        file: Arc<SourceFile>,
        folder: FilePath,
        input: EnvironmentInput,
        settings: &InputSettings,
    ) -> Self {
        Self {
            prefix: input.prefix.clone().unwrap_or(EnvironmentPrefix::base()),
            is_optional: false,
            file,
            folder,
            input,
            settings: settings.clone(),
            answered: None,
            build: None,
            new_lock: None,
            pip: PipInput::default(),
        }
    }

    /// What the file asks of a solve, even if a lock answers it.
    fn request(&self) -> Option<&SolveRequest> {
        match &self.input.conda {
            Conda::Unsolved(request) => Some(request),
            Conda::Locked(_) => self.answered.as_ref(),
        }
    }

    /// Whether the packages are found for the lock beside a manifest, which pip is not in unless something asks for it.
    pub(super) fn supplies_pip(&self) -> bool {
        self.new_lock.is_some() && self.input.beside.is_some() && self.input.section.lock.is_none()
    }

    /// The environment's name in a lock with several.
    pub(super) fn lock_environment(&self) -> &str {
        let asked = self.asked();
        asked.split('@').next().unwrap_or(asked)
    }

    /// The environment that it was read for, with its platform if there is a choice.
    fn asked(&self) -> &str {
        self.settings.environment.as_deref().unwrap_or("default")
    }
}

impl ImageInput {
    /// An image with the environments of one file, at least one.
    fn of_file(environments: Vec<EnvironmentFile>) -> Self {
        let warnings = environments.iter().flat_map(|one| &one.input.warnings);
        let section = environments.first().map(|one| one.input.section.clone());
        Self {
            section: section.unwrap_or_default(),
            warnings: warnings.cloned().collect(),
            is_one_of_several: environments.len() > 1,
            environments,
            default: 0,
            left_out: 0,
            is_image_file: false,
        }
    }

    /// What distinguishes an environment from others in the progress: its name, if there are others.
    pub(super) fn label_of<'a>(&self, environment: &'a EnvironmentFile) -> Option<&'a str> {
        self.is_one_of_several.then(|| {
            if self.is_image_file {
                environment.prefix.name()
            } else {
                environment.asked()
            }
        })
    }

    /// The same image with only one of its environments.
    pub(super) fn only(&self, environment: &EnvironmentFile) -> Self {
        Self {
            section: self.section.clone(),
            environments: vec![environment.clone()],
            default: 0,
            is_one_of_several: self.is_one_of_several,
            left_out: self.left_out,
            is_image_file: self.is_image_file,
            warnings: Vec::new(),
        }
    }
}

impl Session<'_> {
    /// Reads the build file and the files that it names.
    pub(super) async fn image_input(&self) -> Result<ImageInput, BuildError> {
        self.input_for(LockUse::Install).await
    }

    /// The same, for a build that does this with the locks that env.yml files name.
    pub(super) async fn input_for(&self, lock_use: LockUse) -> Result<ImageInput, BuildError> {
        let mut image = self.environment_files(lock_use).await?;
        let mut categories = KnownCategories::default();
        if image.left_out > 0 {
            categories.leave_out();
        }
        let default = image.environments.get(image.default);
        // A manifest's environment is there once for each of its platforms that are one to conda.
        let default = default.filter(|_| !image.is_image_file);
        let default = default.map(|one| one.lock_environment().to_owned());
        for (index, one) in image.environments.iter_mut().enumerate() {
            let is_default =
                index == image.default || default.as_deref() == Some(one.lock_environment());
            let of_image = if is_default {
                image.section.pip.as_slice()
            } else {
                &[]
            };
            let pip = self.read_pip(&one.input.pip, of_image, &one.file, &one.folder);
            one.pip = pip.await?;
            let args = &self.settings.input.build_args;
            one.pip.asked.list.check_credentials(args)?;
            one.pip.asked.check_hashes(&one.input.conda)?;
            image.warnings.append(&mut one.pip.warnings);
            let found = findings::of_environment(&one.input, &one.pip.asked, &one.file);
            image.warnings.extend(found);
            categories.add(&one.input, &one.file, &one.pip.asked.pylocks);
        }
        categories.check(&self.settings.input.categories)?;
        let base = Choices::new(self.settings, &image.section).base;
        let is_named = self.options.named_context(&base.value, self.platform);
        if is_named.is_none() {
            let warning = of_image::base(&base, &self.build_file.file);
            image.warnings.extend(warning);
        }
        let warning = of_image::user(self.settings, &image.section, &self.build_file.file);
        image.warnings.extend(warning);
        self.read_build(&mut image)?;
        self.check_snakemake(&image).await?;
        Ok(image)
    }

    /// Reads which packages only builds of wheels see.
    fn read_build(&self, image: &mut ImageInput) -> Result<(), Diagnostic> {
        let Some(build) = &image.section.build else {
            return Ok(());
        };
        let file = &self.build_file.file;
        let mut asking = image.environments.iter_mut();
        let mut asking = asking.by_ref().filter(|one| !one.pip.asked.is_empty());
        let mut is_used = false;
        for one in asking.by_ref() {
            let environment = BuildFor {
                file: &one.file,
                request: one.request(),
                settings: &one.settings,
            };
            let (request, warnings) =
                build_packages::requested(build, &image.section, file, environment, self.platform)?;
            one.build = request;
            image.warnings.extend(warnings);
            is_used = true;
        }
        if !is_used {
            image.warnings.push(build_packages::unused(build, file));
        }
        Ok(())
    }

    /// Reads the build file and the environments that it names.
    async fn environment_files(&self, lock_use: LockUse) -> Result<ImageInput, BuildError> {
        let settings = &self.settings.input;
        let image = match input::read_build_source(self.source, self.platform, settings)? {
            BuildInput::Environment(input) => {
                let all = match lock_use {
                    LockUse::Install => vec![(*input, settings.clone())],
                    LockUse::Renew => self.all_of_manifest(*input)?,
                };
                let mut environments = Vec::new();
                for (input, settings) in all {
                    let folder = self.sources.build_folder();
                    let file = Arc::clone(self.file);
                    let environment = EnvironmentFile::of(file, folder, input, &settings);
                    environments.push(self.with_own_lock(environment, lock_use).await?);
                }
                return Ok(ImageInput::of_file(environments));
            }
            BuildInput::Image(image) => image,
        };
        let mut environments = Vec::new();
        let mut warnings = image.warnings.clone();
        warnings.extend(image.section.warnings(&self.build_file.file));
        for one in &image.environments {
            let (environment, warning) = self.environment_file(one, &image).await?;
            let environment = self.with_own_lock(environment, lock_use).await?;
            warnings.extend(warning);
            warnings.extend_from_slice(&environment.input.warnings);
            environments.push(environment);
        }
        input::check_skips(environments.iter().map(|one| &one.input))?;
        let is_default = |one: &EnvironmentFile| one.prefix.name() == image.default;
        Ok(ImageInput {
            default: environments.iter().position(is_default).unwrap_or(0),
            is_one_of_several: environments.len() > 1,
            left_out: image.count_left_out(),
            environments,
            section: image.section,
            is_image_file: true,
            warnings,
        })
    }

    /// The environments of a manifest whose own lock is written, or the one that is asked for, once for each of its platforms
    /// that are the build's to conda.
    fn all_of_manifest(
        &self,
        input: EnvironmentInput,
    ) -> Result<Vec<(EnvironmentInput, InputSettings)>, Diagnostic> {
        let settings = &self.settings.input;
        let of_manifest = input.beside.as_ref();
        let Some(of_manifest) = of_manifest.filter(|_| input.section.lock.is_none()) else {
            return Ok(vec![(input, settings.clone())]);
        };
        let names = match &settings.environment {
            None => of_manifest.environments.clone(),
            Some(with_platform) if with_platform.contains('@') => Vec::new(),
            Some(name) => vec![name.clone()],
        };
        let read = |environment: String| {
            let settings = InputSettings {
                environment: Some(environment),
                ..settings.clone()
            };
            let one = input::read(self.file, self.platform, &settings)?;
            Ok::<_, Diagnostic>((one, settings))
        };
        let mut all = Vec::new();
        for name in names {
            let (one, settings) = read(name.clone())?;
            let is_for = match &one.conda {
                Conda::Unsolved(request) => request.is_for(self.platform),
                Conda::Locked(_) => true,
            };
            if !is_for {
                continue;
            }
            let machines = one
                .beside
                .iter()
                .flat_map(|it| it.own_machines(self.platform));
            let machines: Vec<String> = machines.map(|it| it.name.clone()).collect();
            if machines.len() > 1 {
                for machine in machines {
                    all.push(read(format!("{name}@{machine}"))?);
                }
            } else {
                all.push((one, settings));
            }
        }
        if all.is_empty() {
            // If it is not for the platform, the error says for which it is.
            all.push((input, settings.clone()));
        }
        Ok(all)
    }

    /// Reads an environment that the image file names. There may be a warning about where its file was found.
    async fn environment_file(
        &self,
        environment: &Environment,
        image: &ImageFile,
    ) -> Result<(EnvironmentFile, Option<Warning>), BuildError> {
        let found = self.beside_build_file(&environment.file).await?;
        let file = found.file;
        let settings = self.settings.input.within(environment, image);
        let settings = self.for_file(&file, &settings).await?;
        let input = input::read(&file, self.platform, &settings).map_err(|error| {
            if error.locations.is_empty() {
                error.at(self.file, environment.file.lines)
            } else {
                error
            }
        })?;
        let environment = EnvironmentFile {
            prefix: environment.prefix.clone(),
            is_optional: environment.is_optional,
            file,
            folder: found.path.folder(),
            input,
            settings,
            answered: None,
            build: None,
            new_lock: None,
            pip: PipInput::default(),
        };
        Ok((environment, found.warning))
    }
}
