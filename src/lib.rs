//! condafront: a BuildKit frontend that turns a conda environment or lock file into a container image.

pub mod cli;
mod context;
mod fetch_failure;
mod findings;
pub mod frontend;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod image;
mod inventory;
pub mod options;
mod pip_report;
mod stages;
mod subrequests;
