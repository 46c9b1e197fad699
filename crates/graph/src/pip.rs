//! PyPI packages on top of the conda packages.
//!
//! Packages without a wheel are built into wheels, pip resolves the list, and what it finds is downloaded as from a lock.
//! Each wheel is linked into a layer of its own; if that is not possible, pip installs all of them.

mod downloads;
mod editable;
mod fetched;
mod history;
mod install;
mod linked;
mod metadata;
mod network;
mod packages;
mod pylock;
mod resolve;
mod root;
mod sources;
mod supplied;
mod web_list;
mod wheel;

pub use editable::{Editable, PipEditable};
pub use fetched::direct_url;
pub use install::PipInstalled;
pub use linked::{ADD_WHEELS, WheelGraph};
pub use metadata::Beside;
pub use network::PipNetwork;
pub use packages::{OwnWheel, PipPackages};
pub use resolve::PipResolved;
pub use root::PipRoot;
pub use sources::{Local, LocalKind, from_context, from_repository};
pub use web_list::web_list;
pub use wheel::PipBuilt;

#[cfg(test)]
mod tests;
