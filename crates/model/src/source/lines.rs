//! Places in a text.

/// A range of whole lines of a file, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lines {
    /// The first line.
    pub first: u32,
    /// The last line, not before the first.
    pub last: u32,
}

impl Lines {
    /// One line.
    pub fn one(line: usize) -> Self {
        let line = u32::try_from(line).unwrap_or(u32::MAX).max(1);
        Self {
            first: line,
            last: line,
        }
    }
}
