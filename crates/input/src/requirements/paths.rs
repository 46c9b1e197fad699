//! Paths in a list of requirements, which are relative to the build context.

use crate::context_path::{OUTSIDE, joined};
use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// A path relative to the build context, without a leading `./`.
pub(super) fn context_path(path: &str) -> Result<String, Mistake> {
    if path.starts_with('/') {
        return Err(on_a_machine(path));
    }
    joined("", path).ok_or_else(|| {
        Mistake::new(
            format!("`{}` is outside the build context", quoted(path)),
            OUTSIDE,
        )
    })
}

/// The mistake of naming a file of the user's machine.
pub(super) fn on_a_machine(path: &str) -> Mistake {
    Mistake::new(
        format!(
            "`{}` is a local file, which the build cannot see",
            quoted(path)
        ),
        "Put it in the build context and write its path there (./demo or ./demo-1.0-py3-none-any.whl), take the package from an index, or give the URL of its file.",
    )
}
