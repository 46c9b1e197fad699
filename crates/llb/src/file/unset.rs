//! What "not set" is on the wire.

/// A mode that is not set.
pub(super) const UNSET_MODE: i32 = -1;
/// A time that is not set.
pub(super) const UNSET_TIME: i64 = -1;
