//! Which conda packages pip needs in order to find packages for a list.

use std::collections::{BTreeMap, BTreeSet};

use condafront_step_spec::facts::PackageFacts;

/// Distributions that pip uses if they are installed.
const USED_BY_PIP: [&str; 1] = ["keyring"];

/// The packages that must be there for pip to run as it does in the whole environment, as indices into `packages`: python and
/// pip, what runs whenever python starts, and what these need. Of all others, their metadata will do. `None` if it would not.
pub(crate) fn needed(packages: &[PackageFacts]) -> Option<BTreeSet<usize>> {
    let has_metadata = |it: &PackageFacts| it.metadata.len() == it.distributions.len();
    let of_name: BTreeMap<&str, usize> = packages
        .iter()
        .enumerate()
        .map(|(index, package)| (package.name.as_str(), index))
        .collect();
    let is_used = |package: &PackageFacts| {
        let mut distributions = package.distributions.iter();
        package.starts_with_python || distributions.any(|name| USED_BY_PIP.contains(&name.as_str()))
    };
    let used = packages.iter().enumerate().filter(|(_, it)| is_used(it));
    let mut ahead: Vec<usize> = used.map(|(index, _)| index).collect();
    ahead.extend([*of_name.get("python")?, *of_name.get("pip")?]);
    let mut needed = BTreeSet::new();
    while let Some(index) = ahead.pop() {
        if needed.insert(index) {
            let depends = packages[index].depends.iter();
            ahead.extend(depends.filter_map(|name| of_name.get(name.as_str())));
        }
    }
    let others = packages.iter().enumerate();
    let mut others = others.filter(|(index, _)| !needed.contains(index));
    let is_complete = others.all(|(_, package)| has_metadata(package));
    let are_plain = needed.iter().all(|index| !packages[*index].post_link);
    (is_complete && are_plain).then_some(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, depends: &[&str]) -> PackageFacts {
        PackageFacts {
            name: name.to_owned(),
            depends: depends.iter().map(|name| (*name).to_owned()).collect(),
            ..PackageFacts::default()
        }
    }

    fn environment() -> Vec<PackageFacts> {
        vec![
            package("zlib", &[]),
            package("openssl", &["missing"]),
            package("python", &["zlib", "openssl"]),
            package("setuptools", &["python"]),
            package("pip", &["python", "setuptools"]),
            package("r-base", &["zlib", "readline"]),
            package("readline", &[]),
        ]
    }

    #[test]
    fn python_and_pip_need_what_they_depend_on() {
        let found = needed(&environment()).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(needed(&environment()[..4]), None);
    }

    #[test]
    fn what_changes_python_or_pip_is_needed() {
        let mut packages = environment();
        packages[5].starts_with_python = true;
        assert_eq!(needed(&packages).unwrap().len(), packages.len());
        let mut packages = environment();
        packages[6].distributions.insert("keyring".to_owned());
        assert!(needed(&packages).unwrap().contains(&6));
    }

    #[test]
    fn what_only_the_whole_environment_shows_needs_all_of_it() {
        let mut packages = environment();
        packages[6].distributions.insert("old".to_owned());
        assert_eq!(needed(&packages), None);
        let metadata = (
            "lib/python3.13/site-packages/old-1.dist-info/METADATA",
            "Name: old\n",
        );
        let metadata = (metadata.0.to_owned(), metadata.1.to_owned());
        packages[6].metadata.extend([metadata]);
        assert!(needed(&packages).is_some());
        packages[4].post_link = true;
        assert_eq!(needed(&packages), None);
    }
}
