//! The hash after a URL in an explicit lock.

use std::sync::Arc;

use crate::locked::address;
use condafront_model::package::Package;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, SourceFile};

/// The URL in a line, and what follows it: spaces, `#` and the hash.
pub(super) fn parts(line: &str) -> (&str, &str) {
    let (url, _) = line.split_at(line.find('#').unwrap_or(line.len()));
    line.split_at(url.trim_end().len())
}

/// The package with the hash that follows its URL, if one does: `#` and the hash.
pub(super) fn with_hash(
    package: Package,
    rest: &str,
    file: &Arc<SourceFile>,
) -> Result<Package, Diagnostic> {
    let hash = rest.trim_start().trim_start_matches('#').trim();
    if ["", "sha256:", "md5:"].contains(&hash) {
        return Ok(package);
    }
    let hashes = address::parse_hash(hash).ok_or_else(|| {
        let (message, help) = not_a_hash(rest, hash);
        Diagnostic::new(message).at(file, package.lines).help(help)
    })?;
    Ok(Package { hashes, ..package })
}

/// Why `rest`, which follows a URL, is not the `hash` that it should be, and what to do.
fn not_a_hash(rest: &str, hash: &str) -> (String, String) {
    let shown = redact::quoted(rest.trim());
    if rest.trim_end().contains(char::is_whitespace) {
        return (
            format!("`{shown}` is not a hash: a comment must be on a line of its own"),
            "Move the comment to the line above.".to_owned(),
        );
    }
    // As pip writes them.
    for (kind, meant) in [("sha256=", "sha256:"), ("md5=", "")] {
        if let Some(digits) = hash.strip_prefix(kind) {
            return (
                format!("`{shown}` is not a valid hash"),
                format!("Write #{meant}{}", redact::in_full(digits)),
            );
        }
    }
    let digits = hash.rsplit(':').next().unwrap_or(hash);
    let help =
        "Write #<32 hex digits> for MD5, #sha256:<64 hex digits> or #<64 hex digits> for SHA-256.";
    let message = if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let count = digits.len();
        format!("`{shown}` is not a valid hash: it has {count} hex digits")
    } else {
        format!("`{shown}` is not a valid hash")
    };
    (message, help.to_owned())
}
