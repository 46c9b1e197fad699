//! A typed builder of BuildKit build graphs (LLB).
//!
//! Operations are built from their parts and never change afterwards: an
//! [`Output`] is a cheap handle to one result of a built operation, and the
//! bytes and digest of an operation are computed once. [`Definition::of`]
//! collects everything that an output depends on into a message for the daemon.
//!
//! ```
//! use buildkit_llb::{Bind, Definition, Digest, Exec, Http, Image, Input, OpOptions};
//!
//! let tools = Image::new("docker.io/library/busybox:1.37").build();
//! let archive = Http::new("https://example.com/data.tar")
//!     .checksum(Digest::of(b"data"))
//!     .filename("data.tar")
//!     .name("download data.tar")
//!     .build();
//! let mut exec = Exec::new(&tools, "tar", ["-xf", "/in/data.tar", "-C", "/out"]);
//! exec.mount(Bind::read_only("/in", &archive));
//! let out = exec.output("/out", Input::Scratch);
//! let built = exec.build();
//! let definition = Definition::of(&built[out]);
//! assert_eq!(definition.to_pb().def.len(), 4);
//! ```
//!
//! Builders are changed in place: every setter takes `&mut self` and returns it,
//! and `build` only borrows, so calls can be chained, or made one by one in loops
//! and conditions. A mount or file action is passed on as itself or as the
//! reference that its last setter returns. What all operations can have, such as
//! a name, is in [`OpOptions`].
//!
//! Generated messages are used where definitions enter and leave the crate:
//! [`Definition::to_pb`], [`Output::from_definition`], [`text::dump`] and
//! [`dot::graph`].
//!
//! The bytes of an operation are the ones that the daemon itself would write
//! (see `src/wire.rs`), so the digests computed here are those that it uses for
//! progress, source locations and warnings.

#![deny(missing_docs)]

mod definition;
mod digest;
mod exec;
mod fetch_again;
mod file;
mod graph;
mod location;
mod merge;
mod node;
mod options;
mod platform;
mod source;
mod splice;
mod title;
mod wire;

pub mod caps;
pub mod dot;
pub mod text;

/// The messages of definitions.
#[doc(no_inline)]
pub use buildkit_proto::pb;

pub use definition::Definition;
pub use digest::{Digest, ParseDigestError};
pub use exec::{
    Bind, Cache, CacheSharing, ContentCache, Exec, ExecOutputs, Mount, NetMode, Proxy, Secret,
    SecurityMode, Slot, Ssh, Tmpfs,
};
pub use file::{Account, Action, Copy, File, Mkdir, Mkfile, Owner, Rm, Symlink};
pub use location::{Location, Position, Range, SourceFile};
pub use merge::{Diff, Merge};
pub use node::{Input, Output};
pub use options::{OpOptions, Options, ProgressGroup};
pub use platform::Platform;
pub use source::{Differ, Git, Http, Image, Local, OciLayout, ResolveMode};
pub use splice::SpliceError;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
