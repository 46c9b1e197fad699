//! The session with BuildKit: its gateway service over this process's standard input and output.

pub(crate) mod client;
mod container;
mod effort;
pub(crate) mod error;
pub(crate) mod fetch;
pub(crate) mod messages;
mod notice;
pub(crate) mod own_image;
mod read;
pub(crate) mod repodata;
mod reports;
pub(crate) mod requirements;
mod secrets;
pub(crate) mod solving;
mod telling;
pub(crate) mod timeline;
pub(crate) mod transport;
pub(crate) mod tries;
pub(crate) mod waiting;
