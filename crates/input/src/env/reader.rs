//! The file that an environment is read from.

use std::sync::Arc;

use crate::place::Place;
use crate::yaml::{Key, Node};
use condafront_model::source::{Lines, SourceFile};

/// The file that diagnostics point at.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(crate) lines: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    pub(super) fn at(&self, node: &Node) -> Place<'a> {
        self.place(node.lines)
    }

    pub(super) fn at_key(&self, key: &Key) -> Place<'a> {
        self.place(key.lines)
    }

    fn place(&self, lines: Lines) -> Place<'a> {
        Place {
            file: self.file,
            lines,
        }
    }
}
