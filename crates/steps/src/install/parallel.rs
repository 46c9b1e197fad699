//! Running a function on every item of a list, on all cores.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::error::Result;

/// Runs `work` on every item and returns the results in the items' order.
///
/// # Errors
/// The error of the first item in the list that failed. Items not yet started are then skipped.
pub(crate) fn try_map<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(usize, &T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(items.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(index, item);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    if let Ok(mut done) = done.lock() {
                        done.push((index, result));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|e| e.into_inner());
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::super::error::{Error, ErrorKind};
    use super::try_map;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        let doubled = try_map(&items, |index, item| Ok(index + item)).unwrap();
        assert_eq!(doubled, (0..100).map(|n| 2 * n).collect::<Vec<_>>());
        assert!(try_map(&[], |_, (): &()| Ok(())).unwrap().is_empty());
    }

    #[test]
    fn a_failure_ends_it() {
        let items = [1, 2, 3];
        let error = try_map(&items, |_, item| match item {
            2 => Err(Error::new(ErrorKind::Link, "two")),
            _ => Ok(()),
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "two");
    }
}
