//! The headers by which clients recognize files that they already have.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::fault::matches;

/// Which of the headers `ETag` and `Last-Modified` responses have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validators {
    /// Both.
    Both,
    /// None.
    None,
    /// `ETag` alone.
    ETag,
    /// `Last-Modified` alone.
    LastModified,
    /// Both, and others each time.
    Changing,
    /// Both, and the same for whatever is sent.
    Same,
}

impl Validators {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Both,
        Self::None,
        Self::ETag,
        Self::LastModified,
        Self::Changing,
        Self::Same,
    ];
}

/// The headers' values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) etag: Option<String>,
    pub(super) modified: Option<SystemTime>,
}

impl Version {
    pub(super) fn new(etag: String, modified: SystemTime) -> Self {
        Self {
            etag: Some(etag),
            modified: Some(modified),
        }
    }

    /// What a response for `path` has instead.
    pub(super) fn chosen(self, rules: &[(String, Validators)], path: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let rule = rules.iter().find(|(pattern, _)| matches(pattern, path));
        match rule.map_or(Validators::Both, |(_, validators)| *validators) {
            Validators::Both => self,
            Validators::None => Self::default(),
            Validators::ETag => Self {
                modified: None,
                ..self
            },
            Validators::LastModified => Self { etag: None, ..self },
            Validators::Changing => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let modified = UNIX_EPOCH + Duration::from_secs(number);
                Self::new(format!("\"changing-{number}\""), modified)
            }
            Validators::Same => Self::new("\"same\"".to_owned(), UNIX_EPOCH),
        }
    }
}
