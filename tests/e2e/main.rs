//! End-to-end tests: real engines build images with real packages from a real server, and the images are run.
//!
//! `make test` starts the engines and the registry that they need.

mod account;
mod activation;
mod bake;
mod bases;
mod beside;
mod cache;
mod calls;
mod commands;
mod contents;
mod contexts;
mod derived;
mod determinism;
mod downloads;
mod environments;
mod errors;
mod examples;
mod failure;
mod faults;
mod git;
mod image;
mod inputs;
mod installers;
mod limits;
mod locked_projects;
mod locks;
mod lost_results;
mod micromamba_docker;
mod pip;
mod pip_lists;
mod pip_private;
mod platforms;
mod process;
mod project;
mod pushed;
mod readme;
mod scripts;
mod secrets;
mod section;
mod smoke;
mod solve;
mod stalls;
mod system;
mod targets;
mod trees;
