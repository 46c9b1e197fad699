//! What to build, and the plan as a BuildKit graph. No I/O: whatever must be read from BuildKit is passed in as outputs
//! and facts.
//!
//! - [`plan`] decides which packages share a layer, and where they are fetched from. [`solve`] finds them, if the user's
//!   file does not name them all; [`question`] and [`virtual_packages`] say what it looks for.
//! - [`environment`] is what an environment's graph is made from: [`downloads`] of packages, and steps that [`install`]
//!   them into layers, with a [`compiler`] for their modules.
//! - [`image`] stacks layers, and [`conda_image`] those of the account and the conda packages on the base image, which
//!   [`system`] and [`account`] prepare. [`records`] are files of an environment that come from no package;
//!   [`inventory`] says what the image contains.
//! - [`pip`] adds PyPI packages; [`copy`] and [`run`] add what the image section asks for.
//! - [`channel`] collects packages in a folder, for builds without a network. [`look`] inspects finished images.
//! - [`Tools`] make every [`step`].

pub mod account;
pub mod channel;
pub mod compiler;
pub mod conda_image;
pub mod context;
pub mod copy;
pub mod downloads;
pub mod environment;
pub mod git;
pub mod image;
pub mod install;
pub mod inventory;
pub mod look;
pub mod pip;
pub mod plan;
pub mod prove;
pub mod question;
pub mod records;
pub mod run;
pub mod solve;
pub mod step;
pub mod system;
pub mod virtual_packages;
pub mod wanted;

mod authorities;
mod cache_key;
mod location;
mod network;
mod oci_platform;
mod own_files;
mod packages;
mod prefix;
mod programs;
mod python_runtime;
mod relocate;
mod tools;

pub use location::{location_in, location_of, source_file};
pub use network::NetworkAccess;
pub use oci_platform::oci_platform;
pub use programs::{programs, show_report, write_environment};
pub use tools::Tools;

#[cfg(test)]
mod tests;
