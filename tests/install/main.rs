//! The install step and those around it, run in this process on small packages made here.

mod hostile;
mod link;
mod package;
mod step;
