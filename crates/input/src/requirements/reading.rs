//! Reads a list, the files that it names, and the files that those name.

use std::collections::VecDeque;
use std::sync::Arc;

use super::address::is_web;
use super::check::check_variables;
use super::entry::Entry;
use super::line::{explained, parsed};
use super::list::{List, ListEntry};
use super::other_file;
use super::requirement::Source;
use super::variables::with_args;
use super::web_list::WebList;
use crate::context_path::normalized;
use crate::file_path::{FilePath, NamedPath};
use crate::leftover;
use crate::logical_lines;
use crate::pip_requirement::PipRequirement;
use crate::place::Place;
use crate::section::args::BuildArgs;
use condafront_model::mistakes::Mistakes;
use condafront_model::package::PackageUrl;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Location, SourceFile};

/// How many files may be read at once, each named by the one before it.
const DEEPEST: usize = 32;

/// How many files a list may name in all, with those that its files name.
const MOST_FILES: usize = 1000;

/// How many bytes these files may have together.
const MOST_BYTES: usize = 64 << 20;

/// Reads a list. The caller supplies each file that it names: [`next_file`](Self::next_file()) says which one,
/// [`open`](Self::open()) or [`open_web`](Self::open_web()) takes it.
pub struct Reading<'a> {
    args: &'a BuildArgs,
    found: Vec<ListEntry>,
    /// The files that are being read, each named by the one before it.
    open: Vec<OpenFile>,
    /// The file that was last asked for.
    wanted: Option<Wanted>,
    /// How many files have been read.
    files: usize,
    /// How many bytes they have together.
    bytes: usize,
    /// What is wrong with the lines that have been read.
    mistakes: Mistakes,
}

/// A file that a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncludedFile {
    /// One of the user's.
    Local(NamedPath),
    /// One on a web server.
    Web(WebList),
}

/// A file to be opened.
struct Wanted {
    file: IncludedFile,
    constraints: bool,
}

/// Where a list is.
#[derive(Clone, PartialEq, Eq)]
enum Origin {
    /// In the file that starts the reading.
    Start,
    /// In a file of the user.
    Local(FilePath),
    /// On a web server.
    Web(PackageUrl),
}

struct OpenFile {
    origin: Origin,
    /// The folder of the file with the list.
    folder: FilePath,
    constraints: bool,
    lines: VecDeque<PipRequirement>,
}

impl IncludedFile {
    /// Where it is named.
    pub fn location(&self) -> &Location {
        match self {
            Self::Local(named) => &named.location,
            Self::Web(list) => &list.location,
        }
    }
}

impl<'a> Reading<'a> {
    /// Starts with nothing to read.
    pub fn new(args: &'a BuildArgs) -> Self {
        Self {
            args,
            found: Vec::new(),
            open: Vec::new(),
            wanted: None,
            files: 0,
            bytes: 0,
            mistakes: Mistakes::default(),
        }
    }

    /// Adds the entries of a file in `folder`, to be read after those that were added before.
    pub fn add(&mut self, list: &[PipRequirement], folder: FilePath) {
        let list = OpenFile {
            origin: Origin::Start,
            folder,
            constraints: false,
            lines: list.iter().cloned().collect(),
        };
        self.open.insert(0, list);
    }

    /// Continues to the next file to read; `None` at the end.
    ///
    /// # Errors
    /// A diagnostic at the invalid lines before it.
    pub fn next_file(&mut self) -> Result<Option<IncludedFile>, Diagnostic> {
        while let Some(current) = self.open.last_mut() {
            let Some(line) = current.lines.pop_front() else {
                self.open.pop();
                continue;
            };
            let constraints = current.constraints;
            let folder = current.folder.clone();
            let beside = match &current.origin {
                Origin::Local(path) => Some(path.folder()),
                Origin::Start | Origin::Web(_) => None,
            };
            let text = logical_lines::without_comment(&line.text).trim();
            let line = PipRequirement {
                text: with_args(text, self.args),
                ..line
            };
            if line.text.is_empty() {
                continue;
            }
            let entry = match parsed(&line) {
                Ok(entry) => entry,
                Err(mistake) => {
                    self.mistakes.add(|| explained(mistake, &line));
                    continue;
                }
            };
            if let Entry::File { path, constraints } = entry {
                self.mistakes.check()?;
                let file = self.included(&path, &line)?;
                self.wanted = Some(Wanted {
                    file: file.clone(),
                    constraints,
                });
                return Ok(Some(file));
            }
            if let Entry::Package(requirement) = &entry
                && requirement.is_for_another_system()
            {
                continue;
            }
            let entry = ListEntry {
                folder: beside,
                ..ListEntry::new(line, entry.in_folder(&folder), constraints)?
            };
            if let Some(Source::Context(path)) = entry.requirement().map(|found| &found.source) {
                entry.named(path).candidates()?;
            }
            self.found.push(entry);
        }
        self.mistakes.check()?;
        Ok(None)
    }

    /// Takes the file that [`next_file`](Self::next_file()) asked for, which was found at `path`.
    ///
    /// # Errors
    /// A diagnostic if it is not a text file, has a merge conflict, is a lock of another kind, or is being read already, and if
    /// there are too many files, or they are too large together.
    pub fn open(&mut self, file: &Arc<SourceFile>, path: FilePath) -> Result<(), Diagnostic> {
        match self.wanted.take() {
            Some(wanted) => self.push(file, Origin::Local(path), &wanted),
            None => Ok(()),
        }
    }

    /// Takes the content of the list on a web server that [`next_file`](Self::next_file()) asked for.
    ///
    /// # Errors
    /// As [`open`](Self::open()).
    pub fn open_web(&mut self, content: Vec<u8>) -> Result<(), Diagnostic> {
        match self.wanted.take() {
            Some(wanted) => match &wanted.file {
                IncludedFile::Web(list) => {
                    self.push(&list.file(content), Origin::Web(list.url.clone()), &wanted)
                }
                IncludedFile::Local(_) => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn push(
        &mut self,
        file: &Arc<SourceFile>,
        origin: Origin,
        wanted: &Wanted,
    ) -> Result<(), Diagnostic> {
        let Some(current) = self.open.last() else {
            return Ok(());
        };
        let is_it = |file: &OpenFile| file.origin == origin;
        let location = wanted.file.location();
        if self.open.iter().any(is_it) {
            let name = file.name();
            let message = if is_it(current) {
                format!("{name} includes itself")
            } else {
                format!("{name} is already being read: the files include each other in a circle")
            };
            return Err(Diagnostic::new(message)
                .at(&location.file, location.lines)
                .help("Remove the line."));
        }
        self.files += 1;
        self.bytes = self.bytes.saturating_add(file.bytes().len());
        let deep = self.open.iter();
        let deep = deep.filter(|file| file.origin != Origin::Start).count();
        let fewer = "Put the requirements into fewer files.";
        let too_many = if deep >= DEEPEST {
            let message = format!("more than {DEEPEST} files include one another in a chain");
            Some((message, fewer))
        } else if self.files > MOST_FILES {
            Some((format!("more than {MOST_FILES} files are included"), fewer))
        } else if self.bytes > MOST_BYTES {
            let message = format!(
                "the included files have more than {} MiB together",
                MOST_BYTES >> 20
            );
            Some((message, "Check that these are the files you mean."))
        } else {
            None
        };
        if let Some((message, help)) = too_many {
            return Err(Diagnostic::new(message)
                .at(&location.file, location.lines)
                .help(help));
        }
        let folder = current.folder.clone();
        let file = &file.as_declared()?;
        let text = file.text()?;
        if let Some(error) = leftover::of_git(file, text) {
            return Err(error);
        }
        if let Some(error) = other_file::error(file, text) {
            return Err(error.at(&location.file, location.lines));
        }
        let lines = logical_lines::lines(text);
        let lines = lines
            .into_iter()
            .map(|(text, lines)| PipRequirement {
                text,
                file: Arc::clone(file),
                lines,
            })
            .collect();
        self.open.push(OpenFile {
            origin,
            folder,
            constraints: wanted.constraints,
            lines,
        });
        Ok(())
    }

    /// Says that the file that [`next_file`](Self::next_file()) asked for is a `pylock.toml`, which the caller reads.
    ///
    /// # Errors
    /// A diagnostic if it is named as a file of constraints.
    pub fn check_lock(&mut self) -> Result<(), Diagnostic> {
        let wanted = self.wanted.take().filter(|wanted| wanted.constraints);
        let Some(IncludedFile::Local(named)) = wanted.map(|wanted| wanted.file) else {
            return Ok(());
        };
        let place = &named.location;
        let path = quoted(&named.path);
        Err(
            Diagnostic::new(format!("`{path}` is a lock, not a file of constraints"))
                .at(&place.file, place.lines)
                .help(format!("Install what it locks: -r {path}")),
        )
    }

    /// The finished list.
    pub fn finish(self) -> List {
        List::new(self.found)
    }

    /// The file at `path`, which `line` names. In a requirements file, paths are relative to that file, as for pip.
    fn included(&self, path: &str, line: &PipRequirement) -> Result<IncludedFile, Diagnostic> {
        let base = match self.open.last().map(|file| &file.origin) {
            Some(Origin::Web(url)) => Some(url),
            _ => None,
        };
        match path.strip_prefix("file:") {
            Some(_) if base.is_some() => {
                let message = format!(
                    "`{}` is a local file, named by a list on a web server",
                    quoted(path)
                );
                Err(Diagnostic::new(message)
                    .at(&line.file, line.lines)
                    .help("Put the lists into the build context, or name a file on the server."))
            }
            None if base.is_some() || is_web(path) => {
                let list = WebList::parse(path, base, line.location())?;
                Ok(IncludedFile::Web(list))
            }
            path_alone => {
                let named = self.named(path_alone.unwrap_or(path), line)?;
                Ok(IncludedFile::Local(named))
            }
        }
    }

    /// The user's file at `path`, which `line` names.
    fn named(&self, path: &str, line: &PipRequirement) -> Result<NamedPath, Diagnostic> {
        let error = |message: String, help: &str| {
            Err(Diagnostic::new(message)
                .at(&line.file, line.lines)
                .help(help.to_owned()))
        };
        let shown = quoted(path);
        check_variables(path, path).map_err(|mistake| {
            mistake.at(Place {
                file: &line.file,
                lines: line.lines,
            })
        })?;
        if path.starts_with('/') {
            return error(
                format!("`{shown}` is an absolute path"),
                "Name files by their paths in the build context.",
            );
        }
        if ["", ".", ".."].contains(&path.rsplit('/').next().unwrap_or(path)) {
            return error(
                format!("`{shown}` is a folder, not a file"),
                "Name a file with requirements, one per line.",
            );
        }
        let current = self.open.last();
        let including = match current.map(|file| &file.origin) {
            Some(Origin::Local(path)) => Some(path),
            _ => None,
        };
        let list = || current.map_or_else(FilePath::context, |file| file.folder.clone());
        let named = NamedPath {
            path: normalized("", path),
            folder: including.map_or_else(list, FilePath::folder),
            beside: None,
            or_context: including.is_none(),
            location: line.location(),
        };
        named.candidates()?;
        Ok(named)
    }
}
