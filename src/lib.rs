//! condafront: a BuildKit frontend that turns a conda environment or lock file into a container image.

pub mod cli;
pub mod context;
pub mod fetch_failure;
pub mod frontend;
pub mod gateway;
pub mod image;
pub mod options;
pub mod pip_report;
pub mod stages;
pub mod subrequests;
