//! Sources: content from outside the graph.

mod git;
mod http;
mod image;
mod local;
mod oci_layout;

pub use git::Git;
pub use http::Http;
pub use image::{Image, ResolveMode};
pub use local::{Differ, Local};
pub use oci_layout::OciLayout;

use std::collections::BTreeMap;

use buildkit_proto::pb;

use crate::caps::Cap;
use crate::node::{Inputs, Node, Output};
use crate::options::Options;

/// The parts of every source operation.
#[derive(Clone, Debug)]
struct Source {
    identifier: String,
    attrs: BTreeMap<&'static str, String>,
    caps: Vec<Cap>,
    options: Options,
}

impl Source {
    fn new(identifier: String, cap: Cap) -> Self {
        Self {
            identifier,
            attrs: BTreeMap::new(),
            caps: vec![cap],
            options: Options::new(),
        }
    }

    /// Sets an attribute; an empty value removes it (see `wire`).
    fn set(&mut self, key: &'static str, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            self.attrs.remove(key);
        } else {
            self.attrs.insert(key, value);
        }
    }

    /// Sets an attribute that needs a capability.
    fn set_with(&mut self, cap: Cap, key: &'static str, value: impl Into<String>) {
        self.set(key, value);
        self.caps.push(cap);
    }

    /// Sets an attribute that needs a capability to a JSON list.
    fn set_list(
        &mut self,
        cap: Cap,
        key: &'static str,
        items: impl IntoIterator<Item = impl Into<String>>,
    ) {
        let items: Vec<serde_json::Value> = items
            .into_iter()
            .map(|item| serde_json::Value::String(item.into()))
            .collect();
        if !items.is_empty() {
            self.set_with(cap, key, serde_json::Value::Array(items).to_string());
        }
    }

    fn build(&self, platform: Option<&pb::Platform>) -> Output {
        let attrs = self
            .attrs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        let op = pb::op::Op::Source(pb::SourceOp {
            identifier: self.identifier.clone(),
            attrs,
        });
        let caps = self.caps.iter().copied();
        Output::first(Node::new(
            Inputs::default(),
            platform,
            op,
            caps,
            &self.options,
        ))
    }
}

/// A file mode in the format of attributes: octal with a leading zero.
fn octal(mode: u32) -> String {
    format!("0{mode:o}")
}
