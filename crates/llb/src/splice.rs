//! Imports definitions made by others.

use std::collections::HashMap;
use std::sync::Arc;

use buildkit_proto::pb;

use crate::digest::Digest;
use crate::graph::{Graph, Vertex};
use crate::location::{Location, Range, SourceFile};
use crate::node::{Input, Node, Output};

/// Why a definition cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpliceError {
    /// There are no operations: it means the empty filesystem.
    #[error("the definition is empty")]
    Empty,
    /// The last operation does not name a result.
    #[error("the definition names no result")]
    NoResult,
    /// The bytes of an operation are not valid.
    #[error("operation {digest} of the definition cannot be read")]
    Malformed {
        /// The digest of the bytes.
        digest: String,
    },
    /// An input is not in the definition.
    #[error("operation {digest} is missing from the definition")]
    Missing {
        /// The digest of the input.
        digest: String,
    },
    /// The number of an output is negative or too large.
    #[error("the definition uses output {index} of operation {digest}")]
    Index {
        /// The digest of the operation.
        digest: String,
        /// The number.
        index: i64,
    },
}

impl Output {
    /// Imports a definition made by others, such as an input of the client.
    ///
    /// Operations keep their bytes, metadata and source locations; ranges
    /// without an end get one. Operations that the result does not use are
    /// dropped.
    ///
    /// # Errors
    ///
    /// If the definition has no result or is not consistent.
    pub fn from_definition(definition: &pb::Definition) -> Result<Self, SpliceError> {
        let graph = Graph::new(definition);
        let Some(result) = &graph.result else {
            return Err(if definition.def.is_empty() {
                SpliceError::Empty
            } else {
                SpliceError::NoResult
            });
        };
        let infos = definition.source.iter().flat_map(|source| &source.infos);
        let files: Vec<SourceFile> = infos
            .map(|info| SourceFile {
                info: Arc::new(info.clone()),
            })
            .collect();
        let mut nodes = HashMap::with_capacity(graph.vertices.len());
        for vertex in &graph.vertices {
            if nodes.contains_key(&result.digest) {
                break;
            }
            let node = node(vertex, &nodes, &files)?;
            nodes.insert(vertex.digest.clone(), node);
        }
        output(result, &nodes)
    }
}

impl Input {
    /// Like [`Output::from_definition`], but an empty definition is the empty
    /// filesystem.
    ///
    /// # Errors
    ///
    /// If the definition is not empty and has no result or is not consistent.
    pub fn from_definition(definition: &pb::Definition) -> Result<Self, SpliceError> {
        match Output::from_definition(definition) {
            Ok(output) => Ok(output.into()),
            Err(SpliceError::Empty) => Ok(Self::Scratch),
            Err(error) => Err(error),
        }
    }
}

type Nodes = HashMap<String, Arc<Node>>;

fn node(
    vertex: &Vertex<'_>,
    nodes: &Nodes,
    files: &[SourceFile],
) -> Result<Arc<Node>, SpliceError> {
    let op = vertex.op.as_ref().ok_or_else(|| SpliceError::Malformed {
        digest: vertex.digest.clone(),
    })?;
    let inputs: Result<_, _> = op.inputs.iter().map(|input| output(input, nodes)).collect();
    let locations = vertex.locations.iter().filter_map(|location| {
        let file = files.get(usize::try_from(location.source_index).ok()?)?;
        Some(file.location(location.ranges.iter().filter_map(Range::from_pb)))
    });
    Ok(Arc::new(Node {
        digest: Digest::of(vertex.bytes),
        bytes: vertex.bytes.to_vec(),
        inputs: inputs?,
        // Another program's merge may use its inputs in another order, or one of them twice.
        is_merge: false,
        metadata: vertex.metadata.cloned().unwrap_or_default(),
        locations: locations.collect::<Vec<Location>>(),
    }))
}

fn output(input: &pb::Input, nodes: &Nodes) -> Result<Output, SpliceError> {
    let digest = &input.digest;
    let node = nodes.get(digest).ok_or_else(|| SpliceError::Missing {
        digest: digest.clone(),
    })?;
    let index = u32::try_from(input.index).map_err(|_| SpliceError::Index {
        digest: digest.clone(),
        index: input.index,
    })?;
    Ok(Output {
        node: node.clone(),
        index,
    })
}
