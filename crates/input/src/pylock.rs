//! `pylock.toml`: a lock of PyPI packages for several environments
//! (<https://packaging.python.org/en/latest/specifications/pylock-toml/>).
//!
//! Which of its packages and files an environment gets depends on its python and its platform, so that is chosen once these
//! are known.

mod choice;
mod fields;
mod lock;
mod reader;
mod source;

pub use crate::marker::{Marker, MarkerEnvironment};
pub use choice::Chosen;
pub use lock::Pylock;
pub use reader::read;

#[cfg(test)]
mod tests;
