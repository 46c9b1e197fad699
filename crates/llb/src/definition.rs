//! Complete definitions.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ptr;

use buildkit_proto::pb;
use prost::Message;

use crate::caps;
use crate::digest::Digest;
use crate::graph::Graph;
use crate::location::{Location, Range};
use crate::node::{Input, Node, Output};
use crate::options::CUSTOM_NAME;
use crate::title::title;
use crate::wire;

/// Everything a daemon needs to build one filesystem.
///
/// ```
/// use buildkit_llb::{Definition, Image, OpOptions};
///
/// let base = Image::new("docker.io/library/debian:13")
///     .name("the base")
///     .build();
/// let definition = Definition::of(&base);
/// assert_eq!(definition.name(base.digest()).as_deref(), Some("the base"));
/// assert!(definition.caps().contains("source.image"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    message: pb::Definition,
}

impl Definition {
    /// Collects everything that an output depends on. The definition of the
    /// empty filesystem is empty.
    ///
    /// An operation that was built twice is in it once, with the metadata of
    /// both: the description and group of the first one, and the capabilities
    /// and locations of both.
    pub fn of(input: impl Into<Input>) -> Self {
        let Input::Output(result) = input.into() else {
            return Self::default();
        };
        let mut message = pb::Definition::default();
        let mut sources = Sources::default();
        for node in in_order(&result.node) {
            let digest = node.digest.to_string();
            sources.add(&digest, &node.locations);
            match message.metadata.entry(digest) {
                Entry::Occupied(entry) => join(entry.into_mut(), &node.metadata),
                Entry::Vacant(entry) => {
                    entry.insert(node.metadata.clone());
                    message.def.push(node.bytes.clone());
                }
            }
        }
        let last = wire::encode_result(result.to_pb());
        let metadata = result_metadata(message.metadata.values());
        message
            .metadata
            .insert(Digest::of(&last).to_string(), metadata);
        message.def.push(last);
        message.source = Some(sources.source);
        Self { message }
    }

    pub(crate) fn from_message(message: pb::Definition) -> Self {
        Self { message }
    }

    /// The message.
    #[must_use]
    pub fn to_pb(&self) -> &pb::Definition {
        &self.message
    }

    /// The message, without copying it.
    #[must_use]
    pub fn into_pb(self) -> pb::Definition {
        self.message
    }

    /// The same definition, but all operations except sources run again even if they are cached.
    #[must_use]
    pub fn ignoring_cache(mut self) -> Self {
        let pb::Definition { def, metadata, .. } = &mut self.message;
        for bytes in def {
            let op = pb::Op::decode(bytes.as_slice()).ok().and_then(|op| op.op);
            if !matches!(op, None | Some(pb::op::Op::Source(_)))
                && let Some(metadata) = metadata.get_mut(&Digest::of(bytes).to_string())
            {
                metadata.ignore_cache = true;
            }
        }
        self
    }

    /// The size of the message in bytes. Daemons accept 16 MiB per request.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.message.encoded_len()
    }

    /// The ids of all capabilities that the daemon must have.
    #[must_use]
    pub fn caps(&self) -> BTreeSet<&str> {
        let metadata = self.message.metadata.values();
        metadata
            .flat_map(|metadata| &metadata.caps)
            .filter_map(|(cap, needed)| needed.then_some(cap.as_str()))
            .collect()
    }

    /// The name of an operation, as shown to the user.
    #[must_use]
    pub fn name(&self, digest: Digest) -> Option<String> {
        let digest = digest.to_string();
        let metadata = self.message.metadata.get(&digest);
        let custom = metadata.and_then(|metadata| metadata.description.get(CUSTOM_NAME));
        custom.cloned().or_else(|| {
            let graph = Graph::new(&self.message);
            let vertex = graph.vertices.iter().find(|v| v.digest == digest)?;
            Some(title(vertex.op.as_ref()?))
        })
    }
}

impl From<Definition> for pb::Definition {
    fn from(definition: Definition) -> Self {
        definition.message
    }
}

/// A node and all operations that it depends on, each after its inputs.
fn in_order(root: &Node) -> Vec<&Node> {
    let mut order = Vec::new();
    let mut seen = HashSet::from([ptr::from_ref(root)]);
    let mut path: Vec<(&Node, std::slice::Iter<'_, Output>)> = vec![(root, root.inputs.iter())];
    while let Some((node, inputs)) = path.last_mut() {
        match inputs.next() {
            Some(input) => {
                let input: &Node = &input.node;
                if seen.insert(ptr::from_ref(input)) {
                    path.push((input, input.inputs.iter()));
                }
            }
            None => {
                order.push(*node);
                path.pop();
            }
        }
    }
    order
}

/// Adds the metadata of a later operation that is equal.
fn join(metadata: &mut pb::OpMetadata, other: &pb::OpMetadata) {
    metadata.ignore_cache |= other.ignore_cache;
    for (key, value) in &other.description {
        let entry = metadata.description.entry(key.clone());
        entry.or_insert_with(|| value.clone());
    }
    for cap in other.caps.keys() {
        metadata.caps.insert(cap.clone(), true);
    }
    if metadata.export_cache.is_none() {
        metadata.export_cache = other.export_cache;
    }
    if metadata.progress_group.is_none() {
        metadata.progress_group.clone_from(&other.progress_group);
    }
    if metadata.linux_resources.is_none() {
        metadata.linux_resources.clone_from(&other.linux_resources);
    }
}

/// The metadata of the last operation, which lists the metadata capabilities of all others.
fn result_metadata<'a>(all: impl Iterator<Item = &'a pb::OpMetadata>) -> pb::OpMetadata {
    let mut used = BTreeSet::from([caps::CONSTRAINTS.id, caps::PLATFORM.id]);
    for metadata in all {
        if metadata.ignore_cache {
            used.insert(caps::META_IGNORE_CACHE.id);
        }
        if !metadata.description.is_empty() {
            used.insert(caps::META_DESCRIPTION.id);
        }
        if metadata.export_cache.is_some() {
            used.insert(caps::META_EXPORT_CACHE.id);
        }
    }
    let caps = used.into_iter().map(|id| (id.to_owned(), true)).collect();
    pb::OpMetadata {
        caps,
        ..pb::OpMetadata::default()
    }
}

/// Collects the files and locations of a definition.
#[derive(Default)]
struct Sources {
    source: pb::Source,
    /// Indices by the address of known files, so that contents are compared only once.
    known: BTreeMap<*const pb::SourceInfo, i32>,
}

impl Sources {
    fn add(&mut self, digest: &str, locations: &[Location]) {
        for location in locations {
            let location = pb::Location {
                source_index: self.index(location),
                ranges: location.ranges.iter().copied().map(Range::to_pb).collect(),
            };
            let of_op = self.source.locations.entry(digest.to_owned()).or_default();
            if !of_op.locations.contains(&location) {
                of_op.locations.push(location);
            }
        }
    }

    fn index(&mut self, location: &Location) -> i32 {
        let info = location.file.to_pb();
        let infos = &mut self.source.infos;
        *self.known.entry(ptr::from_ref(info)).or_insert_with(|| {
            let position = infos.iter().position(|known| known == info);
            let position = position.unwrap_or_else(|| {
                infos.push(info.clone());
                infos.len() - 1
            });
            i32::try_from(position).unwrap_or(i32::MAX)
        })
    }
}
