//! What all sources have in common.

use std::collections::BTreeMap;

use buildkit_proto::pb;

use crate::caps::Cap;
use crate::node::{Inputs, Node, Output};
use crate::options::Options;
use crate::platform::Platform;

/// The parts of every source operation.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) identifier: String,
    attrs: BTreeMap<&'static str, String>,
    pub(super) caps: Vec<Cap>,
    pub(super) options: Options,
}

impl Source {
    pub(super) fn new(identifier: String, cap: Cap) -> Self {
        Self {
            identifier,
            attrs: BTreeMap::new(),
            caps: vec![cap],
            options: Options::new(),
        }
    }

    /// Sets an attribute; an empty value removes it (see `wire`).
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            self.attrs.remove(key);
        } else {
            self.attrs.insert(key, value);
        }
    }

    /// Sets an attribute that needs a capability.
    pub(super) fn set_with(&mut self, cap: Cap, key: &'static str, value: impl Into<String>) {
        self.set(key, value);
        self.caps.push(cap);
    }

    /// Sets an attribute that needs a capability to a JSON list.
    pub(super) fn set_list(
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

    pub(super) fn build(&self, platform: Option<&Platform>) -> Output {
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
