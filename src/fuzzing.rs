//! The readers of this crate as functions of bytes, for `tests/fuzz`.

use crate::context::ignore;

/// Reads a `.dockerignore`.
///
/// # Panics
/// If a pattern is not one that BuildKit's client takes.
pub fn dockerignore(data: &[u8]) {
    for pattern in ignore::parse(data) {
        let pattern = pattern.strip_prefix('!').unwrap_or(&pattern);
        assert!(
            !pattern.starts_with('/') && !pattern.contains('\n'),
            "{pattern}"
        );
    }
}
