//! The install step and those around it, run in this process on small packages that the tests make.

mod bad_wheels;
mod bytecode;
mod clashes;
mod divide;
mod hostile;
mod installers;
mod link;
mod micromamba;
mod package;
mod scripts;
mod step;
mod trim;
mod wheel_step;
mod wheels;
mod zip_bytes;
