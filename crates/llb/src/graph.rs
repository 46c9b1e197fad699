//! Reads definitions, well-formed or not.

use std::collections::HashMap;

use buildkit_proto::pb;
use prost::Message;

use crate::digest::Digest;

/// The operations of a definition in a stable order.
pub(crate) struct Graph<'a> {
    /// Each operation after those that it uses, as far as the definition
    /// allows; then those that the result does not use.
    pub(crate) vertices: Vec<Vertex<'a>>,
    /// Positions by digest.
    numbers: HashMap<String, usize>,
    /// The operation and output that the definition is for.
    pub(crate) result: Option<pb::Input>,
    /// The metadata of the last operation, which names the result.
    pub(crate) result_metadata: Option<&'a pb::OpMetadata>,
}

/// An operation of a definition.
pub(crate) struct Vertex<'a> {
    pub(crate) digest: String,
    pub(crate) bytes: &'a [u8],
    /// `None` if the bytes are not an operation.
    pub(crate) op: Option<pb::Op>,
    pub(crate) metadata: Option<&'a pb::OpMetadata>,
    pub(crate) locations: &'a [pb::Location],
}

impl<'a> Graph<'a> {
    pub(crate) fn new(definition: &'a pb::Definition) -> Self {
        let locations = definition.source.as_ref().map(|source| &source.locations);
        let mut vertices: Vec<Vertex<'a>> = definition
            .def
            .iter()
            .map(|bytes| {
                let digest = Digest::of(bytes).to_string();
                Vertex {
                    bytes,
                    op: pb::Op::decode(bytes.as_slice()).ok(),
                    metadata: definition.metadata.get(&digest),
                    locations: locations
                        .and_then(|locations| locations.get(&digest))
                        .map_or(&[], |locations| &locations.locations),
                    digest,
                }
            })
            .collect();
        let mut result = None;
        let mut result_metadata = None;
        if let Some(last) = vertices.pop_if(|last| names_a_result(last.op.as_ref())) {
            result = last.op.and_then(|op| op.inputs.into_iter().next());
            result_metadata = last.metadata;
        }
        let vertices = sort(vertices, result.as_ref());
        let numbers = vertices
            .iter()
            .enumerate()
            .map(|(number, vertex)| (vertex.digest.clone(), number))
            .collect();
        Self {
            vertices,
            numbers,
            result,
            result_metadata,
        }
    }

    /// The position of an operation in [`Graph::vertices`].
    pub(crate) fn number(&self, digest: &str) -> Option<usize> {
        self.numbers.get(digest).copied()
    }
}

fn names_a_result(op: Option<&pb::Op>) -> bool {
    op.is_some_and(|op| op.op.is_none() && !op.inputs.is_empty())
}

/// Puts operations after those that they use, without recursion, and drops
/// duplicates.
fn sort<'a>(vertices: Vec<Vertex<'a>>, result: Option<&pb::Input>) -> Vec<Vertex<'a>> {
    let mut numbers = HashMap::new();
    for (number, vertex) in vertices.iter().enumerate() {
        numbers.entry(vertex.digest.clone()).or_insert(number);
    }
    let inputs: Vec<Vec<usize>> = vertices
        .iter()
        .map(|vertex| {
            let inputs = vertex.op.iter().flat_map(|op| &op.inputs);
            inputs
                .filter_map(|input| numbers.get(&input.digest).copied())
                .collect()
        })
        .collect();

    let mut order = Vec::with_capacity(vertices.len());
    let mut seen = vec![false; vertices.len()];
    let first = result.and_then(|input| numbers.get(&input.digest).copied());
    let unique = vertices.iter().map(|vertex| numbers[&vertex.digest]);
    for root in first.into_iter().chain(unique) {
        let mut path = Vec::new();
        if !std::mem::replace(&mut seen[root], true) {
            path.push((root, inputs[root].iter()));
        }
        while let Some((number, rest)) = path.last_mut() {
            match rest.next() {
                Some(&input) => {
                    if !std::mem::replace(&mut seen[input], true) {
                        path.push((input, inputs[input].iter()));
                    }
                }
                None => {
                    order.push(*number);
                    path.pop();
                }
            }
        }
    }

    let mut vertices: Vec<Option<Vertex<'a>>> = vertices.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|number| vertices[number].take())
        .collect()
}
