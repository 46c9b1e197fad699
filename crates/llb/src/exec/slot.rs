//! Outputs of a process that is not built yet.

/// One output of an exec operation under construction. It belongs to the
/// [`Exec`](super::Exec) that returned it and to the operations that it builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub(super) usize);
