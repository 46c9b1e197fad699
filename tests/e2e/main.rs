//! End-to-end tests: real engines build real packages from a real server, and the images run.
//!
//! `make test` starts the engines and the registry that these need.

mod account;
mod activation;
mod bases;
mod contents;
mod contexts;
mod derived;
mod git;
mod image;
mod process;
mod project;
mod readme;
mod smoke;
