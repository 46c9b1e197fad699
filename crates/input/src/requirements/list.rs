//! A list of requirements, and what the build needs to know of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::Entry;
use super::options::PipOption;
use super::paths::LocalPath;
use super::requirement::{Requirement, Source};
use crate::file_path::{FilePath, NamedPath};
use crate::locked::address::pip as pip_package;
use crate::pip_requirement::PipRequirement;
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::Hashes;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, Location, SourceFile};
use condafront_step_spec::channel_folder;
use condafront_step_spec::pip::{PipEntry, PipWheel};
use condafront_step_spec::pip_variables::variables;

/// The options that say where to look for packages.
const INDEX_OPTIONS: &[&str] = &[
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--no-index",
    "--trusted-host",
];

/// What constraints are for.
const OF_CONSTRAINTS: &str = "A constraint only limits the version or the source of a package that is installed anyway: requests==2.32.3, or NAME @ URL";

/// A list, including the lines of all files that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    entries: Vec<ListEntry>,
}

/// The options for pip when it builds packages, as command-line words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// The options that say where to find build dependencies.
    pub indexes: Vec<String>,
    /// The options of single packages, by normalized name.
    own: BTreeMap<String, Vec<String>>,
}

impl BuildOptions {
    /// The options that apply to one package only.
    pub fn own(&self, package: &str) -> &[String] {
        self.own
            .get(&normalized(package))
            .map_or(&[], Vec::as_slice)
    }
}

/// A line of a list that holds a package or options, never one that names a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// The line as pip reads it.
    pub text: String,
    /// The file that it is in.
    pub file: Arc<SourceFile>,
    /// Its lines in that file.
    pub lines: Lines,
    /// The folder of that file, if it is one that the list names.
    pub(super) folder: Option<FilePath>,
    /// Whether it only limits the version of a package that something else asks for.
    pub(crate) is_constraint: bool,
    /// What it asks for.
    pub(super) entry: Entry,
}

impl ListEntry {
    /// # Errors
    /// A constraint that pip does not accept.
    pub(super) fn new(
        line: PipRequirement,
        entry: Entry,
        is_constraint: bool,
    ) -> Result<Self, Diagnostic> {
        if let Entry::Package(requirement) = &entry
            && is_constraint
        {
            let lack = if requirement.is_editable {
                Some("is editable")
            } else if requirement.has_extras() {
                Some("has extras")
            } else {
                (!requirement.is_named()).then_some("has no name")
            };
            if let Some(lack) = lack {
                let shown = quoted(&line.text);
                let message = format!("`{shown}` is a constraint, but {lack}");
                return Err(Diagnostic::new(message)
                    .at(&line.file, line.lines)
                    .help(OF_CONSTRAINTS));
            }
        }
        Ok(Self {
            text: line.text,
            file: line.file,
            lines: Lines { ..line.lines },
            folder: None,
            is_constraint,
            entry,
        })
    }

    /// Where the entry is.
    pub fn location(&self) -> Location {
        Location {
            file: Arc::clone(&self.file),
            lines: self.lines,
        }
    }

    /// The entry's path `path`, to be looked up.
    pub fn named(&self, path: &LocalPath) -> NamedPath {
        path.named(self.location(), self.folder.as_ref())
    }

    /// The package that it asks for or constrains.
    pub fn requirement(&self) -> Option<&Requirement> {
        match &self.entry {
            Entry::Package(requirement) => Some(requirement),
            Entry::File { .. } | Entry::Options(_) => None,
        }
    }
}

impl List {
    /// The list of these entries.
    pub(super) fn new(entries: Vec<ListEntry>) -> Self {
        Self { entries }
    }

    /// Whether the list asks for no package.
    pub fn is_empty(&self) -> bool {
        self.wanted().next().is_none()
    }

    /// All entries.
    pub fn entries(&self) -> &[ListEntry] {
        &self.entries
    }

    /// The entries that ask for a package, with their indices in the list.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (usize, &ListEntry, &Requirement)> {
        let entries = self.entries.iter().enumerate();
        let wanted = entries.filter(|(_, entry)| !entry.is_constraint);
        wanted.filter_map(|(index, entry)| Some((index, entry, entry.requirement()?)))
    }

    /// The packages that are neither in an index nor on a web server, each once, with the indices of their entries.
    /// Each needs a wheel before pip can resolve the list: those that only a constraint names, too.
    pub fn local(&self) -> impl Iterator<Item = (usize, &ListEntry, &Requirement)> {
        let mut sources = Vec::new();
        let entries = self.entries.iter().enumerate();
        let constraints = entries.filter(|(_, entry)| entry.is_constraint);
        let constraints =
            constraints.filter_map(|(index, entry)| Some((index, entry, entry.requirement()?)));
        // What asks for a package says more about it than a constraint.
        let all = self.wanted().chain(constraints);
        all.filter(move |(_, _, requirement)| {
            let source = &requirement.source;
            let is_local = matches!(source, Source::Context(_) | Source::Repository(_));
            let is_new = is_local && !sources.contains(&source);
            sources.extend(is_new.then_some(source));
            is_new
        })
    }

    /// Says where packages in the user's folders were found, each by its path in the list. Different paths can lead to one
    /// package.
    pub fn set_places(&mut self, places: &[(LocalPath, FilePath)]) {
        for entry in &mut self.entries {
            if let Entry::Package(Requirement {
                source: Source::Context(path),
                ..
            }) = &mut entry.entry
                && let Some((_, place)) = places.iter().find(|(named, _)| named == path)
            {
                *path = LocalPath::at(place);
            }
        }
    }

    /// The list for the step that runs pip; wheel `n` belongs to the n-th [`local`](Self::local()) package.
    /// `in_folder` drops the index options: all packages are in the folder of the target `channel`.
    pub fn for_step(&self, in_folder: bool) -> Vec<PipEntry> {
        let is_index = |entry: &ListEntry| match &entry.entry {
            Entry::Options(options) => options.iter().any(|one| INDEX_OPTIONS.contains(&one.name)),
            _ => false,
        };
        let requires_hashes = self.requires_hashes();
        let local: Vec<&Source> = self.local().map(|(_, _, found)| &found.source).collect();
        let entry = |entry: &ListEntry| {
            let wheel = entry.requirement().and_then(|requirement| {
                let index = local.iter().position(|local| **local == requirement.source);
                Some((index?, requirement))
            });
            PipEntry {
                text: match &wheel {
                    Some((_, requirement)) => requirement.before.clone(),
                    None if in_folder && is_index(entry) => String::new(),
                    None => match entry.requirement().map(|found| (found, &found.source)) {
                        Some((found, Source::Web(Some(url)))) if in_folder => {
                            format!(
                                "{}{}{}",
                                found.before,
                                channel_folder::mounted(url),
                                found.after
                            )
                        }
                        _ => entry.text.clone(),
                    },
                },
                is_constraint: entry.is_constraint,
                wheel: wheel.map(|(index, requirement)| PipWheel {
                    index,
                    after: match &requirement.file_hashes.sha256 {
                        Some(sha256) if requires_hashes => {
                            format!("{} --hash=sha256:{sha256}", requirement.after)
                        }
                        _ => requirement.after.clone(),
                    },
                }),
            }
        };
        self.entries.iter().map(entry).collect()
    }

    /// The files to install, if the list pins them completely: a list with hashes must name every package, and here
    /// each one has a URL, exactly one SHA-256 and no marker.
    pub fn pinned(&self) -> Option<Vec<PipPackage>> {
        let wanted: Vec<_> = self.wanted().collect();
        if !self.requires_hashes() || wanted.is_empty() {
            return None;
        }
        let package = |(_, entry, found): (usize, &ListEntry, &Requirement)| {
            let Source::Web(Some(url)) = &found.source else {
                return None;
            };
            let name = found.name.as_deref().filter(|_| !found.has_marker)?;
            let sha256 = match found.hashes.as_slice() {
                [] => None,
                [one] => Some(one.strip_prefix("sha256:")?.to_owned()),
                _ => return None,
            };
            let hashes = Hashes { sha256, md5: None };
            let package = pip_package(&entry.file, name, None, url.as_str(), hashes, entry.lines);
            let package = package.ok()?;
            package.hashes.sha256.as_ref()?;
            Some(PipPackage {
                file: Some(Arc::clone(&entry.file)),
                is_direct: true,
                ..package
            })
        };
        let mut packages: Vec<PipPackage> = Vec::new();
        for package in wanted.into_iter().map(package) {
            let package = package?;
            match packages.iter().find(|known| known.name == package.name) {
                // A file that is included twice repeats its entries.
                Some(known) if known.url == package.url && known.hashes == package.hashes => {}
                Some(_) => return None,
                None => packages.push(package),
            }
        }
        Some(packages)
    }

    pub(super) fn has_option(&self, name: &str) -> bool {
        self.options().any(|option| option.name == name)
    }

    fn options(&self) -> impl Iterator<Item = &PipOption> {
        self.entries.iter().flat_map(|entry| match &entry.entry {
            Entry::Options(options) => options.as_slice(),
            _ => &[],
        })
    }

    /// The options for pip when it builds packages of the list.
    pub fn build_options(&self) -> BuildOptions {
        let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, _, found) in self.wanted() {
            if let Some(name) = found.name.clone() {
                own.entry(name)
                    .or_default()
                    .extend_from_slice(&found.build_options);
            }
        }
        BuildOptions {
            indexes: self.index_options(),
            own,
        }
    }

    fn index_options(&self) -> Vec<String> {
        let options = self.options();
        let options = options.filter(|option| INDEX_OPTIONS.contains(&option.name));
        let words = options.flat_map(|option| [option.name, option.value.as_str()]);
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Warnings about lines that say more than an image can have.
    pub fn warnings(&self) -> Vec<Warning> {
        let editable = self.wanted().filter(|(_, _, found)| found.is_editable);
        let warning = |(_, entry, _): (usize, &ListEntry, &Requirement)| Warning {
            rule: Rule::Ignored,
            diagnostic: Diagnostic::new(format!(
                "`{}` is installed like any other package: an image has no source copy to edit",
                quoted(&entry.text)
            ))
            .at(&entry.file, entry.lines)
            .help("Remove -e, or build an image for development: --target dev."),
        };
        editable.map(warning).collect()
    }

    /// The variables that pip itself expands.
    pub fn variables(&self) -> BTreeSet<String> {
        let entries = self.entries.iter();
        entries
            .flat_map(|entry| variables(&entry.text))
            .map(str::to_owned)
            .collect()
    }

    /// Where the list asks for a package: its own entry, or else a constraint on it. For a dependency of other
    /// packages, the span of all requirements in the file that has the first one.
    pub fn place_of(&self, package: &str) -> Option<Location> {
        let package = normalized(package);
        let is_it = |entry: &&ListEntry| {
            let requirement = entry.requirement();
            requirement.is_some_and(|found| found.name.as_ref() == Some(&package))
        };
        let own = self.entries.iter().filter(is_it);
        if let Some(entry) = own.min_by_key(|entry| entry.is_constraint) {
            return Some(entry.location());
        }
        let (_, first, _) = self.wanted().next()?;
        let of_file = || {
            self.wanted()
                .filter(|(_, entry, _)| entry.file == first.file)
                .map(|(_, entry, _)| entry.lines)
        };
        Some(Location {
            file: Arc::clone(&first.file),
            lines: Lines {
                first: of_file().map(|lines| lines.first).min()?,
                last: of_file().map(|lines| lines.last).max()?,
            },
        })
    }
}
