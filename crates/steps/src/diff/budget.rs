//! How much of an image is read: it may come from anyone.

use std::io;
use std::path::Path;

use super::list::List;
use crate::untrusted;

/// How many bytes of records are read.
const MOST: u64 = 512 << 20;

/// How many bytes of an image's records may still be read.
pub(super) struct Budget {
    left: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MOST }
    }
}

impl Budget {
    /// The file at `path`, as [`untrusted::read`] reads it. Once no more may be read, that is an error, and noted in `list`.
    ///
    /// # Errors
    /// As [`untrusted::read`].
    pub(super) fn read(&mut self, path: &Path, most: u64, list: &mut List) -> io::Result<Vec<u8>> {
        self.take(list, || untrusted::read(path, most))
    }

    /// The same for [`untrusted::start`].
    ///
    /// # Errors
    /// As [`Budget::read`].
    pub(super) fn start(&mut self, path: &Path, most: u64, list: &mut List) -> io::Result<Vec<u8>> {
        self.take(list, || untrusted::start(path, most))
    }

    /// Whether nothing more may be read.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn take(
        &mut self,
        list: &mut List,
        read: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        if self.is_spent() {
            let megabytes = MOST >> 20;
            list.note(&format!(
                "Only the first {megabytes} MiB of what lists its packages were read: some packages are missing here."
            ));
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let text = read()?;
        self.left = self.left.saturating_sub(text.len() as u64);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn reading_ends_and_the_report_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record");
        fs::write(&path, "12345").unwrap();
        let mut budget = Budget { left: 9 };
        let mut list = List::default();
        assert_eq!(budget.start(&path, 4, &mut list).unwrap(), b"1234");
        assert!(budget.read(&path, 4, &mut list).is_err());
        assert_eq!(budget.read(&path, 5, &mut list).unwrap(), b"12345");
        assert!(budget.is_spent() && list.take_notes().is_empty());
        assert!(budget.read(&path, 5, &mut list).is_err());
        assert!(budget.start(&path, 5, &mut list).is_err());
        assert_eq!(list.take_notes().len(), 1);
    }
}
