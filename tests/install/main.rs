//! The install step and those around it, run in this process on small packages made here.

mod bytecode;
mod hostile;
mod link;
mod package;
mod scripts;
mod step;
