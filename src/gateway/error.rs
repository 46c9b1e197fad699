//! Errors that come from BuildKit, and errors that go back to it with places in the user's file.
//!
//! Details of a gRPC error are `Any` messages whose value is JSON, not protobuf, for BuildKit's own types
//! (`util/grpcerrors/grpcerrors.go`, `solver/errdefs`).

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildkit_proto::{Any, pb, rpc};
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::messages;
use condafront_input::as_written;
use condafront_input::options::OptionError;
use condafront_model::source::{Diagnostic, Lines, Location};
use condafront_model::visible::{visible, visible_line};
use condafront_step_spec::args::ArgsError;

const SOURCE: &str = "github.com/moby/buildkit/errdefs.Source+json";
const VERTEX: &str = "github.com/moby/buildkit/errdefs.Vertex+json";
const SOLVE: &str = "github.com/moby/buildkit/errdefs.Solve+json";

/// The key of an operation's name in what the graph says about it.
pub(super) const CUSTOM_NAME: &str = "llb.customname";

/// gRPC's code for an error whose message is shown as it is.
const CODE_UNKNOWN: i32 = 2;

/// An error from BuildKit, with its details.
#[derive(Clone, Debug)]
pub(crate) struct GatewayError {
    status: rpc::Status,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl GatewayError {
    /// An error of our own about the session.
    pub(crate) fn session(message: impl Into<String>) -> Self {
        Self::from_status(rpc::Status {
            code: CODE_UNKNOWN,
            message: message.into(),
            details: Vec::new(),
        })
    }

    /// The same, caused by another error: `{what}: {cause}`.
    pub(crate) fn caused(
        what: impl fmt::Display,
        cause: impl Error + Send + Sync + 'static,
    ) -> Self {
        let mut error = Self::session(format!("{what}: {cause}"));
        error.cause = Some(Arc::new(cause));
        error
    }

    /// An error with details of our own.
    pub(crate) fn from_status(status: rpc::Status) -> Self {
        Self {
            status,
            cause: None,
        }
    }

    /// BuildKit's message.
    pub(crate) fn message(&self) -> &str {
        &self.status.message
    }

    /// Whether the user cancelled the build.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.status.code == tonic::Code::Cancelled as i32
    }

    /// Whether BuildKit has lost a step's result: a build that was cancelled or failed elsewhere interrupted it while
    /// it committed the result, and every later build that finds the step in the cache fails
    /// (`cacheRecord.finalize` in `cache/refs.go`; moby/buildkit#6821 fixes other ways to get there).
    pub(crate) fn is_lost_result(&self) -> bool {
        messages::is_lost_result(&self.status.message)
    }

    /// Whether the file or folder that was to be read is missing.
    pub(crate) fn is_absent(&self) -> bool {
        messages::is_absent(&self.status.message)
    }

    /// Whether what was to be read is a folder, or something else that is not a file.
    pub(crate) fn is_not_a_file(&self) -> bool {
        messages::is_not_a_file(&self.status.message)
    }

    /// Whether the client does not have the folder that was to be sent.
    pub(crate) fn is_not_sent(&self) -> bool {
        messages::is_not_sent(&self.status.message)
    }

    /// Whether a repository has no branch or tag of the name that was asked for.
    pub(crate) fn lacks_reference(&self) -> bool {
        messages::lacks_reference(&self.status.message)
    }

    /// The digests of the vertices that failed, from the details.
    pub(crate) fn vertices(&self) -> Vec<String> {
        self.status
            .details
            .iter()
            .filter(|detail| detail.type_url == VERTEX)
            .filter_map(|detail| serde_json::from_slice::<VertexDetail>(&detail.value).ok())
            .map(|vertex| vertex.digest)
            .collect()
    }

    /// BuildKit's names for what a failed process has left in its mounts, by their positions. A mount without a result has
    /// an empty name.
    pub(crate) fn left_in_mounts(&self) -> Vec<String> {
        self.solve_detail().unwrap_or_default().mounts
    }

    fn solve_detail(&self) -> Option<SolveDetail> {
        let mut details = self.status.details.iter();
        let detail = details.find(|detail| detail.type_url == SOLVE)?;
        serde_json::from_slice(&detail.value).ok()
    }

    /// The same error, naming an operation of this build's own graph. When two builds have operations with the same content
    /// at the same time, BuildKit runs one of them for both, and names that one. `own` has the digests of the graph's
    /// operations, by their names.
    ///
    /// Only the name tells that an operation is the other build's counterpart. The error keeps its place if that build shows
    /// the operation under another name, and gets a wrong one if it has a different operation of the same name.
    pub(super) fn about_own(mut self, own: &HashMap<String, String>) -> Self {
        let vertices = self.vertices();
        let is_own = own.values().any(|digest| vertices.contains(digest));
        let solve = self.solve_detail().filter(|_| !is_own);
        let name = solve.and_then(|mut solve| solve.description.remove(CUSTOM_NAME));
        if let Some(digest) = name.and_then(|name| own.get(&name)) {
            self.status.details.push(vertex(digest));
        }
        self
    }

    /// The same error, naming the original of each vertex that stands for another one.
    pub(super) fn about_originals(mut self, originals: &HashMap<String, String>) -> Self {
        for detail in &mut self.status.details {
            if detail.type_url != VERTEX {
                continue;
            }
            let found = serde_json::from_slice::<VertexDetail>(&detail.value).ok();
            let original = found.and_then(|found| originals.get(&found.digest));
            if let Some(digest) = original {
                *detail = vertex(digest);
            }
        }
        self
    }

    /// The same error for BuildKit to show, with all its details.
    pub(crate) fn into_status(self) -> rpc::Status {
        self.status
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status.message)
    }
}

impl Error for GatewayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_deref()?;
        Some(cause)
    }
}

impl From<tonic::Status> for GatewayError {
    fn from(status: tonic::Status) -> Self {
        // `grpc-status-details-bin` is a whole google.rpc.Status.
        let details = rpc::Status::decode(status.details())
            .map(|status| status.details)
            .unwrap_or_default();
        Self {
            status: rpc::Status {
                code: status.code() as i32,
                message: status.message().to_owned(),
                details,
            },
            cause: Some(Arc::new(status)),
        }
    }
}

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// A problem with the user's input.
    #[error(transparent)]
    Diagnostic(#[from] Box<Diagnostic>),
    /// An error that BuildKit reported.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// An option of `docker build` that cannot be understood.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// A step that cannot be given its arguments.
    #[error(transparent)]
    Arguments(#[from] ArgsError),
}

impl From<Diagnostic> for BuildError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostic(Box::new(diagnostic))
    }
}

impl BuildError {
    /// The error in BuildKit's form.
    pub(crate) fn into_status(self) -> rpc::Status {
        let mut status = match self {
            Self::Gateway(error) => error.into_status(),
            Self::Diagnostic(diagnostic) => {
                let diagnostic = as_written(*diagnostic);
                rpc::Status {
                    code: CODE_UNKNOWN,
                    message: diagnostic.to_string(),
                    details: source_details(&diagnostic.locations),
                }
            }
            other @ (Self::Option(_) | Self::Arguments(_)) => rpc::Status {
                code: CODE_UNKNOWN,
                message: other.to_string(),
                details: Vec::new(),
            },
        };
        if status
            .details
            .iter()
            .all(|detail| detail.type_url != SOURCE)
        {
            status.details.push(NOWHERE.to_any());
        }
        status.message = visible(&status.message).into_owned();
        status
    }
}

/// One detail per group of nearby places; clients show each as one excerpt.
fn source_details(locations: &[Location]) -> Vec<Any> {
    /// More excerpts than this hide the message they belong to.
    const MOST: usize = 8;
    /// Places with no more lines than this between them share an excerpt.
    const NEAR: u32 = 8;
    let mut groups: Vec<Vec<&Location>> = Vec::new();
    for location in locations {
        let near = groups.last_mut().filter(|group| {
            group.last().is_some_and(|last| {
                last.file == location.file
                    && last.lines.first.abs_diff(location.lines.first) <= NEAR
            })
        });
        match near {
            Some(group) => group.push(location),
            None => groups.push(vec![location]),
        }
    }
    groups.truncate(MOST);
    // Clients show the last one first.
    groups.iter().rev().map(|group| excerpt(group)).collect()
}

/// Several places in one file as one detail.
fn excerpt(locations: &[&Location]) -> Any {
    let Some(file) = locations.first().map(|location| &location.file) else {
        return NOWHERE.to_any();
    };
    let position = |line| JsonPosition { line, character: 0 };
    let lines = locations.iter().map(|location| location.lines);
    let around = Lines {
        first: lines.clone().map(|lines| lines.first).min().unwrap_or(1),
        last: lines.clone().map(|lines| lines.last).max().unwrap_or(1),
    };
    let ranges: Vec<JsonRange> = lines
        .map(|lines| JsonRange {
            start: position(lines.first),
            end: position(lines.last),
        })
        .collect();
    SourceDetail {
        info: JsonInfo {
            filename: &visible_line(file.name()),
            data: STANDARD.encode(file.excerpt(around)),
            language: file.language(),
        },
        ranges: &ranges,
    }
    .to_any()
}

/// A place as a source map entry, for warnings.
pub(crate) fn source_info(location: &Location) -> (pb::SourceInfo, pb::Range) {
    let position = |line: u32| pb::Position {
        line: i32::try_from(line).unwrap_or(i32::MAX),
        character: 0,
    };
    let info = pb::SourceInfo {
        filename: visible_line(location.file.name()).into_owned(),
        data: location.file.excerpt(location.lines),
        language: location.file.language().to_owned(),
        ..Default::default()
    };
    let range = pb::Range {
        start: Some(position(location.lines.first)),
        end: Some(position(location.lines.last)),
    };
    (info, range)
}

#[derive(Deserialize)]
struct VertexDetail {
    digest: String,
}

/// The detail that names a vertex.
fn vertex(digest: &str) -> Any {
    let value = serde_json::json!({ "digest": digest });
    Any {
        type_url: VERTEX.to_owned(),
        value: value.to_string().into_bytes(),
    }
}

#[derive(Default, Deserialize)]
struct SolveDetail {
    #[serde(default, rename = "mountIDs")]
    mounts: Vec<String>,
    /// What the graph says about the operation.
    #[serde(default)]
    description: HashMap<String, String>,
}

#[derive(Serialize)]
struct SourceDetail<'a> {
    info: JsonInfo<'a>,
    ranges: &'a [JsonRange],
}

/// Clients show nothing for it, but without any place BuildKit would blame the line `# syntax=…`.
const NOWHERE: SourceDetail<'_> = SourceDetail {
    info: JsonInfo {
        filename: "",
        data: String::new(),
        language: "",
    },
    ranges: &[],
};

impl SourceDetail<'_> {
    fn to_any(&self) -> Any {
        Any {
            type_url: SOURCE.to_owned(),
            value: serde_json::to_vec(self).unwrap_or_default(),
        }
    }
}

#[derive(Serialize)]
struct JsonInfo<'a> {
    filename: &'a str,
    data: String,
    language: &'a str,
}

#[derive(Serialize)]
struct JsonRange {
    start: JsonPosition,
    end: JsonPosition,
}

#[derive(Serialize)]
struct JsonPosition {
    line: u32,
    character: u32,
}

#[cfg(test)]
mod tests;
