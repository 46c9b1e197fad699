//! The session with BuildKit: its gateway service over this process's standard input and output.

pub mod client;
pub mod error;
pub mod fetch;
pub mod messages;
pub mod own_image;
pub mod repodata;
pub mod requirements;
pub mod transport;
