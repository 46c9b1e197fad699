//! Taking over definitions made by others.

use std::collections::HashMap;
use std::sync::Arc;

use buildkit_proto::pb;

use crate::digest::{Digest, ParseDigestError};
use crate::graph::{Graph, Vertex};
use crate::location::{Location, Range, SourceFile};
use crate::node::{Input, Node, Output};

/// A definition that cannot be built upon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpliceError {
    /// There are no operations: it is the empty filesystem.
    #[error("the definition is empty")]
    Empty,
    /// The last operation does not name a result.
    #[error("the definition names no result")]
    NoResult,
    /// Bytes that are no operation.
    #[error("operation {digest} of the definition cannot be read")]
    Malformed {
        /// The digest of the bytes.
        digest: String,
    },
    /// An input that is not in the definition before its use.
    #[error("the definition lacks operation {digest}")]
    Missing {
        /// The digest of the input.
        digest: String,
    },
    /// An input whose digest is none.
    #[error("the definition refers to an operation by something else than its digest")]
    Digest(#[from] ParseDigestError),
    /// An output with a number below 0 or too large.
    #[error("the definition uses output {index} of operation {digest}")]
    Index {
        /// The digest of the operation.
        digest: String,
        /// The number.
        index: i64,
    },
}

impl Output {
    /// Takes over a definition made by others, such as an input of the client.
    ///
    /// Operations keep their bytes, metadata and source locations; ranges
    /// without an end get one. Operations the result does not use are dropped.
    ///
    /// # Errors
    ///
    /// When the definition has no result or is not consistent.
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
    /// As [`Output::from_definition`], with an empty definition as the empty
    /// filesystem.
    ///
    /// # Errors
    ///
    /// When the definition is not empty and has no result or is not
    /// consistent.
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
