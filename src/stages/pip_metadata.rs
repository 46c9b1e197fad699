//! How much pip sees of the conda packages that are not in its root.
//!
//! What pip finds must not be looked for again because of a package that it does not ask about. Which it asks about is known only
//! when it has run. So a first step gets the metadata of all packages in a way that its cache key does not depend on, and says
//! what pip has asked: what it found for the packages of an earlier build is right for those of this one if the answers would be
//! the same. If not, it runs again with the packages that it asked about, until it asks about no other.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use condafront_graph::pip::Beside;
use condafront_step_spec::pip_metadata::{Consulted, PackageMetadata, with_names};

/// After this many runs, pip sees all packages.
const MOST_RUNS: usize = 5;

/// The packages that are not in pip's root, and how it sees them at the moment.
pub(super) struct Shown {
    /// All of them.
    packages: Vec<PackageMetadata>,
    now: Mutex<Now>,
}

#[derive(Clone)]
struct Now {
    how: How,
    runs: usize,
}

#[derive(Clone)]
enum How {
    /// There are none.
    Nothing,
    /// All are handed over.
    HandedOver,
    /// Those with these names.
    Named(BTreeSet<String>),
    /// All.
    All,
}

impl Shown {
    /// The root has all packages.
    pub(super) fn nothing() -> Self {
        Self::new(Vec::new(), How::Nothing)
    }

    /// At first, `packages` are handed over.
    pub(super) fn handed_over(packages: Vec<PackageMetadata>) -> Self {
        Self::new(packages, How::HandedOver)
    }

    fn new(packages: Vec<PackageMetadata>, how: How) -> Self {
        let now = Mutex::new(Now { how, runs: 1 });
        Self { packages, now }
    }

    /// What to show to pip.
    pub(super) fn beside(&self) -> Beside {
        match self.now().how {
            How::Nothing => Beside::Nothing,
            How::HandedOver => Beside::HandedOver(self.packages.clone()),
            How::Named(names) => {
                let named = with_names(Some(&names), &self.packages);
                Beside::Mounted(named.cloned().collect())
            }
            How::All => Beside::Mounted(self.packages.clone()),
        }
    }

    /// Whether pip must run again after it `consulted` these, because it does not know them as they are. Then it is shown more.
    pub(super) fn is_not_enough(&self, consulted: Option<&Consulted>) -> bool {
        let Now { how, runs } = self.now();
        if matches!(how, How::Nothing | How::All)
            || consulted.is_some_and(|it| it.is_same_in(&self.packages))
        {
            return false;
        }
        let names = consulted.and_then(|it| it.names.clone());
        let how = match (how, names) {
            (_, None) => How::All,
            _ if runs + 1 >= MOST_RUNS => How::All,
            (How::Named(earlier), Some(names)) => How::Named(&earlier | &names),
            (_, Some(names)) => How::Named(names),
        };
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = Now {
            how,
            runs: runs + 1,
        };
        true
    }

    fn now(&self) -> Now {
        let now = self.now.lock();
        now.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(names: &[&str]) -> Vec<PackageMetadata> {
        let package = |name: &&str| PackageMetadata {
            distributions: [(*name).to_owned()].into(),
            files: [(format!("{name}/METADATA"), String::new())].into(),
        };
        names.iter().map(package).collect()
    }

    /// What pip learns about these `names`, where it sees these packages.
    fn consulted(names: &[&str], seen: &[&str]) -> Consulted {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Consulted::new(Some(names), &packages(seen))
    }

    #[test]
    fn pip_runs_until_it_asks_about_nothing_else() {
        let all = ["idna", "numpy", "six"];
        let shown = Shown::handed_over(packages(&all));
        assert_eq!(shown.beside(), Beside::HandedOver(packages(&all)));
        // An earlier build found it, without numpy.
        assert!(shown.is_not_enough(Some(&consulted(&["demo", "numpy"], &["six"]))));
        assert_eq!(shown.beside(), Beside::Mounted(packages(&["numpy"])));
        // The conda package needs another.
        assert!(shown.is_not_enough(Some(&consulted(&["numpy", "six"], &["numpy"]))));
        assert_eq!(shown.beside(), Beside::Mounted(packages(&["numpy", "six"])));
        assert!(!shown.is_not_enough(Some(&consulted(&["numpy", "six"], &["numpy", "six"]))));
    }

    #[test]
    fn what_pip_did_not_ask_about_does_not_matter() {
        let shown = Shown::handed_over(packages(&["idna", "numpy"]));
        assert!(!shown.is_not_enough(Some(&consulted(&["numpy", "demo"], &["numpy", "zipp"]))));
        assert!(!Shown::nothing().is_not_enough(None));
    }

    #[test]
    fn in_doubt_pip_sees_everything() {
        let all = ["a", "b", "c", "d", "e"];
        let shown = Shown::handed_over(packages(&all));
        assert!(shown.is_not_enough(None));
        assert_eq!(shown.beside(), Beside::Mounted(packages(&all)));
        assert!(!shown.is_not_enough(None));
        // It asks about one more each time.
        let shown = Shown::handed_over(packages(&all));
        let runs = (1..=all.len()).take_while(|count| {
            shown.is_not_enough(Some(&consulted(&all[..*count], &all[..*count - 1])))
        });
        assert_eq!(runs.count(), MOST_RUNS - 1);
        assert_eq!(shown.beside(), Beside::Mounted(packages(&all)));
    }
}
