//! The image: its configuration, and what it is called.

pub mod config;
pub mod name;
pub mod section;
