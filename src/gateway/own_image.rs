//! The frontend's own image, whose program runs the install steps.

use buildkit_llb::{Image, Input, OpOptions, Output, RecordType, ResolveMode, pb};
use prost::Message as _;

use super::error::{BuildError, GatewayError};
use crate::context::named::Finder;

/// Where BuildKit puts the graph that the frontend image came from (since v0.10, `frontend/gateway/gateway.go`).
const DEFINITION: &str = "/run/config/buildkit/metadata/frontend.bin";

/// Finds it: in what BuildKit left beside us, or else by the name in the user's `# syntax` line.
///
/// # Errors
/// When neither says what it is.
pub async fn find(finder: Finder<'_>) -> Result<Output, BuildError> {
    if let Ok(bytes) = std::fs::read(DEFINITION) {
        let definition = pb::Definition::decode(bytes.as_slice())
            .map_err(|error| GatewayError::session(format!("{DEFINITION} is damaged: {error}")))?;
        let output = Output::from_definition(&definition)
            .map_err(|error| GatewayError::session(format!("{DEFINITION} is damaged: {error}")))?;
        return Ok(loaded_anew(&definition).unwrap_or(output));
    }
    let source = finder.options.get("source").ok_or_else(|| {
        GatewayError::session(
            "this engine does not say which image condafront is: BuildKit 0.10 (Docker 23) does",
        )
    })?;
    match finder.base(source).await?.state {
        Input::Output(output) => Ok(output),
        Input::Scratch => Err(GatewayError::session("condafront's own image is empty").into()),
    }
}

/// The same image as an operation of our own; `None` if it does not come from a registry or a store.
///
/// BuildKit has loaded the one in the definition before it looked into any cache that the user imports. On a builder
/// that had never seen it, it knows no cache key for it then, and would find none of our steps in that cache.
fn loaded_anew(definition: &pb::Definition) -> Option<Output> {
    let [image, _result] = definition.def.as_slice() else {
        return None;
    };
    let op = pb::Op::decode(image.as_slice()).ok()?;
    let Some(pb::op::Op::Source(source)) = op.op else {
        return None;
    };
    let reference = source.identifier.strip_prefix("docker-image://")?;
    let mut image = Image::new(reference);
    image
        .name("[internal] load condafront's program")
        .record_type(RecordType::Internal);
    if let Some(platform) = op.platform {
        image.platform(platform);
    }
    match source.attrs.get("image.resolvemode").map(String::as_str) {
        Some("local") => image.resolve_mode(ResolveMode::Local),
        Some("pull") => image.resolve_mode(ResolveMode::Pull),
        _ => &mut image,
    };
    Some(image.build())
}
