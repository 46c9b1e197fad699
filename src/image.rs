//! The image: its configuration and its name.

pub(crate) mod config;
pub(crate) mod limits;
pub(crate) mod name;
pub(crate) mod section;
