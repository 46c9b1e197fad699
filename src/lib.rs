//! condafront: a BuildKit frontend that turns a conda environment or lock file into a container image.

pub mod account;
pub mod activation;
pub mod input;
pub mod package;
pub mod plan;
pub mod platform;
pub mod source;
