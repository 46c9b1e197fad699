//! The outputs of a process, before and after the operation is built.

use std::ops::Index;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::node::Output;

/// One output of an exec operation under construction.
///
/// It belongs to the [`Exec`](super::Exec) that returned it, to its later
/// clones, and to the operations that these build. No two slots are equal, so
/// that of another operation does not refer to any output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(usize);

impl Slot {
    /// A slot that no operation has.
    pub(super) fn unique() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The outputs of a built exec operation, by the slots of its
/// [`Exec`](super::Exec).
#[derive(Clone, Debug)]
pub struct ExecOutputs {
    pub(super) outputs: Vec<(Slot, Output)>,
}

impl ExecOutputs {
    /// The output of a slot, unless the slot belongs to another operation.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<&Output> {
        let mut outputs = self.outputs.iter();
        outputs.find_map(|(of, output)| (*of == slot).then_some(output))
    }
}

impl Index<Slot> for ExecOutputs {
    type Output = Output;

    /// The output of a slot.
    ///
    /// # Panics
    ///
    /// If the slot belongs to another operation.
    fn index(&self, slot: Slot) -> &Output {
        match self.get(slot) {
            Some(output) => output,
            None => panic!("the slot belongs to another exec operation"),
        }
    }
}
