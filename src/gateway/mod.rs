//! The session with BuildKit: its gateway service over this process's standard input and output.

pub mod client;
pub mod error;
pub mod options;
pub mod transport;
