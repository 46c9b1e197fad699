//! Unavailable MatchSpecs as one report: a cause that several share is reported once.

use super::error::Unsatisfiable;
use super::foreign::system_of;
use super::priority::{WaysOut, is_solved_by_naming, ways_out};
use super::search::Search;
use super::unavailable::{Missing, Unavailable, is_pinned};
use super::wording::sentence;
use condafront_model::origin::OtherSystem;
use condafront_model::prose;
use rattler_conda_types::{MatchSpec, RepoDataRecord};

/// How many MatchSpecs are reported one by one. More have one cause, or hide the message that matters.
const MOST: usize = 8;

/// More MatchSpecs than this that name builds no channel has are an export's, not mistakes, whatever else the file says.
const FEW: usize = 3;

/// How many examples a shared cause has.
const EXAMPLES: usize = 3;

/// One cause.
struct Part {
    message: String,
    help: String,
    /// The MatchSpecs that show it.
    specs: Vec<usize>,
}

/// The report of unavailable MatchSpecs, at least one.
pub(super) fn report(search: &Search<'_>, all: Vec<Unavailable<'_>>) -> Unsatisfiable {
    let base = all.iter().any(|one| one.base);
    let count = all.len();
    let unavailable: Vec<usize> = all
        .iter()
        .filter(|one| !matches!(one.what, Missing::InFirst(_)))
        .map(|one| one.spec)
        .collect();
    let (ordered, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|one| matches!(one.what, Missing::InFirst(_)));
    let (exported, others) = of_export(search, others);
    let mut parts = Vec::new();
    parts.extend(export(search, &exported));
    parts.extend(order(search, &ordered, &unavailable));
    let mut single: Vec<Part> = others.into_iter().map(Part::from).collect();
    single.sort_by_key(|part| part.specs.first().copied());
    joined(parts, single, count, base)
}

impl From<Unavailable<'_>> for Part {
    fn from(one: Unavailable<'_>) -> Self {
        Self {
            message: one.message,
            help: one.help,
            specs: vec![one.spec],
        }
    }
}

/// Puts the causes together: shared ones first.
fn joined(mut parts: Vec<Part>, single: Vec<Part>, count: usize, base: bool) -> Unsatisfiable {
    let more = single.len().saturating_sub(MOST);
    parts.extend(single.into_iter().take(MOST));
    let mut specs: Vec<usize> = parts.iter().flat_map(|part| part.specs.clone()).collect();
    specs.sort_unstable();
    if let [only] = parts.as_mut_slice() {
        return Unsatisfiable {
            message: std::mem::take(&mut only.message),
            helps: vec![std::mem::take(&mut only.help)],
            specs,
            base,
        };
    }
    let is_shared = |help: &str| parts.iter().filter(|part| part.help == help).count() > 1;
    let mut helps: Vec<String> = Vec::new();
    let mut message = format!("{count} dependencies are not available:");
    for part in &parts {
        message.push_str(&format!("\n- {}", part.message));
        if is_shared(&part.help) {
            if !helps.contains(&part.help) {
                helps.push(part.help.clone());
            }
        } else {
            message.push_str(&format!("\n  {}", part.help));
        }
    }
    if more > 0 {
        message.push_str(&format!("\n- and {more} more"));
    }
    Unsatisfiable {
        message,
        helps,
        specs,
        base,
    }
}

/// Splits off the MatchSpecs that show an export from elsewhere.
fn of_export<'a>(
    search: &Search<'_>,
    all: Vec<Unavailable<'a>>,
) -> (Vec<Unavailable<'a>>, Vec<Unavailable<'a>>) {
    let shows = |one: &Unavailable<'_>| {
        let is_foreign = system_of(search.request.names[one.spec].as_normalized()).is_some();
        let is_pinned = is_pinned(&search.request.specs[one.spec]);
        let is_nowhere = matches!(one.what, Missing::Name | Missing::Build);
        is_nowhere && (is_pinned || (is_foreign && matches!(one.what, Missing::Name)))
    };
    let (exported, others): (Vec<_>, Vec<_>) = all.into_iter().partition(shows);
    let has_builds = || {
        let mut exported = exported.iter();
        exported.any(|one| is_pinned(&search.request.specs[one.spec]))
    };
    let is_of_other_system = search.solve.origin.exported_on.is_some() && has_builds();
    if exported.len() > FEW || is_of_other_system {
        return (exported, others);
    }
    (Vec::new(), exported.into_iter().chain(others).collect())
}

/// The cause of MatchSpecs that conda wrote down elsewhere, or long ago.
fn export(search: &Search<'_>, all: &[Unavailable<'_>]) -> Option<Part> {
    let systems = |one: &&Unavailable<'_>| {
        system_of(search.request.names[one.spec].as_normalized()).map(|system| (one.spec, system))
    };
    let foreign: Vec<(usize, OtherSystem)> = all.iter().filter_map(|one| systems(&one)).collect();
    let system = search
        .solve
        .origin
        .exported_on
        .or(foreign.first().map(|(_, system)| *system));
    // Names that give the system away are the best examples.
    let mut examples: Vec<usize> = foreign.iter().map(|(spec, _)| *spec).collect();
    let rest = all.iter().map(|one| one.spec);
    examples.extend(rest.filter(|spec| foreign.iter().all(|(other, _)| other != spec)));
    examples.truncate(EXAMPLES);
    examples.sort_unstable();
    let shown = examples.iter().map(|spec| search.solve.shown(*spec));
    let shown = prose::listed(prose::code(shown), EXAMPLES);
    let pinned = |one: &&Unavailable<'_>| is_pinned(&search.request.specs[one.spec]);
    let has_builds = all.iter().any(|one| pinned(&one));
    if all.is_empty() {
        return None;
    }
    let of_all = match (all.len(), search.solve.specs.len()) {
        (2, 2) => "both dependencies".to_owned(),
        (some, every) if some == every => format!("all {every} dependencies"),
        (some, every) => format!("{some} of the {every} dependencies"),
    };
    let subdir = &search.solve.subdir;
    let (message, help) = match (system, has_builds) {
        (Some(system), true) => (
            match all.len() {
                1 => format!(
                    "the environment was exported on {system}: {shown} is a package or build that does not exist for {subdir}"
                ),
                few if few <= EXAMPLES => format!(
                    "the environment was exported on {system}: {of_all} name packages or builds that do not exist for {subdir}: {shown}"
                ),
                _ => format!(
                    "the environment was exported on {system}: {of_all} name packages or builds that do not exist for {subdir}, such as {shown}"
                ),
            },
            "Export it again with `conda env export --from-history`, which lists only what you asked for, without builds.".to_owned(),
        ),
        (Some(system), false) => (
            format!("{of_all} are packages for {system}, such as {shown}"),
            format!(
                "Remove them, or add `# [{}]` to their lines. `conda env export --from-history` lists only what you asked for.",
                system.selector()
            ),
        ),
        (None, _) => (
            format!(
                "{of_all} name a build that no channel has for {subdir}, such as {shown}: the builds were removed from the channels, or are for another platform"
            ),
            "Leave the builds out, as `conda env export --no-builds` does. `conda env export --from-history` lists only what you asked for.".to_owned(),
        ),
    };
    let help = match search.other_channels() {
        Some(other) => format!("{help} {other}"),
        None => help,
    };
    Some(Part {
        message,
        help,
        specs: examples,
    })
}

/// The cause of MatchSpecs that only a later channel has. `unavailable` are those that no channel has: the others are
/// tried without them.
fn order(search: &Search<'_>, all: &[Unavailable<'_>], unavailable: &[usize]) -> Vec<Part> {
    if all.is_empty() {
        return Vec::new();
    }
    let for_spec = &search.request.for_spec;
    let kept: Vec<(usize, MatchSpec)> = search
        .request
        .specs
        .iter()
        .enumerate()
        .filter(|(index, _)| !unavailable.contains(&for_spec[*index]))
        .map(|(index, spec)| (index, spec.clone()))
        .collect();
    let specs: Vec<MatchSpec> = kept.iter().map(|(_, spec)| spec.clone()).collect();
    let ways = ways_out(search, &specs);
    if let [only] = all {
        let place = kept.iter().position(|(index, _)| *index == only.spec);
        let named = match (&only.what, place) {
            (Missing::InFirst(record), Some(place))
                if is_solved_by_naming(search, &specs, place, record) =>
            {
                Some(named(search, only.spec, record))
            }
            _ => None,
        };
        let advice = match advice(named, ways.as_ref()) {
            none if none.is_empty() => {
                "Neither flexible priority nor a different order of the channels was found to help: ask for a different version.".to_owned()
            }
            advice => advice,
        };
        return vec![Part {
            message: only.message.clone(),
            help: [only.help.as_str(), &advice]
                .join(" ")
                .trim_end()
                .to_owned(),
            specs: vec![only.spec],
        }];
    }
    let advice = advice(None, ways.as_ref());
    let examples = all.iter().take(EXAMPLES);
    let shown = examples.clone().map(|one| search.solve.shown(one.spec));
    let shown = prose::listed(prose::code(shown), EXAMPLES);
    let message = format!(
        "{} dependencies are only in a channel that comes after another one with packages of the same name, such as {shown}",
        all.len()
    );
    vec![Part {
        message,
        help: if advice.is_empty() {
            "Write channel::name for these, or change the order of the channels.".to_owned()
        } else {
            advice
        },
        specs: examples.map(|one| one.spec).collect(),
    }]
}

/// How to name the channel of `record` in the MatchSpec `index`.
fn named(search: &Search<'_>, index: usize, record: &RepoDataRecord) -> String {
    format!(
        "write {}::{}",
        search.channel_name(record),
        search.request.names[index].as_source()
    )
}

/// The ways that lead to a solution, as a sentence; empty if there are none.
fn advice(named: Option<String>, ways: Option<&WaysOut>) -> String {
    let ways = ways.map(WaysOut::ways).unwrap_or_default();
    let ways: Vec<String> = named.into_iter().chain(ways).collect();
    sentence(&ways)
}
