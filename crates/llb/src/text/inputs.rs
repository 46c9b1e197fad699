//! References to other operations.

use buildkit_proto::pb;

use super::writer::quoted;
use crate::graph::Graph;
use crate::node::NONE;

/// Names the inputs of one operation by their index.
pub(super) struct InputNames<'a> {
    pub(super) graph: &'a Graph<'a>,
    pub(super) list: &'a [pb::Input],
}

impl InputNames<'_> {
    pub(super) fn name(&self, index: i64) -> String {
        if index == NONE {
            return "scratch".to_owned();
        }
        usize::try_from(index)
            .ok()
            .and_then(|index| self.list.get(index))
            .map_or_else(
                || format!("missing input {index}"),
                |input| output_name(self.graph, input),
            )
    }
}

/// An output as `#3` or `#3.1`.
pub(super) fn output_name(graph: &Graph<'_>, input: &pb::Input) -> String {
    let vertex = graph.number(&input.digest).map_or_else(
        || format!("missing {}", quoted(&input.digest)),
        |number| format!("#{}", number + 1),
    );
    match input.index {
        0 => vertex,
        index => format!("{vertex}.{index}"),
    }
}
