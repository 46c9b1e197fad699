//! PyPI packages on top of the conda packages.
//!
//! Packages that no index has are built into wheels, pip resolves the list, and what it finds is downloaded and installed
//! as from a lock.

mod downloads;
mod install;
mod network;
mod packages;
mod resolve;
mod sources;
mod supplied;
mod wheel;

pub use install::PipInstalled;
pub use network::PipNetwork;
pub use packages::PipPackages;
pub use resolve::PipResolved;
pub use sources::{Local, LocalKind, from_context, from_repository};
pub use wheel::Wheel;

#[cfg(test)]
mod tests;
