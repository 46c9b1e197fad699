//! End-to-end tests: real engines build real packages from a real server, and the images run.
//!
//! `make test` starts the engines and the registry that these need.

mod calls;
mod downloads;
mod errors;
mod failure;
mod limits;
mod project;
mod readme;
mod smoke;
