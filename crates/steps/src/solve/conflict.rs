//! The solver's explanation of a request that it cannot satisfy.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use rattler_solve::resolvo::{CondaDependencyProvider, NameType};
use resolvo::conflict::{ConflictEdge, ConflictNode};
use resolvo::{Requirement, Solver, VersionSetId};

use condafront_model::visible::cut;

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
    /// All packages that are required in it.
    pub(super) names: BTreeSet<String>,
}

impl Conflict {
    /// Reads the solver's result; `asked` are version sets, each with the index of its MatchSpec.
    pub(super) fn read(
        conflict: &resolvo::conflict::Conflict,
        solver: &Solver<CondaDependencyProvider<'_>>,
        asked: &[(VersionSetId, usize)],
    ) -> Self {
        let found = conflict.graph(solver);
        let pool = &solver.provider().pool;
        let graph = &found.graph;
        let mut specs = BTreeSet::new();
        let mut missing = BTreeSet::new();
        let mut names = BTreeSet::new();
        for edge in graph.edge_indices() {
            let (Some((from, to)), Some(ConflictEdge::Requires(Requirement::Single(set)))) =
                (graph.edge_endpoints(edge), graph.edge_weight(edge))
            else {
                continue;
            };
            if from == found.root_node {
                let its = asked.iter().filter(|(known, _)| known == set);
                specs.extend(its.map(|(_, index)| *index));
            }
            let name = pool.resolve_package_name(pool.resolve_version_set_package_name(*set));
            let NameType::Base(name) = name else {
                continue;
            };
            if let Some(ConflictNode::UnresolvedDependency) = graph.node_weight(to) {
                missing.insert(name.clone());
            }
            names.insert(name.clone());
        }
        Self {
            text: shortened(conflict.display_user_friendly(solver)),
            specs,
            missing,
            names,
        }
    }
}

/// The solver's tree, without noise and cut to a readable length.
fn shortened(tree: impl fmt::Display) -> String {
    const TITLE: &str = "The following packages are incompatible";
    let mut start = Start::default();
    // It fails as soon as there is enough.
    let _ = write!(start, "{tree}");
    let text = start
        .0
        .trim_end()
        .replace(" * can", " can")
        .replace(" *, ", ", ");
    let mut lines = text.lines().filter(|line| *line != TITLE);
    let shown = lines.by_ref().take(MOST_LINES);
    let mut shown: Vec<String> = shown
        .map(|line| cut(line, MOST_CHARS).into_owned())
        .collect();
    if lines.next().is_some() {
        shown.push("…".to_owned());
    }
    shown.join("\n")
}

/// The start of a text. The whole of a tree grows with the square of its depth.
#[derive(Default)]
struct Start(String);

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        /// More than all lines that are shown, and a title.
        const ENOUGH: usize = 64 << 10;
        self.0.push_str(text);
        let has_enough = self.0.len() > ENOUGH || self.0.matches('\n').count() > MOST_LINES + 1;
        if has_enough { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree that counts the lines that it is asked for.
    struct Endless(std::cell::Cell<usize>);

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            writeln!(f, "The following packages are incompatible")?;
            loop {
                self.0.set(self.0.get() + 1);
                writeln!(f, "a{} * can be installed", self.0.get())?;
            }
        }
    }

    #[test]
    fn no_more_of_a_tree_is_written_than_is_shown() {
        let tree = Endless(0.into());
        let text = shortened(&tree);
        assert!(text.starts_with("a1 can be installed\na2 can"), "{text}");
        assert!(text.ends_with("a20 can be installed\n…"), "{text}");
        assert_eq!(tree.0.get(), MOST_LINES + 1);
        assert_eq!(
            shortened("The following packages are incompatible\na\nb\n"),
            "a\nb"
        );
    }
}
