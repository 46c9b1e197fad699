//! What condafront's tests need from the world outside: engines, an HTTP server and a conda channel
//! with real contents. Everything it makes or downloads stays in one folder ([`cache::engine_dir`]).
//!
//! Support for tests: what goes wrong here panics with the reason.

pub mod apt;
pub mod cache;
pub mod channel;
pub mod engine;
pub mod foreign;
pub mod layout;
pub mod needs;
pub mod repodata;
pub mod run;
pub mod server;
