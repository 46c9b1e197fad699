//! Sources: content from outside the graph.

mod git;
mod http;
mod image;
mod local;
mod oci_layout;
mod operation;

pub use git::Git;
pub use http::Http;
pub use image::{Image, ResolveMode};
pub use local::{Differ, Local};
pub use oci_layout::OciLayout;
