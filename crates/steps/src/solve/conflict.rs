//! What the solver says of a request that it cannot fulfil.

use std::collections::BTreeSet;

use rattler_solve::resolvo::{CondaDependencyProvider, NameType};
use resolvo::conflict::{ConflictEdge, ConflictNode};
use resolvo::{Requirement, Solver, VersionSetId};

/// How much of the solver's explanation is shown, in lines.
const MOST_LINES: usize = 20;

/// What the solver found out.
pub(super) struct Conflict {
    /// Its explanation: a tree, not longer than can be read.
    pub(super) text: String,
    /// The MatchSpecs that take part, by index.
    pub(super) specs: BTreeSet<usize>,
    /// The packages that are missing, or missing in the right version; virtual ones, too.
    pub(super) missing: BTreeSet<String>,
}

impl Conflict {
    /// Reads the solver's finding; `asked` are the MatchSpecs' version sets.
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

/// The solver's tree, without what says nothing, and not longer than can be read.
fn shortened(text: &str) -> String {
    let text = text
        .trim_end()
        .replace("The following packages are incompatible\n", "")
        .replace(" * can", " can")
        .replace(" *, ", ", ");
    let count = text.lines().count();
    let mut shown: Vec<&str> = text.lines().take(MOST_LINES).collect();
    if count > MOST_LINES {
        shown.push("…");
    }
    shown.join("\n")
}
