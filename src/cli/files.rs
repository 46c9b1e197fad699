//! The files that a file names, found as a build in the current folder finds them: `docker build -f FILE .`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::context::MAX_FILE_BYTES;
use condafront_input::file_path::{Content, FilePath, NamedFile, NamedPath, Root};
use condafront_input::own_lock::{LocalProject, OwnLock, Surroundings};
use condafront_input::pip_reading::{PipFiles, PipReading};
use condafront_input::requirements::{IncludedFile, Source};
use condafront_input::section::BuildArgs;
use condafront_input::{EnvironmentInput, InputSettings, PipRequirement};
use condafront_model::lint::{Rule, Warning};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

/// What lists for pip say, with the files that they name.
pub(super) struct CheckedLists {
    /// What they say together.
    pub(super) found: PipFiles,
    /// What is odd about them. What is missing here may be in the context of a build.
    pub(super) warnings: Vec<Warning>,
    /// Whether one of the files could not be read, so that there may be more in them.
    pub(super) lacks_file: bool,
    /// The addresses of lists on web servers, which only a build reads.
    pub(super) unread: BTreeSet<String>,
}

/// The folders to look in.
pub(super) struct Files {
    /// The current folder.
    context: PathBuf,
    /// The folder of the file.
    beside: PathBuf,
    /// The same, as a build knows it.
    pub(super) folder: FilePath,
}

/// The content of a file that is not larger than a build accepts.
///
/// # Errors
/// As [`std::fs::read`], and [`ErrorKind::FileTooLarge`].
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    let file = File::open(path)?;
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut data)?;
    if data.len() > MAX_FILE_BYTES {
        let message = format!("it is larger than {} MiB", MAX_FILE_BYTES >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(data)
}

impl Files {
    /// The folders for a file.
    pub(super) fn of(file: &str) -> Self {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let context = real(Path::new("."));
        let beside = match Path::new(file).parent() {
            Some(folder) if folder != Path::new("") => real(folder),
            _ => context.clone(),
        };
        let inside = beside.strip_prefix(&context).ok();
        let inside = inside.and_then(|path| FilePath::context().join(path.to_str()?));
        Self {
            folder: inside.unwrap_or_else(FilePath::build_file),
            context,
            beside,
        }
    }

    /// The file that `named` names.
    ///
    /// # Errors
    /// A diagnostic at the path if it is missing or cannot be read.
    pub(super) fn named(&self, named: &NamedPath) -> Result<NamedFile, Diagnostic> {
        named.choose(self.contents(named)?)
    }

    /// What is at each place where `named` can be.
    fn contents(&self, named: &NamedPath) -> Result<Vec<(FilePath, Content)>, Diagnostic> {
        let places = named.candidates()?.into_iter();
        let contents = places.map(|place| {
            let content = self.content(&place, named)?;
            Ok((place, content))
        });
        contents.collect()
    }

    /// What an env.yml in `folder` says, with the packages of the lock that it names. A warning says if the lock is missing
    /// here: it may be in the context of a build.
    ///
    /// # Errors
    /// What is wrong with the lock, or a diagnostic at a dependency that it does not satisfy.
    pub(super) fn with_own_lock(
        &self,
        folder: &FilePath,
        file: &Arc<SourceFile>,
        mut input: EnvironmentInput,
        platform: Platform,
        settings: &InputSettings,
    ) -> Result<EnvironmentInput, Diagnostic> {
        let Some(own) = OwnLock::of(file, &input, platform) else {
            return Ok(input);
        };
        let settings = &own.settings(settings);
        let named = own.named(folder);
        let Some(lock) = named.find(self.contents(&named)?)? else {
            if own.is_optional() {
                return own.without(input);
            }
            input.warnings.push(of_missing(own.missing()));
            return Ok(input);
        };
        let list = own.list_of_manifest(&input.pip, folder, settings)?;
        let found = own.read(&lock.file, settings)?;
        let projects = own.projects(&input, &found, folder);
        let projects = projects.into_iter().filter_map(|(path, named)| {
            let found = self.contents(&named).and_then(|places| named.find(places));
            let file = found.ok().flatten()?.file;
            Some(LocalProject { path, file })
        });
        let surroundings = Surroundings {
            settings,
            list: list.as_ref(),
            projects: &projects.collect::<Vec<_>>(),
            now: SystemTime::now(),
        };
        let mut input = own.installed(input, found, &lock.file, &surroundings)?;
        input.warnings.extend(lock.warning);
        Ok(input)
    }

    /// Checks lists of requirements, each of a file in the folder beside it, and the files that they name.
    ///
    /// # Errors
    /// A diagnostic at the first invalid entry.
    pub(super) fn check_lists(
        &self,
        lists: &[(&[PipRequirement], &FilePath)],
        args: &BuildArgs,
    ) -> Result<CheckedLists, Diagnostic> {
        let mut warnings = Vec::new();
        let mut lacks_file = false;
        let mut unread = BTreeSet::new();
        let mut reading = PipReading::new(args);
        for (list, folder) in lists {
            reading.add(list, (*folder).clone());
        }
        while let Some(file) = reading.next_file()? {
            let named = match file {
                IncludedFile::Local(named) => named,
                IncludedFile::Web(list) => {
                    warnings.extend(list.unpinned(None));
                    unread.insert(list.url.to_string());
                    lacks_file = true;
                    continue;
                }
            };
            match self.named(&named) {
                Ok(found) => {
                    warnings.extend(found.warning);
                    reading.open(&found.file, found.path)?;
                }
                Err(missing) => {
                    warnings.push(of_missing(missing));
                    lacks_file = true;
                }
            }
        }
        let found = reading.finish();
        warnings.extend(found.warnings.iter().cloned());
        for (_, entry, requirement) in found.list.local() {
            let Source::Context(path) = &requirement.source else {
                continue;
            };
            warnings.extend(self.missing(&entry.named(path))?);
        }
        Ok(CheckedLists {
            found,
            warnings,
            lacks_file,
            unread,
        })
    }

    /// The warning about a package that is not here, where it may be in the context of a build.
    ///
    /// # Errors
    /// A diagnostic at the path if it is outside the context.
    pub(super) fn missing(&self, named: &NamedPath) -> Result<Option<Warning>, Diagnostic> {
        let places = named.candidates()?;
        Ok(if places.iter().any(FilePath::is_above) {
            Some(of_missing(named.unknown()))
        } else if !places.iter().any(|place| self.path(place).exists()) {
            let meant = named.mistaken();
            let meant = meant.filter(|place| !place.is_above() && self.path(place).exists());
            Some(of_missing(named.nowhere(&places, meant.as_ref())))
        } else {
            None
        })
    }

    fn path(&self, place: &FilePath) -> PathBuf {
        let root = match place.root {
            Root::Context => &self.context,
            Root::BuildFile => &self.beside,
        };
        root.join(&place.path)
    }

    fn content(&self, place: &FilePath, named: &NamedPath) -> Result<Content, Diagnostic> {
        if place.is_above() {
            return Ok(Content::Unknown);
        }
        let path = self.path(place);
        match read_bounded(&path) {
            Ok(data) => Ok(Content::File(data)),
            Err(_) if path.is_dir() => Ok(Content::Folder),
            Err(error)
                if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) =>
            {
                Ok(Content::Nothing)
            }
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", path.display());
                let location = &named.location;
                Err(Diagnostic::new(message)
                    .at(&location.file, location.lines)
                    .caused_by(error))
            }
        }
    }
}

/// The warning that a file is not here. A build, which may find it, has no rule for it.
fn of_missing(diagnostic: Diagnostic) -> Warning {
    Warning {
        rule: Rule::AmbiguousPath,
        diagnostic,
    }
}
