//! The plan as a BuildKit graph. Pure: what must be read from BuildKit comes in as outputs and facts.

pub mod downloads;
pub mod environment;
pub mod step;

/// Where the frontend image has its own program.
pub const PROGRAM: &str = "/condafront";
