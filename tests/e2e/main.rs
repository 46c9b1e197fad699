//! End-to-end tests: real engines build real packages from a real server, and the images run.
//!
//! `make test` starts the engines and the registry that these need.

mod errors;
mod failure;
mod project;
mod readme;
mod smoke;
