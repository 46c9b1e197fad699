//! Wheels, linked as pip installs them
//! (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).
//!
//! Each wheel is first made into a tree of its own ([`tree`]), which depends on nothing but the wheel, the prefix and
//! python's version. The trees of a step are then put into one prefix.
//!
//! The result is that of the environment's pip, except for what would differ from build to build, or is of no use in an
//! image: times, the bytecode of scripts and data, and rows in `RECORD` for files that pip itself leaves out.

mod archive;
mod entry_points;
pub(crate) mod fuzzing;
mod metadata;
mod places;
mod record;
mod step;
mod tree;

pub(crate) use entry_points::programs;
pub use step::install_wheels;
