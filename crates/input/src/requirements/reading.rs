//! Reads a list, the files that it names, and the files that those name.

use std::collections::VecDeque;
use std::sync::Arc;

use super::entry::Entry;
use super::list::{List, ListEntry};
use super::logical;
use crate::context_path::{OUTSIDE, joined};
use crate::pip_requirement::PipRequirement;
use crate::place::Place;
use crate::section::args::BuildArgs;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Location, SourceFile};

/// Reads a list. The caller supplies each file that it names:
/// [`next_file`](Self::next_file()) says which one, [`open`](Self::open()) takes it.
pub struct Reading<'a> {
    args: &'a BuildArgs,
    found: Vec<ListEntry>,
    /// The files that are being read, each named by the one before it.
    open: Vec<OpenFile>,
    /// The file that was last asked for.
    wanted: Option<IncludedFile>,
}

/// A file that a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludedFile {
    /// Its path in the build context.
    pub path: String,
    /// Where it is named.
    pub location: Location,
    constraints: bool,
}

struct OpenFile {
    /// Its path in the build context; `None` for the list itself.
    path: Option<String>,
    constraints: bool,
    lines: VecDeque<PipRequirement>,
}

impl<'a> Reading<'a> {
    /// Starts with the entries in the build file.
    pub fn new(list: &[PipRequirement], args: &'a BuildArgs) -> Self {
        Self {
            args,
            found: Vec::new(),
            open: vec![OpenFile {
                path: None,
                constraints: false,
                lines: list.iter().cloned().collect(),
            }],
            wanted: None,
        }
    }

    /// Continues to the next file to read; `None` at the end.
    ///
    /// # Errors
    /// A diagnostic at the first invalid line.
    pub fn next_file(&mut self) -> Result<Option<IncludedFile>, Diagnostic> {
        while let Some(current) = self.open.last_mut() {
            let Some(line) = current.lines.pop_front() else {
                self.open.pop();
                continue;
            };
            let constraints = current.constraints;
            let text = logical::without_comment(&line.text).trim();
            let line = PipRequirement {
                text: logical::with_args(text, self.args),
                ..line
            };
            if line.text.is_empty() {
                continue;
            }
            let place = Place {
                file: &line.file,
                lines: line.lines,
            };
            let entry = Entry::parse(&line.text).map_err(|mistake| mistake.at(place))?;
            if let Entry::File { path, constraints } = entry {
                let wanted = self.wanted(&path, constraints, &line)?;
                self.wanted = Some(wanted.clone());
                return Ok(Some(wanted));
            }
            self.found.push(ListEntry::new(line, entry, constraints)?);
        }
        Ok(None)
    }

    /// Takes the file that [`next_file`](Self::next_file()) asked for.
    ///
    /// # Errors
    /// A diagnostic if it is not a text file.
    pub fn open(&mut self, file: &Arc<SourceFile>) -> Result<(), Diagnostic> {
        let Some(wanted) = self.wanted.take() else {
            return Ok(());
        };
        let lines = logical::lines(file.text()?);
        let lines = lines
            .into_iter()
            .map(|(text, lines)| PipRequirement {
                text,
                file: Arc::clone(file),
                lines,
            })
            .collect();
        self.open.push(OpenFile {
            path: Some(wanted.path),
            constraints: wanted.constraints,
            lines,
        });
        Ok(())
    }

    /// The finished list.
    pub fn finish(self) -> List {
        List::new(self.found)
    }

    /// The file at `path`, which `line` names relative to its own file, as pip does.
    fn wanted(
        &self,
        path: &str,
        constraints: bool,
        line: &PipRequirement,
    ) -> Result<IncludedFile, Diagnostic> {
        let error = |message: String, help: &str| {
            Err(Diagnostic::new(message)
                .at(&line.file, line.lines)
                .help(help.to_owned()))
        };
        let shown = quoted(path);
        if path.starts_with('/') {
            return error(
                format!("`{shown}` is an absolute path"),
                "Name files by their paths in the build context.",
            );
        }
        let current = self.open.last().and_then(|file| file.path.as_deref());
        let folder = current.and_then(|path| Some(path.rsplit_once('/')?.0));
        let Some(found) = joined(folder.unwrap_or_default(), path) else {
            return error(format!("`{shown}` is outside the build context"), OUTSIDE);
        };
        if found.is_empty() || path.ends_with('/') {
            return error(
                format!("`{shown}` is a folder, not a file"),
                "Name a file with requirements, one per line.",
            );
        }
        if self
            .open
            .iter()
            .any(|file| file.path.as_deref() == Some(&found))
        {
            return error(
                if current == Some(&found) {
                    format!("{found} includes itself")
                } else {
                    format!(
                        "{found} is already being read: the files include each other in a circle"
                    )
                },
                "Remove the line.",
            );
        }
        Ok(IncludedFile {
            path: found,
            location: line.location(),
            constraints,
        })
    }
}
