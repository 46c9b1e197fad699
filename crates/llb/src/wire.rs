//! The bytes of operations.
//!
//! The daemon decodes every operation, encodes it again with Go's
//! deterministic protobuf encoder and takes the digest of that
//! (`solver/llbsolver/vertex.go` of moby/buildkit). Where those bytes differ
//! from the ones sent, source locations and warnings no longer find their
//! operation. Go writes fields by number but a oneof last; prost writes a
//! oneof at its lowest number. `Op` is the only message in which that matters.
//! Map entries with empty values differ too: Go writes the empty value, prost
//! leaves it out, so operations hold none.

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
        // Always present, as in what the daemon's own client sends.
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
