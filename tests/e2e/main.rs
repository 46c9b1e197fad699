//! End-to-end tests: real engines build real packages from a real server, and the images run.
//!
//! `make test` starts the engines and the registry that these need.

mod account;
mod activation;
mod bases;
mod cache;
mod calls;
mod contents;
mod contexts;
mod derived;
mod determinism;
mod downloads;
mod errors;
mod failure;
mod git;
mod image;
mod installers;
mod limits;
mod locks;
mod process;
mod project;
mod pushed;
mod readme;
mod smoke;
mod trees;
