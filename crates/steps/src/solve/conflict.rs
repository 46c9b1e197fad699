//! The solver's explanation of a request that it cannot satisfy.

use std::collections::BTreeSet;

use rattler_solve::resolvo::{CondaDependencyProvider, NameType};
use resolvo::conflict::{ConflictEdge, ConflictNode};
use resolvo::{Requirement, Solver, VersionSetId};

/// How many lines of the solver's explanation are shown.
const MOST_LINES: usize = 20;

/// How many characters of each.
const MOST_CHARS: usize = 200;

/// What the solver found.
pub(super) struct Conflict {
    /// Its explanation: a tree, cut to a readable length.
    pub(super) text: String,
    /// The MatchSpecs that take part, by index.
    pub(super) specs: BTreeSet<usize>,
    /// The packages, including virtual ones, that are missing or have no matching version.
    pub(super) missing: BTreeSet<String>,
}

impl Conflict {
    /// Reads the solver's result; `asked` are the version sets of the MatchSpecs.
    pub(super) fn read(
        conflict: &resolvo::conflict::Conflict,
        solver: &Solver<CondaDependencyProvider<'_>>,
        asked: &[VersionSetId],
    ) -> Self {
        let found = conflict.graph(solver);
        let pool = &solver.provider().pool;
        let graph = &found.graph;
        let mut specs = BTreeSet::new();
        let mut missing = BTreeSet::new();
        for edge in graph.edge_indices() {
            let (Some((from, to)), Some(ConflictEdge::Requires(Requirement::Single(set)))) =
                (graph.edge_endpoints(edge), graph.edge_weight(edge))
            else {
                continue;
            };
            if from == found.root_node {
                specs.extend((0..asked.len()).filter(|index| asked[*index] == *set));
            }
            let name = pool.resolve_package_name(pool.resolve_version_set_package_name(*set));
            if let (NameType::Base(name), Some(ConflictNode::UnresolvedDependency)) =
                (name, graph.node_weight(to))
            {
                missing.insert(name.clone());
            }
        }
        Self {
            text: shortened(&conflict.display_user_friendly(solver).to_string()),
            specs,
            missing,
        }
    }
}

/// The solver's tree, without noise and cut to a readable length.
fn shortened(text: &str) -> String {
    let text = text
        .trim_end()
        .replace("The following packages are incompatible\n", "")
        .replace(" * can", " can")
        .replace(" *, ", ", ");
    let count = text.lines().count();
    let mut shown: Vec<String> = text.lines().take(MOST_LINES).map(cut).collect();
    if count > MOST_LINES {
        shown.push("…".to_owned());
    }
    shown.join("\n")
}

/// A line of a readable length.
fn cut(line: &str) -> String {
    match line.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
