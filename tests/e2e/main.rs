//! End-to-end tests: real engines build real packages from a real server, and the images run.
//!
//! `make test` starts the engines and the registry that these need.

mod installers;
mod cache;
mod determinism;
mod account;
mod activation;
mod bases;
mod derived;
mod image;
mod process;
mod project;
mod pushed;
mod readme;
mod smoke;
mod tree;
mod trees;
