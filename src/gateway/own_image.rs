//! The frontend's own image, whose program runs the install steps.

use buildkit_llb::{Input, Output, pb};
use prost::Message as _;

use super::error::{BuildError, GatewayError};
use crate::context::named::Finder;

/// Where BuildKit puts the graph that the frontend image came from (since v0.10, `frontend/gateway/gateway.go`).
const DEFINITION: &str = "/run/config/buildkit/metadata/frontend.bin";

/// Finds it: in the graph that BuildKit provides, or else by the name in the user's `# syntax` line.
///
/// # Errors
/// When neither identifies the image.
pub(crate) async fn find(finder: Finder<'_>) -> Result<Output, BuildError> {
    if let Ok(bytes) = std::fs::read(DEFINITION) {
        let definition = pb::Definition::decode(bytes.as_slice()).map_err(|error| {
            GatewayError::caused(format_args!("{DEFINITION} is damaged"), error)
        })?;
        let output = Output::from_definition(&definition).map_err(|error| {
            GatewayError::caused(format_args!("{DEFINITION} is damaged"), error)
        })?;
        return Ok(output);
    }
    let source = finder.options.get("source").ok_or_else(|| {
        GatewayError::session(
            "this engine does not say which image condafront comes from: that needs BuildKit 0.10 (Docker 23)",
        )
    })?;
    match finder.base(source).await?.state {
        Input::Output(output) => Ok(output),
        Input::Scratch => Err(GatewayError::session("condafront's own image is empty").into()),
    }
}
