//! Reads a list, the files that it names, and the files that those name.

use std::collections::VecDeque;
use std::sync::Arc;

use super::check::check_variables;
use super::entry::Entry;
use super::frozen;
use super::list::{List, ListEntry};
use super::other_file;
use super::requirement::Source;
use super::variables::with_args;
use crate::context_path::normalized;
use crate::file_path::{FilePath, NamedPath};
use crate::leftover;
use crate::logical_lines;
use crate::pip_requirement::PipRequirement;
use crate::place::Place;
use crate::section::args::BuildArgs;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_model::visible::unfit;

/// How many files may be read at once, each named by the one before it.
const DEEPEST: usize = 32;

/// How many files a list may name in all, with those that its files name.
const MOST_FILES: usize = 1000;

/// Reads a list. The caller supplies each file that it names:
/// [`next_file`](Self::next_file()) says which one, [`open`](Self::open()) takes it.
pub struct Reading<'a> {
    args: &'a BuildArgs,
    found: Vec<ListEntry>,
    /// The files that are being read, each named by the one before it.
    open: Vec<OpenFile>,
    /// The file that was last asked for.
    wanted: Option<IncludedFile>,
    /// How many files have been read.
    files: usize,
}

/// A file that a list names.
struct IncludedFile {
    named: NamedPath,
    constraints: bool,
}

struct OpenFile {
    /// Where it is; `None` for the list itself.
    path: Option<FilePath>,
    /// The folder of the file with the list.
    folder: FilePath,
    constraints: bool,
    lines: VecDeque<PipRequirement>,
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
        }
    }

    /// Adds the entries of a file in `folder`, to be read after those that were added before.
    pub fn add(&mut self, list: &[PipRequirement], folder: FilePath) {
        let list = OpenFile {
            path: None,
            folder,
            constraints: false,
            lines: list.iter().cloned().collect(),
        };
        self.open.insert(0, list);
    }

    /// Continues to the next file to read; `None` at the end.
    ///
    /// # Errors
    /// A diagnostic at the first invalid line.
    pub fn next_file(&mut self) -> Result<Option<NamedPath>, Diagnostic> {
        while let Some(current) = self.open.last_mut() {
            let Some(line) = current.lines.pop_front() else {
                self.open.pop();
                continue;
            };
            let constraints = current.constraints;
            let folder = current.folder.clone();
            let beside = current.path.as_ref().map(FilePath::folder);
            let text = logical_lines::without_comment(&line.text).trim();
            let line = PipRequirement {
                text: with_args(text, self.args),
                ..line
            };
            if line.text.is_empty() {
                continue;
            }
            let place = Place {
                file: &line.file,
                lines: line.lines,
            };
            // pip takes these for the end of a line, too.
            let separator = line.text.contains(['\u{2028}', '\u{2029}']);
            let separator = separator.then(|| "a line break".to_owned());
            if let Some(what) = unfit(&line.text).or(separator) {
                let message = format!("`{}` contains {what}", quoted(&line.text));
                return Err(place.error(message).help("Remove it."));
            }
            let entry = match leftover::template(&line.text) {
                Some(found) => Err(leftover::not_rendered(found)),
                None => Entry::parse(&line.text),
            };
            let entry = entry.map_err(|mistake| {
                let error = mistake.at(place);
                if let Some(help) = frozen::help(&line.text, line.file.lossy_text()) {
                    return error.help(help);
                }
                // A requirement of its own starts with its name.
                let is_rest = !line.text.starts_with(char::is_alphanumeric);
                let cut = logical_lines::cut(line.file.lossy_text(), line.lines);
                match cut.filter(|_| is_rest) {
                    Some("") => error.help(
                        "The empty line above it ends the requirement that a `\\` continues: remove the empty line.",
                    ),
                    Some(comment) => error.help(format!(
                        "The comment `{}` ends the requirement that the `\\` before it continues: move the comment above the requirement.",
                        quoted(comment)
                    )),
                    None => error,
                }
            })?;
            if let Entry::File { path, constraints } = entry {
                let named = self.named(&path, &line)?;
                self.wanted = Some(IncludedFile {
                    named: named.clone(),
                    constraints,
                });
                return Ok(Some(named));
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
        Ok(None)
    }

    /// Takes the file that [`next_file`](Self::next_file()) asked for, which was found at `path`.
    ///
    /// # Errors
    /// A diagnostic if it is not a text file, has a merge conflict, is a lock of another kind, or is being read already, and if there are too many files.
    pub fn open(&mut self, file: &Arc<SourceFile>, path: FilePath) -> Result<(), Diagnostic> {
        let (Some(wanted), Some(current)) = (self.wanted.take(), self.open.last()) else {
            return Ok(());
        };
        let is_it = |file: &OpenFile| file.path.as_ref() == Some(&path);
        if self.open.iter().any(is_it) {
            let name = file.name();
            let message = if is_it(current) {
                format!("{name} includes itself")
            } else {
                format!("{name} is already being read: the files include each other in a circle")
            };
            let location = &wanted.named.location;
            return Err(Diagnostic::new(message)
                .at(&location.file, location.lines)
                .help("Remove the line."));
        }
        self.files += 1;
        let deep = self.open.iter().filter(|file| file.path.is_some()).count();
        let too_many = if deep >= DEEPEST {
            Some(format!(
                "more than {DEEPEST} files include one another in a chain"
            ))
        } else {
            let many = self.files > MOST_FILES;
            many.then(|| format!("more than {MOST_FILES} files are included"))
        };
        if let Some(message) = too_many {
            let location = &wanted.named.location;
            return Err(Diagnostic::new(message)
                .at(&location.file, location.lines)
                .help("Put the requirements into fewer files."));
        }
        let folder = current.folder.clone();
        let file = &file.as_declared()?;
        let text = file.text()?;
        if let Some(error) = leftover::of_git(file, text) {
            return Err(error);
        }
        if let Some(error) = other_file::error(file, text) {
            let location = &wanted.named.location;
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
            path: Some(path),
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
        let Some(IncludedFile { named, .. }) = wanted else {
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
        let including = current.and_then(|file| file.path.as_ref());
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
