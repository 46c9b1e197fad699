//! Running a function on every item of a list, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::install::error::Result;

/// Runs `work` on every item and returns the results in the items' order. rayon has a thread for each core that the
/// step may use.
///
/// # Errors
/// The error of the first item in the list that fails. Items after it that are not yet started are skipped.
pub(crate) fn try_map<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(usize, &T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let failed = AtomicUsize::new(usize::MAX);
    let done: Vec<Option<Result<R>>> = items
        .par_iter()
        .enumerate()
        // One item can take much longer than the others; none should wait behind it while a thread is idle.
        .with_max_len(1)
        .map(|(index, item)| {
            if index > failed.load(Ordering::Relaxed) {
                return None;
            }
            let result = work(index, item);
            if result.is_err() {
                failed.fetch_min(index, Ordering::Relaxed);
            }
            Some(result)
        })
        .collect();
    // What is skipped comes after an error.
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::try_map;
    use crate::install::error::{Error, ErrorKind};

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        let doubled = try_map(&items, |index, item| Ok(index + item)).unwrap();
        assert_eq!(doubled, (0..100).map(|n| 2 * n).collect::<Vec<_>>());
        assert!(try_map(&[], |_, (): &()| Ok(())).unwrap().is_empty());
    }

    #[test]
    fn the_first_failing_item_is_reported() {
        let items: Vec<usize> = (0..1000).collect();
        for _ in 0..20 {
            let error = try_map(&items, |_, item| match item % 7 {
                5 => Err(Error::new(ErrorKind::Link, item.to_string())),
                _ => Ok(()),
            });
            assert_eq!(error.unwrap_err().to_string(), "5");
        }
    }
}
