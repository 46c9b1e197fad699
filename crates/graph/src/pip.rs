//! PyPI packages on top of the conda packages.
//!
//! Packages that no index has are built into wheels, pip resolves the list, and what it finds is downloaded and installed
//! as from a lock. Where all packages are wheels, each is linked into a layer of its own; otherwise pip installs them.

mod downloads;
mod install;
mod linked;
mod network;
mod packages;
mod resolve;
mod root;
mod sources;
mod supplied;
mod wheel;

pub use install::PipInstalled;
pub use linked::{ADD_WHEELS, WheelGraph};
pub use network::PipNetwork;
pub use packages::PipPackages;
pub use resolve::PipResolved;
pub use sources::{Local, LocalKind, from_context, from_repository};
pub use wheel::Wheel;

#[cfg(test)]
mod tests;
