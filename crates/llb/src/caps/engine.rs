//! The BuildKit versions in Docker Engine releases.

use std::fmt;

/// A version, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Version {
    /// A version with these first two numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

/// The Docker Engine releases with a newer BuildKit 0.x than the one before,
/// and that x (`vendor.mod` or `go.mod` of moby/moby).
const ENGINES: &[(Version, u16)] = &[
    (Version::new(23, 0), 10),
    (Version::new(24, 0), 11),
    (Version::new(25, 0), 12),
    (Version::new(26, 0), 13),
    (Version::new(27, 0), 14),
    (Version::new(27, 1), 15),
    (Version::new(27, 3), 16),
    (Version::new(27, 4), 17),
    (Version::new(27, 5), 18),
    (Version::new(28, 0), 20),
    (Version::new(28, 1), 21),
    (Version::new(28, 2), 22),
    (Version::new(28, 3), 23),
    (Version::new(28, 4), 24),
    (Version::new(28, 5), 25),
    (Version::new(29, 1), 26),
    (Version::new(29, 2), 27),
    (Version::new(29, 3), 28),
    (Version::new(29, 4), 29),
    (Version::new(29, 5), 30),
    (Version::new(29, 6), 31),
    (Version::new(29, 7), 32),
];

/// The first Docker Engine with at least this BuildKit, if one is known.
///
/// Engines before 23.0 have a BuildKit between 0.8 and 0.10 and are not
/// distinguished.
pub(super) fn engine_with(buildkit: Version) -> Option<Version> {
    ENGINES
        .iter()
        .find(|(_, minor)| Version::new(0, *minor) >= buildkit)
        .map(|(engine, _)| *engine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caps;

    #[test]
    fn engines_are_found_by_their_buildkit() {
        let engine = |cap: caps::Cap| cap.engine().map(|version| version.to_string());
        assert_eq!(engine(caps::MERGE_OP).as_deref(), Some("23.0"));
        assert_eq!(engine(caps::FILE_SYMLINK_CREATE).as_deref(), Some("28.0"));
        assert_eq!(engine(caps::SOURCE_IMAGE_CHECKSUM).as_deref(), Some("28.5"));
        assert_eq!(engine_with(Version::new(0, 99)), None);
    }

    #[test]
    fn engines_are_in_order() {
        assert!(ENGINES.is_sorted());
        assert!(ENGINES.is_sorted_by_key(|(_, minor)| minor));
    }
}
