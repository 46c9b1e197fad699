//! A folder with everything that a build downloads: conda channels with their lists of packages, and PyPI packages with
//! an index.
//!
//! The target `channel` makes it, and builds read it from the named context `channel`. The path of every file follows
//! from its URL ([`channel_folder`](condafront_step_spec::channel_folder)), so that files of the same name in different
//! channels stay apart, and the same URLs are recorded as with a network.

mod archive;
mod check;
mod conda;
mod files;
mod pypi;

pub use check::check;
pub use conda::conda;
pub use pypi::pypi;
