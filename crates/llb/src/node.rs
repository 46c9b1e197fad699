//! Built operations and handles to their outputs.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem;
use std::sync::Arc;

use buildkit_proto::pb;

use crate::caps::Cap;
use crate::digest::Digest;
use crate::location::Location;
use crate::options::Options;
use crate::platform::Platform;
use crate::wire;

/// A built operation.
pub(crate) struct Node {
    pub(crate) digest: Digest,
    /// The serialised `Op`.
    pub(crate) bytes: Vec<u8>,
    pub(crate) inputs: Vec<Output>,
    /// Whether the result is all inputs, later ones over earlier ones.
    pub(crate) is_merge: bool,
    pub(crate) metadata: pb::OpMetadata,
    pub(crate) locations: Vec<Location>,
}

impl Node {
    /// Builds an operation from its parts.
    pub(crate) fn new(
        inputs: Inputs,
        platform: Option<&Platform>,
        op: pb::op::Op,
        caps: impl IntoIterator<Item = Cap>,
        options: &Options,
    ) -> Arc<Self> {
        let inputs = inputs.list;
        let is_merge = matches!(op, pb::op::Op::Merge(_));
        let wire_inputs = inputs.iter().map(Output::to_pb).collect();
        let bytes = wire::encode_op(wire_inputs, platform.map(Platform::to_pb), op);
        let mut metadata = options.metadata();
        metadata
            .caps
            .extend(caps.into_iter().map(|cap| (cap.id.to_owned(), true)));
        Arc::new(Self {
            digest: Digest::of(&bytes),
            bytes,
            inputs,
            is_merge,
            metadata,
            locations: options.locations().to_vec(),
        })
    }
}

impl Drop for Node {
    /// Frees long chains without recursion.
    fn drop(&mut self) {
        let mut pending = mem::take(&mut self.inputs);
        while let Some(output) = pending.pop() {
            if let Some(mut node) = Arc::into_inner(output.node) {
                pending.append(&mut node.inputs);
            }
        }
    }
}

/// One output of a built operation: a filesystem.
///
/// Cloning is cheap. Two outputs are equal if their operations have the same
/// digest and they have the same index.
#[derive(Clone)]
pub struct Output {
    pub(crate) node: Arc<Node>,
    pub(crate) index: u32,
}

impl Output {
    pub(crate) fn first(node: Arc<Node>) -> Self {
        Self { node, index: 0 }
    }

    /// The digest of the operation, which is its name in the daemon.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.node.digest
    }

    /// Which output of the operation this is, from 0.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn to_pb(&self) -> pb::Input {
        pb::Input {
            digest: self.digest().to_string(),
            index: i64::from(self.index),
        }
    }

    fn key(&self) -> (Digest, u32) {
        (self.digest(), self.index)
    }
}

impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Output {}

impl Hash for Output {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.digest(), self.index)
    }
}

/// A filesystem to start from: an output or an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Input {
    /// The empty filesystem.
    #[default]
    Scratch,
    /// The result of an operation.
    Output(Output),
}

impl Input {
    /// The output, if this is not the empty filesystem.
    #[must_use]
    pub fn output(&self) -> Option<&Output> {
        match self {
            Self::Scratch => None,
            Self::Output(output) => Some(output),
        }
    }
}

impl From<Output> for Input {
    fn from(output: Output) -> Self {
        Self::Output(output)
    }
}

impl From<&Output> for Input {
    fn from(output: &Output) -> Self {
        Self::Output(output.clone())
    }
}

impl From<&Input> for Input {
    fn from(input: &Input) -> Self {
        input.clone()
    }
}

/// The index that means an empty filesystem or no output.
pub(crate) const NONE: i64 = -1;

/// Collects the inputs of an operation under construction.
#[derive(Default)]
pub(crate) struct Inputs {
    list: Vec<Output>,
    indices: HashMap<Output, i64>,
}

impl Inputs {
    /// Appends an output, even if it is already there.
    pub(crate) fn push(&mut self, output: &Output) -> i64 {
        let index = i64::try_from(self.list.len()).unwrap_or(i64::MAX);
        self.list.push(output.clone());
        self.indices.entry(output.clone()).or_insert(index);
        index
    }

    /// The index of an input, which is added if it is new.
    pub(crate) fn index_of(&mut self, input: &Input) -> i64 {
        match input {
            Input::Scratch => NONE,
            Input::Output(output) => match self.indices.get(output) {
                Some(index) => *index,
                None => self.push(output),
            },
        }
    }

    /// The number of inputs.
    pub(crate) fn len(&self) -> i64 {
        i64::try_from(self.list.len()).unwrap_or(i64::MAX)
    }
}
