//! What must be the same, and where other tools may differ.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::inventory;
use super::packages::{Contained, Identity, Packages};
use super::state;
use crate::install::source_of;
use crate::rights::RIGHTS;
use crate::untrusted::{self, LONGEST_RECORD};
use condafront_step_spec::inventory::INVENTORY;
use condafront_step_spec::verify::{Extent, Reason};

/// The bits for those who may run a program.
const RUNS: u32 = 0o111;
/// Where records are, in a prefix.
const RECORDS: &str = "conda-meta";
/// Where conda and mamba cache packages, in the root prefix.
const CACHE: &str = "pkgs";
/// The longest inventory that is read.
const LONGEST_INVENTORY: u64 = 16 << 20;

/// What must be the same.
pub(super) struct Rules<'a> {
    pub(super) extent: Extent,
    /// The packages of what the file describes.
    pub(super) packages: &'a Packages,
    /// What the file describes.
    pub(super) expected: &'a Path,
    /// The image to check.
    pub(super) found: &'a Path,
}

/// What to do with a path that both trees have.
pub(super) enum Wanted<'a> {
    /// It must be the same.
    Same,
    /// It must be a record of this package.
    Record(&'a Identity),
    /// It must be the same, but the first line of a script may name another interpreter.
    Script,
    /// It must set the same variables.
    Variables,
    /// It may be anything.
    Anything,
}

impl Rules<'_> {
    /// What is wanted at `path`, which is something else than a directory.
    pub(super) fn wanted(&self, path: &Path) -> Wanted<'_> {
        let text = path.to_str();
        match (self.extent, text) {
            (Extent::Everything, _) => Wanted::Same,
            (Extent::Packages, None) => Wanted::Anything,
            (Extent::Packages, Some(text)) => match self.packages.recorded(text) {
                Some(identity) => Wanted::Record(identity),
                None if is_written_by_tools(path, "state") => Wanted::Variables,
                None => match self.packages.contained(text) {
                    Contained::AsItIs => Wanted::Same,
                    Contained::AsScript => Wanted::Script,
                    Contained::Not => Wanted::Anything,
                },
            },
        }
    }

    /// Whether the prefix must be at the same place behind links of the base image.
    pub(super) fn needs_place(&self) -> bool {
        self.extent == Extent::Everything
    }

    /// Whether the directory at `path` must exist.
    pub(super) fn needs_directory(&self, path: &Path) -> bool {
        self.extent == Extent::Everything
            || path.ends_with(RECORDS)
            || path
                .to_str()
                .is_some_and(|path| self.packages.contain_below(path))
    }

    /// Whether `path` may exist in the image alone: what another tool leaves.
    pub(super) fn may_be_extra(&self, path: &Path, found: &Metadata) -> bool {
        if self.extent == Extent::Everything {
            return false;
        }
        if found.is_dir() {
            let is_cache = path.file_name().is_some_and(|name| name == "__pycache__");
            return is_cache && self.has_only(path, |path| self.is_bytecode(path))
                || path == Path::new(CACHE) && self.has_only(path, is_list_of_cache);
        }
        let sets_nothing = || {
            let variables = state::variables(&self.found.join(path));
            variables.is_some_and(|variables| variables.is_empty())
        };
        found.is_file()
            && (self.is_bytecode(path)
                || is_written_by_tools(path, "history")
                || is_written_by_tools(path, "state") && sets_nothing())
    }

    /// Whether everything in a directory is a file that `is_free`.
    fn has_only(&self, dir: &Path, is_free: impl Fn(&Path) -> bool) -> bool {
        let is_one = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let is_file = entry.file_type().ok()?.is_file();
            Some(is_file && is_free(&dir.join(entry.file_name())))
        };
        let entries = fs::read_dir(self.found.join(dir));
        entries.is_ok_and(|mut entries| entries.all(|entry| is_one(entry) == Some(true)))
    }

    /// Whether a file is bytecode of a module that the file describes.
    fn is_bytecode(&self, path: &Path) -> bool {
        let source = path.to_str().and_then(source_of);
        source.is_some_and(|source| {
            let found = self.expected.join(source).symlink_metadata();
            found.is_ok_and(|found| found.is_file())
        })
    }

    /// What is wrong with the permissions or the owner of a path.
    pub(super) fn rights(&self, wanted: &Metadata, found: &Metadata) -> Option<(Reason, String)> {
        let [ours, theirs] = [wanted, found].map(|it| it.permissions().mode() & 0o7777);
        let has_mode = !wanted.is_symlink();
        let is_same = match self.extent {
            Extent::Everything => ours == theirs,
            Extent::Packages => {
                let runs = |mode: u32| wanted.is_dir() || mode & RUNS != 0;
                ours & RIGHTS == theirs & RIGHTS && runs(ours) == runs(theirs)
            }
        };
        if has_mode && !is_same {
            let text = format!("has the mode {theirs:o} instead of {ours:o}");
            return Some((Reason::Mode, text));
        }
        let owner = |of: &Metadata| format!("{}:{}", of.uid(), of.gid());
        let (ours, theirs) = (owner(wanted), owner(found));
        if self.extent == Extent::Everything && ours != theirs {
            let text = format!("belongs to {theirs} instead of {ours}");
            return Some((Reason::Owner, text));
        }
        None
    }

    /// Whether the image's file at `path` is an inventory that lists what that of the file describes does.
    pub(super) fn is_same_inventory(&self, path: &Path) -> bool {
        let read = |tree: &Path| untrusted::read(&tree.join(path), LONGEST_INVENTORY);
        path == Path::new(INVENTORY)
            && match (read(self.expected), read(self.found)) {
                (Ok(ours), Ok(theirs)) => inventory::list_the_same(&ours, &theirs),
                _ => false,
            }
    }

    /// Whether both trees set the same variables at `path`.
    pub(super) fn sets_the_same(&self, path: &Path) -> bool {
        let [ours, theirs] =
            [self.expected, self.found].map(|tree| state::variables(&tree.join(path)));
        ours.is_some() && ours == theirs
    }

    /// Whether the image's record at `path` is about this package.
    pub(super) fn is_record_of(&self, path: &Path, identity: &Identity) -> bool {
        let text = untrusted::read(&self.found.join(path), LONGEST_RECORD);
        let found = text
            .ok()
            .and_then(|text| serde_json::from_slice::<Identity>(&text).ok());
        found.is_some_and(|found| found.is(identity))
    }
}

/// What is dangerous about the permissions of something that only the image has.
pub(super) fn dangers(found: &Metadata) -> Option<(Reason, String)> {
    let mode = found.permissions().mode() & 0o7777;
    let text = format!("has the mode {mode:o}, and nothing accounts for it");
    (mode & RIGHTS != 0).then_some((Reason::Mode, text))
}

/// Whether a path is a list of the packages that a cache once had.
fn is_list_of_cache(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == "urls" || name == "urls.txt")
}

/// Whether a path is that of the file `name` which conda and mamba write beside their records.
fn is_written_by_tools(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|found| found == name)
        && path.parent().is_some_and(|dir| dir.ends_with(RECORDS))
}
