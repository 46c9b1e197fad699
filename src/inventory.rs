//! What an image contains and where it comes from, and the document that says so.

mod component;
mod spdx;

pub(crate) use component::{Component, Inventory};
pub(crate) use spdx::{Layers, document};
