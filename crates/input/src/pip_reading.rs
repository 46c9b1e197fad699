//! Reads all that an environment asks of pip: lists, with the files that they name, and locks.

use std::sync::Arc;

use crate::file_path::FilePath;
use crate::pip_requirement::PipRequirement;
use crate::pylock::{self, Pylock};
use crate::requirements::{IncludedFile, List, Reading, WebList};
use crate::section::args::BuildArgs;
use condafront_model::lint::Warning;
use condafront_model::source::{Diagnostic, SourceFile};

/// Reads lists and the locks that they name. The caller supplies each file: [`next_file`](Self::next_file()) says which one,
/// [`open`](Self::open()) or [`open_web`](Self::open_web()) takes it.
pub struct PipReading<'a> {
    reading: Reading<'a>,
    /// Whether the file that was last asked for is a lock.
    is_lock: bool,
    found: PipFiles,
}

/// What was read.
#[derive(Default)]
pub struct PipFiles {
    /// Entries that pip must resolve.
    pub list: List,
    /// The locks, each once.
    pub pylocks: Vec<Pylock>,
    /// What is doubtful about them.
    pub warnings: Vec<Warning>,
}

impl<'a> PipReading<'a> {
    /// Starts with nothing to read.
    pub fn new(args: &'a BuildArgs) -> Self {
        Self {
            reading: Reading::new(args),
            is_lock: false,
            found: PipFiles::default(),
        }
    }

    /// Adds the entries of a file in `folder`, to be read after those that were added before.
    pub fn add(&mut self, list: &[PipRequirement], folder: FilePath) {
        self.reading.add(list, folder);
    }

    /// Continues to the next file to read; `None` at the end.
    ///
    /// # Errors
    /// A diagnostic at the first invalid line.
    pub fn next_file(&mut self) -> Result<Option<IncludedFile>, Diagnostic> {
        let file = self.reading.next_file()?;
        self.is_lock = match &file {
            Some(IncludedFile::Local(named)) => Pylock::is_name(&named.path),
            Some(IncludedFile::Web(list)) if Pylock::is_name(&list.url.file_name()) => {
                let place = &list.location;
                return Err(Diagnostic::new(format!(
                    "{} is a lock on a web server: condafront reads locks from the build context",
                    list.url
                ))
                .at(&place.file, place.lines)
                .help("Put the lock into the build context, and name its path."));
            }
            _ => false,
        };
        Ok(file)
    }

    /// Takes the file that [`next_file`](Self::next_file()) asked for, which was found at `path`.
    ///
    /// # Errors
    /// What is wrong with a lock, or a file that cannot be one of a list.
    pub fn open(&mut self, file: &Arc<SourceFile>, path: FilePath) -> Result<(), Diagnostic> {
        if !self.is_lock {
            return self.reading.open(file, path);
        }
        self.reading.check_lock()?;
        let lock = pylock::read(file, path.folder())?;
        if !self.found.pylocks.contains(&lock) {
            self.found.warnings.extend(lock.warnings.clone());
            self.found.pylocks.push(lock);
        }
        Ok(())
    }

    /// Takes the content of the `list` that [`next_file`](Self::next_file()) asked for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open_web(&mut self, list: &WebList, content: Vec<u8>) -> Result<(), Diagnostic> {
        self.found.warnings.extend(list.unpinned(Some(&content)));
        self.reading.open_web(content)
    }

    /// What was read.
    pub fn finish(self) -> PipFiles {
        let list = self.reading.finish();
        let mut warnings = self.found.warnings;
        warnings.extend(list.ignored_options());
        warnings.extend(list.ignored_extras());
        PipFiles {
            list,
            warnings,
            ..self.found
        }
    }
}
