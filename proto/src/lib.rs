//! BuildKit's messages for build graphs (LLB), and its gateway service as a
//! frontend sees it.
//!
//! The definitions in `proto/` contain only what frontends need, with
//! BuildKit's field numbers. The Rust code generated from them is committed in
//! `src/generated/` and checked by `tests/generated.rs`, so a build needs
//! neither a protobuf compiler nor a build script.
//!
//! All maps are `BTreeMap`s, so that equal messages have equal bytes.
//!
//! ```
//! use buildkit_proto::pb;
//! use prost::Message;
//!
//! let source = pb::SourceOp {
//!     identifier: "docker-image://docker.io/library/debian:13".to_owned(),
//!     ..pb::SourceOp::default()
//! };
//! let op = pb::Op {
//!     op: Some(pb::op::Op::Source(source)),
//!     ..pb::Op::default()
//! };
//! let bytes = op.encode_to_vec();
//! assert_eq!(pb::Op::decode(bytes.as_slice()), Ok(op));
//! ```

#![deny(missing_docs)]

/// The generated modules, nested like their protobuf packages because they
/// refer to each other by relative paths.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "only what is not obvious has a comment in the .proto files"
)]
mod generated {
    pub mod pb {
        include!("generated/pb.rs");
    }
    pub mod fsutil {
        pub mod types {
            include!("generated/fsutil.types.rs");
        }
    }
    pub mod google {
        pub mod rpc {
            include!("generated/google.rpc.rs");
        }
    }
    pub mod moby {
        pub mod buildkit {
            pub mod v1 {
                pub mod apicaps {
                    include!("generated/moby.buildkit.v1.apicaps.rs");
                }
                pub mod frontend {
                    include!("generated/moby.buildkit.v1.frontend.rs");
                }
                pub mod types {
                    include!("generated/moby.buildkit.v1.types.rs");
                }
            }
        }
    }
}

/// File descriptions (package `fsutil.types`).
pub use generated::fsutil::types as fsutil;
/// Errors with details (package `google.rpc`).
pub use generated::google::rpc;
/// Capabilities (package `moby.buildkit.v1.apicaps`).
pub use generated::moby::buildkit::v1::apicaps as caps;
/// The service for frontends (package `moby.buildkit.v1.frontend`).
pub use generated::moby::buildkit::v1::frontend as gateway;
/// Workers (package `moby.buildkit.v1.types`).
pub use generated::moby::buildkit::v1::types as worker;
/// The build graph (package `pb`).
pub use generated::pb;
/// `google.protobuf.Any` and `google.protobuf.Timestamp`.
pub use prost_types::{Any, Timestamp};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
