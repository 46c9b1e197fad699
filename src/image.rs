//! The image: its configuration and its name.

pub mod config;
pub mod name;
pub mod section;
