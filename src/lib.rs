//! condafront: a BuildKit frontend that turns a conda environment or lock file into a container image.

pub mod account;
pub mod activation;
pub mod build;
pub mod channel;
pub mod cli;
pub mod context;
pub mod failure_report;
pub mod fetch_failure;
pub mod frontend;
pub mod gateway;
pub mod graph;
pub mod image;
pub mod input;
pub mod install;
pub mod package;
pub mod plan;
pub mod platform;
pub mod redact;
pub mod root;
pub mod section;
pub mod settings;
pub mod source;
pub mod stamp;
pub mod steps;
pub mod subrequests;
pub mod yaml;
