//! The order in which packages are linked: a package's dependencies come before it.
//!
//! If two packages contain the same file, the later one wins, so the order affects what is in an environment. It depends
//! only on the names and dependencies of the packages, not on the order in which a file or a solver lists them.

use std::collections::{BTreeMap, HashMap};

use crate::package::Package;

/// The package that must be in the prefix before `noarch: python` packages are linked.
const PYTHON: &str = "python";

/// Sorts packages into link order. `depends` maps the name of each package to its dependencies, as names or MatchSpecs;
/// dependencies that are not among the packages (such as virtual packages) are ignored.
///
/// Python and its dependencies come first, then all others by name, each right after its own dependencies. In a cycle
/// with python (python needs pip, pip needs python), nothing that directly depends on python comes before it. Other
/// cycles are cut where they are first entered.
pub fn link_order(
    mut packages: Vec<Package>,
    depends: &BTreeMap<String, Vec<String>>,
) -> Vec<Package> {
    packages.sort_by(|a, b| a.id.name.cmp(&b.id.name));
    let order = Walk::new(&packages, depends).order();
    let mut slots: Vec<Option<Package>> = packages.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|index| slots[index].take())
        .collect()
}

/// The name in a MatchSpec: `numpy` in `conda-forge::numpy >=2,<3`.
fn dependency_name(spec: &str) -> &str {
    let spec = spec.rsplit_once("::").map_or(spec, |(_, rest)| rest).trim();
    let ends = |c: char| c.is_whitespace() || "=<>!~[;,|".contains(c);
    spec.split(ends).next().unwrap_or_default()
}

/// A walk over packages sorted by name that visits each package's dependencies before the package.
struct Walk {
    /// The indices of each package's dependencies, ascending.
    depends: Vec<Vec<usize>>,
    python: Option<usize>,
    wants_python: Vec<bool>,
    seen: Vec<bool>,
    order: Vec<usize>,
}

impl Walk {
    fn new(packages: &[Package], depends: &BTreeMap<String, Vec<String>>) -> Self {
        let mut index: HashMap<&str, usize> = HashMap::with_capacity(packages.len());
        for (i, package) in packages.iter().enumerate() {
            index.entry(package.id.name.as_str()).or_insert(i);
        }
        let depends: Vec<Vec<usize>> = packages
            .iter()
            .map(|package| {
                let specs = depends.get(&package.id.name).map_or(&[][..], Vec::as_slice);
                let mut found: Vec<usize> = specs
                    .iter()
                    .filter_map(|spec| index.get(dependency_name(spec)).copied())
                    .collect();
                found.sort_unstable();
                found.dedup();
                found
            })
            .collect();
        let python = index.get(PYTHON).copied();
        Self {
            wants_python: depends
                .iter()
                .map(|found| python.is_some_and(|python| found.binary_search(&python).is_ok()))
                .collect(),
            seen: vec![false; packages.len()],
            order: Vec::with_capacity(packages.len()),
            depends,
            python,
        }
    }

    fn order(mut self) -> Vec<usize> {
        if let Some(python) = self.python {
            self.visit(python, true);
        }
        for index in 0..self.seen.len() {
            self.visit(index, false);
        }
        self.order
    }

    /// Adds `start` after all its dependencies. Not recursive: a chain may be as long as the list.
    fn visit(&mut self, start: usize, before_python: bool) {
        if std::mem::replace(&mut self.seen[start], true) {
            return;
        }
        let mut open = vec![(start, 0)];
        while let Some((index, next)) = open.last_mut() {
            let Some(&dependency) = self.depends[*index].get(*next) else {
                self.order.push(*index);
                open.pop();
                continue;
            };
            *next += 1;
            if self.seen[dependency] || (before_python && self.wants_python[dependency]) {
                continue;
            }
            self.seen[dependency] = true;
            open.push((dependency, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(graph: &[(&str, &[&str])]) -> Vec<String> {
        let packages = graph
            .iter()
            .map(|(name, _)| Package::example(name))
            .collect();
        let depends = graph
            .iter()
            .map(|(name, specs)| {
                let specs = specs.iter().map(|spec| (*spec).to_owned()).collect();
                ((*name).to_owned(), specs)
            })
            .collect();
        let sorted = link_order(packages, &depends);
        sorted.into_iter().map(|package| package.id.name).collect()
    }

    #[test]
    fn dependencies_come_first_and_python_before_what_needs_it() {
        let graph: &[(&str, &[&str])] = &[
            (
                "numpy",
                &["python >=3.12,<3.13.0a0", "libblas", "__glibc >=2.17"],
            ),
            ("pip", &["python", "setuptools"]),
            ("attrs", &["python >=3.9"]),
            ("setuptools", &["python"]),
            ("python", &["openssl", "pip", "zlib"]),
            ("libblas", &["conda-forge::openblas=0.3"]),
            ("openblas", &[]),
            ("zlib", &[]),
            ("openssl", &["ca-certificates"]),
            ("ca-certificates", &[]),
        ];
        let expected = [
            "ca-certificates",
            "openssl",
            "zlib",
            "python",
            "attrs",
            "openblas",
            "libblas",
            "numpy",
            "setuptools",
            "pip",
        ];
        assert_eq!(order(graph), expected);
        let mut reversed = graph.to_vec();
        reversed.reverse();
        assert_eq!(order(&reversed), expected);
    }

    #[test]
    fn cycles_and_long_chains_end() {
        assert_eq!(
            order(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"])]),
            ["c", "b", "a"]
        );
        let names: Vec<String> = (0..50_000).map(|i| format!("p{i:05}")).collect();
        let packages = names.iter().map(|name| Package::example(name)).collect();
        let depends = names
            .windows(2)
            .map(|pair| (pair[0].clone(), vec![pair[1].clone()]))
            .collect();
        let sorted = link_order(packages, &depends);
        assert_eq!(sorted[0].id.name, "p49999");
    }

    #[test]
    fn names_are_found_in_every_spelling() {
        for spec in [
            "numpy",
            "numpy >=2",
            "numpy=2",
            "numpy>=2,<3",
            "conda-forge::numpy 2.* *_0",
            "conda-forge/linux-64::numpy[version='>=2']",
            "numpy ; extra",
        ] {
            assert_eq!(dependency_name(spec), "numpy", "{spec}");
        }
    }

    proptest! {
        #[test]
        fn every_package_is_kept_after_its_dependencies(
            edges in proptest::collection::vec((0usize..20, 0usize..20), 0..60)
        ) {
            let name = |i: usize| format!("p{i:02}");
            let packages: Vec<Package> = (0..20).map(|i| Package::example(&name(i))).collect();
            let mut depends: BTreeMap<String, Vec<String>> = BTreeMap::new();
            // Without cycles: only from higher to lower numbers.
            for (a, b) in edges {
                if a > b {
                    depends.entry(name(a)).or_default().push(name(b));
                }
            }
            let sorted = link_order(packages, &depends);
            prop_assert_eq!(sorted.len(), 20);
            let place: HashMap<&str, usize> =
                sorted.iter().enumerate().map(|(i, package)| (package.id.name.as_str(), i)).collect();
            for (package, needs) in &depends {
                for need in needs {
                    prop_assert!(place[need.as_str()] < place[package.as_str()]);
                }
            }
        }
    }
}
