//! Compares two trees path by path. The image's links are not followed, nothing from it is run, and files are not held in
//! memory but read in parallel with what they must be. Directories that only the image has are not entered.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, FileType, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::findings::Findings;
use super::pair::{Outcome, Pair, outcome, rights, unreadable};
use super::rules::{Rules, Wanted, dangers};
use crate::install::error::{Error, Result};
use crate::parallel::try_map;
use crate::rights::capabilities;
use condafront_step_spec::verify::{Reason, VerifyReport};

/// How many files are compared side by side.
const BATCH: usize = 4096;

/// A file outside of the prefix: where each tree has it, without links on the way.
pub(super) struct Outside {
    /// The absolute path in the image.
    pub(super) path: PathBuf,
    pub(super) ours: PathBuf,
    /// `None` if links on the way form a loop.
    pub(super) theirs: Option<PathBuf>,
}

pub(super) struct Comparison<'a> {
    rules: &'a Rules<'a>,
    findings: Findings,
    report: VerifyReport,
    folders: Vec<PathBuf>,
    pairs: Vec<Pair>,
}

impl<'a> Comparison<'a> {
    /// Compares the trees of `rules`, and files outside of them; adds to `findings`.
    ///
    /// # Errors
    /// When what the file describes cannot be read, or a file of the image although it can be opened.
    pub(super) fn of(
        rules: &'a Rules<'a>,
        outside: Vec<Outside>,
        findings: Findings,
    ) -> Result<(Findings, VerifyReport)> {
        let mut comparison = Self {
            rules,
            findings,
            report: VerifyReport::default(),
            folders: Vec::new(),
            pairs: Vec::new(),
        };
        for file in outside {
            comparison.outside(file)?;
        }
        comparison.add(PathBuf::new(), &metadata(rules.expected)?)?;
        while let Some(folder) = comparison.folders.pop() {
            comparison.folder(&folder)?;
            if comparison.pairs.len() >= BATCH {
                comparison.files()?;
            }
        }
        comparison.files()?;
        Ok((comparison.findings, comparison.report))
    }

    /// Compares what is in a directory that both trees have.
    fn folder(&mut self, folder: &Path) -> Result<()> {
        let ours = entries(&self.rules.expected.join(folder))?;
        match fs::read_dir(self.rules.found.join(folder)) {
            Ok(theirs) => {
                for entry in theirs {
                    match entry {
                        Ok(entry) if ours.contains_key(&entry.file_name()) => {}
                        Ok(entry) => self.extra(&folder.join(entry.file_name())),
                        Err(error) => {
                            self.findings
                                .add(folder, Reason::Unreadable, unreadable(&error));
                        }
                    }
                }
            }
            Err(error) => self
                .findings
                .add(folder, Reason::Unreadable, unreadable(&error)),
        }
        for (name, wanted) in ours {
            self.add(folder.join(name), &wanted)?;
        }
        Ok(())
    }

    /// Something that only the image has.
    fn extra(&mut self, path: &Path) {
        let found = self.rules.found.join(path).symlink_metadata();
        match found {
            Ok(found) if self.rules.may_be_extra(path, &found) => {
                self.report.left_out += 1;
                self.check_dangers(path, &found);
            }
            Ok(found) => {
                let text = format!("is {} that nothing accounts for", kind(found.file_type()));
                self.findings.add(path, Reason::Extra, text);
            }
            Err(error) => self
                .findings
                .add(path, Reason::Unreadable, unreadable(&error)),
        }
    }

    /// Something that only the image may have, and what is in it, must not give rights to anybody.
    fn check_dangers(&mut self, path: &Path, found: &Metadata) {
        let theirs = self.rules.found.join(path);
        if let Some((reason, text)) = dangers(found) {
            self.findings.add(path, reason, text);
        }
        if found.is_file() {
            match capabilities(&theirs) {
                Ok(None) => {}
                Ok(Some(_)) => {
                    let text = "has capabilities, and nothing accounts for it".to_owned();
                    self.findings.add(path, Reason::Capabilities, text);
                }
                Err(error) => self
                    .findings
                    .add(path, Reason::Unreadable, unreadable(&error)),
            }
            return;
        }
        for entry in fs::read_dir(theirs).into_iter().flatten().flatten() {
            let path = path.join(entry.file_name());
            match entry.metadata() {
                Ok(found) => self.check_dangers(&path, &found),
                Err(error) => self
                    .findings
                    .add(&path, Reason::Unreadable, unreadable(&error)),
            }
        }
    }

    /// A file outside of the prefix that the image must have, unless commands of the file removed it.
    fn outside(&mut self, file: Outside) -> Result<()> {
        let Outside { path, ours, theirs } = file;
        let found = theirs.as_deref().map(Path::symlink_metadata);
        let wanted = match fs::symlink_metadata(&ours) {
            Ok(wanted) => wanted,
            Err(error) if is_absent(&error) => {
                if let Some(Ok(found)) = found {
                    let text = format!("is {} that nothing accounts for", kind(found.file_type()));
                    self.findings.add(&path, Reason::Extra, text);
                }
                return Ok(());
            }
            Err(error) => return Err(Error::io("read", &ours, error)),
        };
        let found = found.unwrap_or_else(|| Err(ErrorKind::NotFound.into()));
        if let (Some(found), Some(theirs)) = (self.matching(&path, &wanted, found), theirs) {
            self.pairs.push(Pair {
                path,
                ours,
                theirs,
                wanted,
                found,
            });
        }
        Ok(())
    }

    /// What the image has at a path, if it is of the kind that it must be.
    fn matching(
        &mut self,
        path: &Path,
        wanted: &Metadata,
        found: io::Result<Metadata>,
    ) -> Option<Metadata> {
        let found = match found {
            Ok(found) => found,
            Err(error) if is_absent(&error) => {
                let what = if wanted.is_dir() {
                    "is missing, with everything in it"
                } else {
                    "is missing"
                };
                self.findings.add(path, Reason::Missing, what.to_owned());
                return None;
            }
            Err(error) => {
                self.findings
                    .add(path, Reason::Unreadable, unreadable(&error));
                return None;
            }
        };
        let [ours, theirs] = [wanted, &found].map(|it| kind(it.file_type()));
        if ours != theirs {
            let text = format!("is {theirs} instead of {ours}");
            self.findings.add(path, Reason::Kind, text);
            return None;
        }
        Some(found)
    }

    /// A path that the image must have.
    ///
    /// # Errors
    /// When what the file describes cannot be read.
    fn add(&mut self, path: PathBuf, wanted: &Metadata) -> Result<()> {
        let is_needed = match (wanted.is_dir(), self.rules.wanted(&path)) {
            (true, _) => self.rules.needs_directory(&path),
            (false, Wanted::Anything) => false,
            (false, _) => true,
        };
        let [ours, theirs] = [self.rules.expected, self.rules.found].map(|tree| tree.join(&path));
        let found = theirs.symlink_metadata();
        if found.is_err() && !is_needed {
            self.report.left_out += usize::from(!wanted.is_dir());
            return Ok(());
        }
        let Some(found) = self.matching(&path, wanted, found) else {
            return Ok(());
        };
        if !wanted.is_dir() {
            let pair = Pair {
                path,
                ours,
                theirs,
                wanted: wanted.clone(),
                found,
            };
            if is_needed {
                self.pairs.push(pair);
            } else {
                self.report.left_out += 1;
                if let Some((reason, text)) = rights(self.rules, &pair)? {
                    self.findings.add(&pair.path, reason, text);
                }
            }
            return Ok(());
        }
        self.report.directories += 1;
        if let Some((reason, text)) = self.rules.rights(wanted, &found) {
            self.findings.add(&path, reason, text);
        }
        self.folders.push(path);
        Ok(())
    }

    /// Compares the files and links that were found so far.
    fn files(&mut self) -> Result<()> {
        let pairs = std::mem::take(&mut self.pairs);
        let rules = self.rules;
        let outcomes = try_map(&pairs, |_, pair| outcome(rules, pair))?;
        for (pair, outcome) in pairs.iter().zip(outcomes) {
            if pair.wanted.is_symlink() {
                self.report.links += 1;
            } else {
                self.report.files += 1;
                self.report.bytes += pair.wanted.len();
            }
            match outcome {
                None => {}
                Some(Outcome::Wrong(reason, text)) => self.findings.add(&pair.path, reason, text),
                Some(Outcome::Note(note)) => self.report.notes.push(note),
            }
        }
        Ok(())
    }
}

/// Whether there is nothing at a path.
fn is_absent(error: &io::Error) -> bool {
    [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind())
}

fn metadata(path: &Path) -> Result<Metadata> {
    fs::symlink_metadata(path).map_err(|e| Error::io("read", path, e))
}

/// What is in a directory, by name.
fn entries(dir: &Path) -> Result<BTreeMap<OsString, Metadata>> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(|e| Error::io("list", dir, e))? {
        let entry = entry.map_err(|e| Error::io("list", dir, e))?;
        entries.insert(entry.file_name(), metadata(&entry.path())?);
    }
    Ok(entries)
}

fn kind(of: FileType) -> &'static str {
    match of {
        _ if of.is_dir() => "a directory",
        _ if of.is_file() => "a file",
        _ if of.is_symlink() => "a link",
        _ if of.is_fifo() => "a named pipe",
        _ if of.is_socket() => "a socket",
        _ => "a device",
    }
}
