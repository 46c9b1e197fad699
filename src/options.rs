//! The user's options apart from the file: build-args, targets, and how both combine with the image section.

pub mod build_args;
pub mod choices;
pub mod inputs;
pub mod settings;
pub mod target;
