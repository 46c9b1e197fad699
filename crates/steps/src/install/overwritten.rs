//! Which packages have files in place of another one's.

use std::collections::BTreeMap;

use super::tree::Tree;
use super::trim::{belongs, is_licence};
use condafront_model::prose::listed;
use condafront_step_spec::facts::{Notice, Subject};
use condafront_step_spec::install::Trim;

/// How many paths a notice names.
const NAMED_PATHS: usize = 3;

/// A notice for each pair of packages in which one has files in place of the other's.
pub(super) fn overwritten(tree: &Tree<'_>, name: impl Fn(usize) -> String) -> Vec<Notice> {
    let mut pairs: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for lost in tree.lost() {
        if matters(lost.path) {
            let pair = pairs.entry((lost.winner, lost.loser)).or_default();
            pair.push(lost.path);
        }
    }
    let notice = |((winner, loser), paths): ((usize, usize), Vec<&str>)| {
        let (one, other) = (name(winner), name(loser));
        let named = listed(&paths, NAMED_PATHS);
        let message = match paths.len() {
            1 => format!("{named} of {one} replaces the file of {other}"),
            many => format!("{many} files of {one} replace those of {other}: {named}"),
        };
        Notice::new(Subject::Overwritten, message).of_package(winner)
    };
    pairs.into_iter().map(notice).collect()
}

/// Whether a program can tell whose file is at `path`. Many packages have their own licences, documentation and tests at the
/// same paths, and an `__init__.py` that only makes a folder a package.
fn matters(path: &str) -> bool {
    /// Folders of a project that end up beside its modules by mistake.
    const STRAY: [&str; 7] = [
        "benchmarks",
        "doc",
        "docs",
        "examples",
        "scripts",
        "test",
        "tests",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let is_text = ["authors", "changelog", "changes", "history", "readme"].contains(&stem.as_str());
    let is_stray = path
        .split_once("/site-packages/")
        .is_some_and(|(_, module)| {
            let (first, _) = module.split_once('/').unwrap_or_default();
            STRAY.contains(&first)
        });
    let parts = [Trim::Bytecode, Trim::Docs, Trim::Tests];
    let is_part = parts.iter().any(|part| belongs(path, *part));
    !(name == "__init__.py" || is_text || is_stray || is_part || is_licence(name))
}
