//! PyPI packages, installed after the conda packages by the environment's own pip, or by one that condafront brings.
//!
//! A locked package is a file, fetched like a conda package. One step without network installs all of them into the image
//! as it is by then ([`install`]), and makes the result the same on every builder. What is not locked is first resolved
//! by a step with network ([`resolve`](resolve())), and then fetched and installed in the same way.

mod build;
mod fetched;
mod install;
mod masked_log;
mod process;
mod report;
mod resolve;

pub use build::build;
pub use fetched::fetched;
pub use install::install;
pub use resolve::resolve;
