//! What is in files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::install::error::{Error, Result};

/// Whether two files have the same bytes.
///
/// # Errors
/// An I/O error.
pub(crate) fn equal(one: &Path, other: &Path) -> Result<bool> {
    const PIECE: usize = 64 << 10;
    let open = |path: &Path| File::open(path).map_err(|e| Error::io("read", path, e));
    let (mut left, mut right) = (open(one)?, open(other)?);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    loop {
        for (file, path, piece) in [(&mut left, one, &mut a), (&mut right, other, &mut b)] {
            piece.clear();
            let limit = u64::try_from(PIECE).unwrap_or(u64::MAX);
            file.take(limit)
                .read_to_end(piece)
                .map_err(|e| Error::io("read", path, e))?;
        }
        if a != b {
            return Ok(false);
        }
        if a.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_compared_to_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, last: u8| {
            let path = dir.path().join(name);
            let mut bytes = vec![1; 200_000];
            bytes.push(last);
            fs::write(&path, bytes).unwrap();
            path
        };
        let (a, b, c) = (file("a", 1), file("b", 1), file("c", 2));
        assert!(equal(&a, &b).unwrap());
        assert!(!equal(&a, &c).unwrap());
    }
}
