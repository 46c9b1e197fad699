//! What the user asks of pip: lists with the files that they name, and packages from the user's folders.

use super::session::Session;
use condafront_input::pypi;

use buildkit_llb::{OpOptions as _, Options, Output};

use crate::context::project::{Kind, Project};
use crate::gateway::error::BuildError;
use condafront_graph::location_of;
use condafront_graph::pip::{Local, LocalKind, from_context, from_repository};
use condafront_input::file_path::{FilePath, Root};
use condafront_input::pip_reading::{PipFiles, PipReading};
use condafront_input::pypi::PypiPackages;
use condafront_input::requirements::{IncludedFile, List, LocalPath, Repository, Source};
use condafront_input::{LocalPip, LockedPip, Pip, PipRequirement, or_skip};
use condafront_model::lint::Warning;
use condafront_model::package::Hashes;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Location, SourceFile};

use std::sync::Arc;

/// What one environment asks of pip.
#[derive(Clone, Default)]
pub(super) struct PipInput {
    /// The requested packages.
    pub(super) asked: PypiPackages,
    /// Those of the list that are in the user's folders or in a repository, and where they are asked for.
    pub(super) local: Vec<(Local, Location)>,
    /// Those of a lock that are in the user's folders or in a repository, and where they are asked for.
    pub(super) locked_local: Vec<(Local, Location)>,
    /// Warnings about where files were found.
    pub(super) warnings: Vec<Warning>,
}

impl Session<'_> {
    /// Reads what an environment's `file`, in `folder`, asks of pip, then the requirements `more` of the build file, with
    /// all files that they name.
    ///
    /// # Errors
    /// A diagnostic at a line that is not valid, or that names a missing file.
    pub(super) async fn read_pip(
        &self,
        pip: &Pip,
        more: &[PipRequirement],
        file: &Arc<SourceFile>,
        folder: &FilePath,
    ) -> Result<PipInput, BuildError> {
        let (locked, list) = match pip {
            Pip::Locked(locked) => (locked.clone(), [].as_slice()),
            Pip::Unsolved(list) => (LockedPip::default(), list.as_slice()),
        };
        pypi::check_files(&locked.files, file)?;
        let args = self.settings.input.build_args.for_platform(self.platform);
        let mut reading = PipReading::new(&args);
        reading.add(list, folder.clone());
        reading.add(more, self.sources.build_folder());
        let mut warnings = Vec::new();
        while let Some(file) = reading.next_file()? {
            match file {
                IncludedFile::Local(named) => {
                    let found = self.named_file(&named).await?;
                    warnings.extend(found.warning);
                    reading.open(&found.file, found.path)?;
                }
                IncludedFile::Web(list) => {
                    let content = self.web_list(&list).await?;
                    reading.open_web(&list, content)?;
                }
            }
        }
        let PipFiles {
            mut list,
            pylocks,
            warnings: of_locks,
        } = reading.finish();
        warnings.extend(of_locks);
        if !self.settings.input.is_dev {
            warnings.extend(list.warnings());
        }
        let projects = self.projects(&mut list, &mut warnings).await?;
        let mut locked_local = self
            .packages_of_lock(&locked.local, file, folder, &mut warnings)
            .await
            .map_err(|error| with_skip(error, &locked.local))?;
        locked_local.extend(locked.repositories.iter().map(|package| {
            let repository = Repository {
                url: package.url.clone(),
                reference: Some(package.commit.clone()),
                found_by: package.found_by.clone(),
                subdir: package.subdir.clone(),
                has_history: false,
            };
            of_repository(package.name.clone(), repository, package.location(file))
        }));
        Ok(PipInput {
            local: self.local_packages(&list, &projects)?,
            locked_local,
            asked: PypiPackages {
                locked: locked.files,
                local: locked.local,
                repositories: locked.repositories,
                pylocks,
                list,
            },
            warnings,
        })
    }

    /// The packages of the user's folders that the lock `file` in `folder` names.
    pub(super) async fn packages_of_lock(
        &self,
        packages: &[LocalPip],
        file: &Arc<SourceFile>,
        folder: &FilePath,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<(Local, Location)>, BuildError> {
        let mut all = Vec::new();
        for package in packages {
            let named = package.named(file, folder);
            let mut options = Options::new();
            options.location(location_of(&named.location));
            let found = self.sources.project(&named).await;
            let found = found.and_then(|project| {
                let found = self.in_folder(
                    &project,
                    package.file_name.as_deref(),
                    &named.location,
                    options,
                )?;
                Ok((found, project.warning))
            });
            let ((_, kind, output), warning) = found?;
            warnings.extend(warning);
            let local = Local {
                label: package.name.clone(),
                kind,
                output,
                build_options: Vec::new(),
                hashes: package.hashes.clone(),
                repository: None,
                editable: None,
            };
            all.push((local, package.location(file)));
        }
        Ok(all)
    }

    /// Finds the packages of a list that are in the user's folders. Two paths may lead to one of them.
    async fn projects(
        &self,
        list: &mut List,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<Project>, BuildError> {
        let mut projects: Vec<Project> = Vec::new();
        let mut places = Vec::new();
        for (_, entry, requirement) in list.local() {
            if let Source::Context(path) = &requirement.source {
                let named = entry.named(path);
                let found = self.sources.project(&named).await?;
                warnings.extend(found.warning.clone());
                places.push((path.clone(), found.path.clone()));
                projects.push(found);
            }
        }
        list.set_places(&places);
        Ok(projects)
    }

    /// The packages of a list that are in the user's folders or in a repository.
    fn local_packages(
        &self,
        list: &List,
        projects: &[Project],
    ) -> Result<Vec<(Local, Location)>, Diagnostic> {
        let mut all = Vec::new();
        for (_, entry, requirement) in list.local() {
            let mut options = Options::new();
            options.location(location_of(&entry.location()));
            let (label, kind, output) = match &requirement.source {
                Source::Context(path) => {
                    let is_it = |project: &&Project| LocalPath::at(&project.path) == *path;
                    match projects.iter().find(is_it) {
                        Some(project) => {
                            self.in_folder(project, None, &entry.location(), options)?
                        }
                        None => continue,
                    }
                }
                Source::Repository(repository) => {
                    let label = requirement.name.clone();
                    (
                        label.unwrap_or_else(|| quoted(&repository.url)),
                        LocalKind::Folder,
                        load(repository, &entry.location()),
                    )
                }
                Source::Index | Source::Web(_) => continue,
            };
            let local = Local {
                label,
                kind,
                output,
                build_options: requirement.build_options.clone(),
                hashes: Hashes::clone(&requirement.file_hashes),
                editable: match &requirement.source {
                    Source::Context(path) if requirement.is_editable => Some(path.path.clone()),
                    _ => None,
                },
                repository: match &requirement.source {
                    Source::Repository(repository) => Some(Repository::clone(repository)),
                    _ => None,
                },
            };
            if kind == LocalKind::Folder && local.hashes != Hashes::default() {
                return Err(Diagnostic::new(format!(
                    "`{}` is a folder, whose content has no hash",
                    quoted(&local.label)
                ))
                .at(&entry.file, entry.lines)
                .help("Remove the hash."));
            }
            all.push((local, entry.location()));
        }
        Ok(all)
    }

    /// A package in the user's folders: its label, its kind, and a file system with it alone. `file_name` is its name there,
    /// if it has another one.
    fn in_folder(
        &self,
        project: &Project,
        file_name: Option<&str>,
        place: &Location,
        mut options: Options,
    ) -> Result<(String, LocalKind, Output), Diagnostic> {
        let path = project.path.path.as_str();
        let shown = if path.is_empty() { "." } else { path };
        let kind = match project.kind {
            Kind::File if file_name.unwrap_or(path).ends_with(".whl") => LocalKind::Wheel,
            Kind::File => LocalKind::Archive,
            Kind::Package => LocalKind::Folder,
            Kind::Folder => {
                return Err(Diagnostic::new(format!(
                    "`{shown}` is not a Python package: it has neither pyproject.toml nor setup.py"
                ))
                .at(&place.file, place.lines)
                .help(
                    "Name the folder of the package, and check that .dockerignore does not exclude the file.",
                ));
            }
        };
        let whole = match project.path.root {
            Root::Context => "the build context".to_owned(),
            Root::BuildFile => format!("the folder of {}", self.build_file.file.name()),
        };
        options.name(format!("[pip] take {shown} from {whole}"));
        let output = from_context(&project.part, path, file_name, kind, &options);
        let label = if path.is_empty() {
            whole
        } else {
            path.to_owned()
        };
        Ok((label, kind, output))
    }
}

/// The package of a repository that a lock names at `place`.
pub(super) fn of_repository(
    name: String,
    repository: Repository,
    place: Location,
) -> (Local, Location) {
    let local = Local {
        label: name,
        kind: LocalKind::Folder,
        output: load(&repository, &place),
        build_options: Vec::new(),
        hashes: Hashes::default(),
        repository: Some(repository),
        editable: None,
    };
    (local, place)
}

/// The contents of a repository that is asked for at `place`.
pub(super) fn load(repository: &Repository, place: &Location) -> Output {
    let mut options = Options::new();
    options
        .location(location_of(place))
        .name(format!("[pip] load {}", quoted(&repository.url)));
    from_repository(repository, &options)
}

/// The advice to leave a package of a lock out, in an error about it.
fn with_skip(error: BuildError, packages: &[LocalPip]) -> BuildError {
    let BuildError::Diagnostic(error) = error else {
        return error;
    };
    let lines = error.locations.first().map(|place| place.lines);
    let named = packages.iter().find(|one| Some(one.lines) == lines);
    match named {
        Some(package) => or_skip(*error, &package.name).into(),
        None => BuildError::Diagnostic(error),
    }
}
