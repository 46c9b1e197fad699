//! What condafront's tests need from the outside world: engines, an HTTP server and a conda channel
//! with real contents. Everything it makes or downloads stays in one folder ([`cache::engine_dir`]).
//!
//! This is test support: every failure panics with its reason.

pub mod apt;
pub mod cache;
pub mod channel;
pub mod engine;
pub mod foreign;
pub mod layout;
pub mod needs;
pub mod proxy;
mod python;
pub mod rego;
pub mod repodata;
pub mod run;
pub mod server;
pub mod shards;
pub mod spdx;
