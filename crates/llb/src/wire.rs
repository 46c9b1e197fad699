//! The bytes of operations.
//!
//! The daemon decodes every operation, encodes it again with Go's
//! deterministic protobuf encoder and uses the digest of the result
//! (`solver/llbsolver/vertex.go` of moby/buildkit). If those bytes differ
//! from the ones sent, source locations and warnings do not find their
//! operation. Go writes fields by number but a oneof last; prost writes a
//! oneof at its lowest number. `Op` is the only message in which that matters.
//! Map entries with empty values also differ: Go writes the empty value and
//! prost omits it, so operations contain no such entries.

use buildkit_proto::pb;
use prost::Message;

/// Encodes an operation as Go does.
pub(crate) fn encode_op(
    inputs: Vec<pb::Input>,
    platform: Option<pb::Platform>,
    op: pb::op::Op,
) -> Vec<u8> {
    let head = pb::Op {
        inputs,
        platform,
        // Always present, as in messages of the daemon's own client.
        constraints: Some(pb::WorkerConstraints::default()),
        op: None,
    };
    let tail = pb::Op {
        op: Some(op),
        ..pb::Op::default()
    };
    // Concatenated messages are one message.
    let mut bytes = Vec::with_capacity(head.encoded_len() + tail.encoded_len());
    bytes.extend(head.encode_to_vec());
    bytes.extend(tail.encode_to_vec());
    bytes
}

/// Encodes the last operation of a definition, which only names the result.
pub(crate) fn encode_result(input: pb::Input) -> Vec<u8> {
    pb::Op {
        inputs: vec![input],
        ..pb::Op::default()
    }
    .encode_to_vec()
}
