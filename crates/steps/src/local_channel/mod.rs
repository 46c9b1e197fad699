//! A folder with everything that a build fetches: conda channels with their lists of packages, and PyPI packages with an
//! index.
//!
//! The target `channel` makes it, the named context `channel` takes it back in. Every file lies where its address says
//! ([`place`]), so that channels with files of one name stay apart and the same addresses are recorded as with a network.

mod archive;
mod check;
mod conda;
mod files;
mod pypi;

pub use check::check;
pub use conda::conda;
pub use pypi::pypi;
