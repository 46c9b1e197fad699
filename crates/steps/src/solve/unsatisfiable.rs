//! Explains to the user why a request cannot be satisfied.

use std::collections::BTreeSet;

use super::conflict::Conflict;
use super::error::Unsatisfiable;
use super::priority::ways_out;
use super::search::Search;
use super::several;
use super::too_new;
use super::unavailable;
use super::virtual_packages::system_help;

/// What to do if packages are not compatible with those that are already installed.
const AGREE: &str = "The packages of the environment do not change, and these must be compatible with them. Ask for different versions of one or the other.";

/// Explains a conflict. If MatchSpecs are unavailable on their own, reports only those, because the rest would be noise.
pub(super) fn explain(search: &Search<'_>, conflict: Conflict) -> Unsatisfiable {
    let alone = unavailable::all(search);
    if !alone.is_empty() {
        return several::report(search, alone);
    }
    let specs: BTreeSet<usize> = conflict
        .specs
        .iter()
        .map(|index| search.request.for_spec[*index])
        .collect();
    // When several conflict, builds for other systems appear in the tree but are never the reason.
    let is_reason = |name: &&String| specs.len() == 1 || !is_foreign(name);
    let mut helps: Vec<String> = Vec::new();
    // Changes that are known to lead to a solution are better advice than guesses.
    if let Some(help) = too_new::help(search, &conflict) {
        helps.push(help);
    } else if !search.solve.installed.is_empty() {
        helps.push(AGREE.to_owned());
    } else if let Some(ways) = ways_out(search, &search.request.specs) {
        helps.push(ways.help());
    } else {
        let missing = conflict.missing.iter().filter(is_reason);
        helps.extend(missing.filter_map(|name| missing_help(search, name)));
    }
    if helps.is_empty() {
        helps.push(
            "Ask for different versions of the packages at the top, or remove one of them."
                .to_owned(),
        );
    }
    let what = match specs.first() {
        Some(only) if specs.len() == 1 => {
            format!("`{}` cannot be satisfied", search.solve.shown(*only))
        }
        _ => "these dependencies cannot be satisfied together".to_owned(),
    };
    Unsatisfiable {
        message: format!("{what}:\n{}", conflict.text),
        base: conflict.missing.iter().any(|name| search.is_of_base(name)),
        helps,
        specs: specs.into_iter().collect(),
    }
}

/// What to do about a missing dependency; `None` if only the right version is missing.
fn missing_help(search: &Search<'_>, name: &str) -> Option<String> {
    if name.starts_with("__") {
        return Some(system_help(name, &search.solve.system));
    }
    if search.has(name) {
        return None;
    }
    let help = search.other_channels().unwrap_or_else(|| {
        "Add the channel that these packages need to `channels`: bioconda's need conda-forge, for example.".to_owned()
    });
    Some(format!("No channel has {name}. {help}"))
}

/// Whether this is a virtual package that no Linux image has.
fn is_foreign(name: &str) -> bool {
    ["__win", "__osx"].contains(&name)
}
