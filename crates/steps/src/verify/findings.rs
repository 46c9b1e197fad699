//! What is different, in bounded memory: an image to check can have any number of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use condafront_model::redact::shortened;
use condafront_step_spec::verify::{Finding, Reason};

/// The longest path that is shown, in characters.
const LONGEST: usize = 400;

/// The first paths that are different, and how many there are.
#[derive(Debug)]
pub(super) struct Findings {
    first: BTreeMap<PathBuf, (Reason, String)>,
    most: usize,
    count: usize,
}

impl Findings {
    /// None so far; at most so many are kept.
    pub(super) fn new(most: usize) -> Self {
        Self {
            first: BTreeMap::new(),
            most,
            count: 0,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds one. A path keeps its first.
    pub(super) fn add(&mut self, path: &Path, reason: Reason, text: String) {
        if self.first.contains_key(path) {
            return;
        }
        self.count += 1;
        self.first.insert(path.to_owned(), (reason, text));
        if self.first.len() > self.most {
            self.first.pop_last();
        }
    }

    /// The first of them, by their paths. Relative ones are below `prefix`; `owner` names the package that has one.
    pub(super) fn list<'a>(
        self,
        prefix: &str,
        owner: impl Fn(&str) -> Option<&'a str>,
    ) -> Vec<Finding> {
        let place = |path: &Path| {
            if path.as_os_str().is_empty() {
                PathBuf::from(prefix)
            } else {
                Path::new(prefix).join(path)
            }
        };
        let finding = |(path, (reason, text)): (PathBuf, (Reason, String))| Finding {
            package: path.to_str().and_then(&owner).map(str::to_owned),
            path: shown(&place(&path)),
            reason,
            text,
        };
        self.first.into_iter().map(finding).collect()
    }
}

/// A path or target as a terminal may show it.
pub(super) fn shown(path: &Path) -> String {
    shortened(&path.to_string_lossy(), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_takes_bounded_memory() {
        let mut findings = Findings::new(2);
        for number in (0..1000).rev() {
            let path = PathBuf::from(format!("{number:04}\u{1b}"));
            findings.add(&path, Reason::Extra, "is new".to_owned());
        }
        assert_eq!(findings.count(), 1000);
        let paths = findings.list("/opt", |_| Some("a 1"));
        let paths: Vec<&str> = paths.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["/opt/0000\\u{1b}", "/opt/0001\\u{1b}"]);
    }
}
