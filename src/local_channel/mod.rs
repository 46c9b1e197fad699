//! A folder with everything that a build fetches: conda channels with their lists of packages, and PyPI packages with an
//! index.
//!
//! The target `channel` makes it, the named context `channel` takes it back in. Every file lies where its address says
//! ([`place`]), so that channels with files of one name stay apart and the same addresses are recorded as with a network.

mod archive;
mod check;
mod conda;
mod files;
pub mod place;
mod pypi;
pub mod spec;

pub use check::check;
pub use conda::conda;
pub use pypi::pypi;

/// What messages call the folder.
pub(crate) const FOLDER: &str = "the named context channel";

/// How to make it what it should be.
pub(crate) const HELP: &str = "Make the folder anew where there is a network, with docker build -f <this file> --target channel -o <folder>.";
