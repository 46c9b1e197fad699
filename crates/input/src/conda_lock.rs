//! conda-lock.yml, version 1 (<https://conda.org/learn/ceps/cep-0037>), and versions 1 to 3 of pixi.lock (from 2023),
//! which have the same layout.
//!
//! ```yaml
//! version: 1
//! metadata:
//!   platforms: [linux-64]
//! package:
//! - name: zlib
//!   version: 1.3.1
//!   manager: conda
//!   platform: linux-64
//!   dependencies: {libzlib: 1.3.1}
//!   url: https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda
//!   hash: {md5: c9f075ab…, sha256: 5d7c0e5f…}
//!   category: main
//!   optional: false
//! ```
//!
//! The reader accepts what conda-lock has written over the years, not only what the standard says: it ignores unknown
//! keys, and reads nothing but the platform and category of entries for other platforms. `optional` only says that the
//! category is not `main`; conda-lock's own install ignores it too.

mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::locked::{Locked, Repeats, Unverified, other_platform, without_effect};
use crate::environment_input::{Categories, DEFAULT_ENVIRONMENT, EnvironmentInput};
use crate::settings::InputSettings;
use crate::yaml::Node;
use condafront_model::link_order::link_order;
use condafront_model::platform::Platform;
use condafront_model::prose;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The category of what an environment needs; others are for developing it.
const MAIN: &str = "main";

/// The newest version with this layout; pixi.lock has another from version 4 on.
const NEWEST: u64 = 3;

/// Whether a mapping has this layout.
pub(crate) fn is_conda_lock(tree: &Node) -> bool {
    let has = |key: &str| tree.get(key).is_some();
    has("metadata") && (has("package") || (has("version") && !has("environments")))
}

/// Reads the packages for `platform` that are in the category `main` or in one that the settings name.
///
/// # Errors
/// A diagnostic at the user's line: an unsupported version, another platform, an entry without a URL or with one that
/// cannot be downloaded, an invalid hash, two packages of the same name.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    tree: &Node,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let reader = Reader { file, platform };
    reader.version(tree)?;
    let entries = reader.entries(tree)?;
    reader.check_platform(tree, &entries)?;
    let known: BTreeSet<&str> = entries
        .iter()
        .flat_map(|entry| entry.categories.iter().copied())
        .collect();
    let categories = wanted(&known, settings);
    const HASHLESS: &str = "Regenerate the lock file with a newer conda-lock, which writes hashes.";
    let mut locked = Locked::new(
        file,
        settings,
        Unverified {
            conda: HASHLESS,
            pip: HASHLESS,
        },
    );
    let mut depends: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let names = entries.iter();
    let names = names.filter_map(|entry| entry.node.get("name").and_then(Node::text));
    names.for_each(|name| locked.skip.know(name));
    locked.skip.check_names(file)?;
    for entry in entries {
        let chosen = entry.platform == platform.subdir()
            && entry
                .categories
                .iter()
                .any(|category| categories.contains(category));
        if chosen {
            reader.package(&entry, &mut locked, &mut depends)?;
        }
    }
    if locked.is_empty() {
        locked.skip.check_rest(file)?;
        return Err(reader.nothing(tree, &categories, &known));
    }
    // conda-lock lists a package once for each category that it belongs to.
    locked.deduplicate(Repeats::Usual)?;
    locked.packages = link_order(std::mem::take(&mut locked.packages), &depends);
    let mut input = locked.finish();
    let known = known.into_iter().map(str::to_owned);
    input.categories = Categories::Of(file.name().to_owned(), known.collect());
    if settings
        .environment
        .as_deref()
        .is_some_and(|name| name != DEFAULT_ENVIRONMENT)
    {
        let why = "it has one environment";
        input
            .warnings
            .push(without_effect("ENVIRONMENT", file, why));
    }
    Ok(input)
}

/// One item of the list `package`, with the keys that are read for every platform.
struct Entry<'a> {
    node: &'a Node,
    platform: &'a str,
    categories: Vec<&'a str>,
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    platform: Platform,
}

impl Reader<'_> {
    fn error(&self, message: impl Into<String>, lines: Lines) -> Diagnostic {
        Diagnostic::new(message).at(self.file, lines)
    }

    /// Checks the version; the first conda-lock.yml files had none.
    fn version(&self, tree: &Node) -> Result<(), Diagnostic> {
        let Some(node) = tree.get("version").filter(|node| !node.is_null()) else {
            return Ok(());
        };
        match node.text().and_then(|text| text.parse::<u64>().ok()) {
            Some(0..=NEWEST) => Ok(()),
            Some(newer) => Err(self
                .error(
                    format!(
                        "{} has lock version {newer}, which condafront {} does not support",
                        self.file.name(),
                        env!("CARGO_PKG_VERSION")
                    ),
                    node.lines,
                )
                .help("Regenerate it with a conda-lock that writes version 1, or build with a newer condafront.")),
            None => Err(self
                .error(
                    match node.text() {
                        Some(text) => format!(
                            "`version:` must be a whole number, not `{}`",
                            redact::quoted(text)
                        ),
                        None => format!("`version:` must be a whole number, not {}", node.what()),
                    },
                    node.lines,
                )
                .help("Write `version: 1`, as conda-lock does.")),
        }
    }

    fn entries<'a>(&self, tree: &'a Node) -> Result<Vec<Entry<'a>>, Diagnostic> {
        let Some(package) = tree.get("package") else {
            return Err(self
                .error(format!("{} lists no packages", self.file.name()), tree.lines)
                .help("Check that the file is complete: it needs a list `package:` with an entry per package and platform."));
        };
        let list = package.list().ok_or_else(|| {
            self.error(
                format!(
                    "`package:` must be a list of packages, not {}",
                    package.what()
                ),
                package.lines,
            )
            .help("Regenerate the lock file with `conda-lock lock`.")
        })?;
        self.check_end(list)?;
        list.iter()
            .map(|node| {
                if node.mapping().is_none() {
                    return Err(self
                        .error(
                            format!("a package must be a mapping, not {}", node.what()),
                            node.lines,
                        )
                        .help("Write at least manager, name, platform and url."));
                }
                Ok(Entry {
                    node,
                    platform: self.text(node, "platform")?,
                    categories: self.categories_of(node)?,
                })
            })
            .collect()
    }

    /// Refuses a last entry without a key that all others have: the file was cut off in it.
    fn check_end(&self, list: &[Node]) -> Result<(), Diagnostic> {
        let Some((last, others)) = list.split_last().filter(|(_, others)| !others.is_empty())
        else {
            return Ok(());
        };
        let is_missing = |key: &&str| {
            last.get(key).is_none() && others.iter().all(|other| other.get(key).is_some())
        };
        // The order in which conda-lock writes them.
        let mut keys = ["hash", "category", "optional"].into_iter();
        let Some(key) = keys.find(is_missing).filter(|_| last.get("url").is_some()) else {
            return Ok(());
        };
        let name = last.get("name").and_then(Node::text).unwrap_or_default();
        Err(self
            .error(
                format!(
                    "the last package, {}, has no {key}, which all others have",
                    redact::quoted(name)
                ),
                last.lines,
            )
            .help("Check that the file is complete, or regenerate it with `conda-lock lock`."))
    }

    /// The categories of an entry: `category` in files from conda-lock, `categories` in those from some other tools.
    fn categories_of<'a>(&self, entry: &'a Node) -> Result<Vec<&'a str>, Diagnostic> {
        let mut found = Vec::new();
        for key in ["category", "categories"] {
            let Some(node) = entry.get(key).filter(|node| !node.is_null()) else {
                continue;
            };
            let items = node.list().unwrap_or(std::slice::from_ref(node));
            for item in items {
                found.push(item.text().ok_or_else(|| {
                    self.error(
                        format!("a category must be a string, not {}", item.what()),
                        item.lines,
                    )
                    .help("Write the category's name. Most packages have `category: main`.")
                })?);
            }
        }
        if found.is_empty() {
            found.push(MAIN);
        }
        Ok(found)
    }

    /// A key that every entry has.
    fn text<'a>(&self, entry: &'a Node, key: &str) -> Result<&'a str, Diagnostic> {
        const HELP: &str = "Regenerate the lock file with `conda-lock lock`: every package needs a name, a platform, a manager (conda or pip) and a url.";
        match entry.get(key) {
            None => {
                let whose = match entry.get("name").and_then(Node::text) {
                    Some(name) => format!("the package {}", redact::quoted(name)),
                    None => "a package".to_owned(),
                };
                Err(self
                    .error(format!("{whose} has no {key}"), entry.lines)
                    .help(HELP))
            }
            Some(node) => node.text().ok_or_else(|| {
                self.error(
                    format!("`{key}:` must be a string, not {}", node.what()),
                    node.lines,
                )
                .help(HELP)
            }),
        }
    }

    fn check_platform(&self, tree: &Node, entries: &[Entry<'_>]) -> Result<(), Diagnostic> {
        let wanted = self.platform.subdir();
        if entries.iter().any(|entry| entry.platform == wanted) {
            return Ok(());
        }
        let declared = tree
            .get("metadata")
            .and_then(|metadata| metadata.get("platforms"));
        let listed = declared.and_then(Node::list).unwrap_or_default();
        let mut found: BTreeSet<&str> = listed.iter().filter_map(Node::text).collect();
        if found.contains(wanted) {
            return Err(self.nothing(tree, &BTreeSet::new(), &BTreeSet::new()));
        }
        found.extend(entries.iter().map(|entry| entry.platform));
        let lines = declared.map_or(tree.lines, |node| node.lines);
        let found = found.into_iter().collect();
        Err(other_platform(
            "the lock",
            found,
            self.platform,
            self.file,
            lines,
        ))
    }

    /// The error for a lock without packages for the platform, or with none in `categories`, but some in those that are
    /// `known`.
    fn nothing(
        &self,
        tree: &Node,
        categories: &BTreeSet<&str>,
        known: &BTreeSet<&str>,
    ) -> Diagnostic {
        let lines = tree.get("package").unwrap_or(tree).lines;
        let subdir = self.platform.subdir();
        let (of, help) = if categories.is_empty() {
            let help = format!("Regenerate the lock file with `conda-lock lock -p {subdir}`.");
            (String::new(), help)
        } else {
            let known: Vec<&str> = known.iter().copied().collect();
            let help = format!(
                "Name more of its categories ({}) in the build-arg CONDA_LOCK_CATEGORIES, or regenerate the lock file.",
                known.join(", ")
            );
            (format!(" in the category {}", prose::or(categories)), help)
        };
        Diagnostic::new(format!(
            "{} lists no packages{of} for {subdir}",
            self.file.name(),
        ))
        .at(
            self.file,
            Lines {
                last: lines.first,
                ..lines
            },
        )
        .help(help)
    }
}

/// The requested categories among those that are `known`. Other files may have the others.
fn wanted<'a>(known: &BTreeSet<&'a str>, settings: &InputSettings) -> BTreeSet<&'a str> {
    let asked = |name: &str| name == MAIN || settings.asked_categories().any(|asked| asked == name);
    let found = known.iter().copied().filter(|name| asked(name));
    found.chain([MAIN]).collect()
}

#[cfg(test)]
mod tests;
