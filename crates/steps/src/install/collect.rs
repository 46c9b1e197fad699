//! The collect step: combines the facts of all groups into those of the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::error::{Error, ErrorKind, Result};
use super::mounts::Mounts;
use super::overwritten::overwritten;
use super::step::write_json;
use super::tree::Tree;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{
    EnvironmentFacts, FACTS_FILE, GroupFacts, PATHS_FILE, PackagePaths, read_paths,
};
use condafront_step_spec::install::CollectSpec;

/// Runs the subcommand `collect` with the arguments `args`. Reads the facts of group `n` from
/// `<input>/<n>` and writes `facts.json` to the output.
///
/// # Errors
/// Facts that are missing or do not match the spec.
pub fn collect(args: &[String], mounts: &Mounts) -> Result<()> {
    let (spec, _) = CollectSpec::from_args(args)?;
    let groups = (0..spec.groups.len())
        .map(|index| Group::read(&mounts.input.join(index.to_string())))
        .collect::<Result<Vec<_>>>()?;
    let facts = join(&spec, groups)?;
    write_json(&mounts.output.join(FACTS_FILE), &facts)
}

/// The output of one install step.
struct Group {
    facts: GroupFacts,
    paths: Vec<PackagePaths>,
}

impl Group {
    fn read(dir: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = dir.join(name);
            fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))
        };
        let facts = serde_json::from_str(&read(FACTS_FILE)?).map_err(|e| {
            mismatch(format!("{}: {e}", dir.join(FACTS_FILE).display())).caused_by(e)
        })?;
        let paths = read_paths(&read(PATHS_FILE)?)
            .ok_or_else(|| mismatch(format!("{}: not a list", dir.join(PATHS_FILE).display())))?;
        Ok(Group { facts, paths })
    }
}

fn mismatch(why: String) -> Error {
    Error::new(
        ErrorKind::MissingInput,
        format!("the facts of a layer group cannot be used: {why}"),
    )
}

fn join(spec: &CollectSpec, groups: Vec<Group>) -> Result<EnvironmentFacts> {
    let mut packages = BTreeMap::new();
    let mut env_vars = Vec::new();
    let mut notices = Vec::new();
    let mut paths = Vec::new();
    for (index, (group, positions)) in groups.into_iter().zip(&spec.groups).enumerate() {
        let count = positions.len();
        if group.facts.packages.len() != count || group.paths.len() != count {
            return Err(mismatch(format!(
                "group {index} does not have {count} packages"
            )));
        }
        packages.extend(positions.iter().copied().zip(group.facts.packages));
        paths.push(positions.iter().copied().zip(group.paths).collect());
        let files = group.facts.env_vars.into_iter();
        env_vars.extend(files.map(|(file, vars)| (file, index, vars)));
        for mut notice in group.facts.notices {
            notice.package = notice
                .package
                .and_then(|index| positions.get(index).copied());
            // The same problem may affect all groups.
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
    }
    let names: BTreeMap<usize, String> = packages
        .iter()
        .map(|(position, package)| (*position, format!("{} {}", package.name, package.version)))
        .collect();
    let name = |position: usize| names.get(&position).cloned().unwrap_or_default();
    let tree = Tree::new(&paths).map_err(|conflict| Error::conflict(&conflict, name))?;
    // If several groups have a file, the image has the winner's content.
    env_vars.retain(|(file, group, _)| {
        tree.group_of(&format!("etc/conda/env_vars.d/{file}")) == Some(*group)
    });
    env_vars.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    notices.extend(overwritten(&tree, name));
    let packages: Vec<_> = packages.into_values().collect();
    // conda sorts by path, and all of these are in one directory.
    let activate_d: BTreeSet<String> = packages.iter().flat_map(|p| p.activate_d.clone()).collect();
    let post_link = (0..packages.len())
        .filter(|index| packages[*index].post_link)
        .collect();
    Ok(EnvironmentFacts {
        env_vars: env_vars.into_iter().flat_map(|(.., vars)| vars).collect(),
        activate_d: activate_d.into_iter().collect(),
        post_link,
        clashes: tree.clashes(),
        notices,
        packages,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_step_spec::facts::{
        Clash, Fingerprint, Notice, PackageFacts, PathFacts, Subject,
    };

    /// A group of one package per list of `path=content`, `path>target` for a link, or `path/` for a directory.
    fn group(packages: &[(&str, &[&str])]) -> Group {
        let found = |path: &&str| {
            let fingerprint = |content: &str| Fingerprint::new(content, Some(0o644), 7);
            if let Some(path) = path.strip_suffix('/') {
                return (path.to_owned(), PathFacts::Directory);
            }
            let (path, link, content) = match path.split_once('>') {
                Some((path, target)) => (path, Some(target.to_owned()), target),
                None => {
                    let (path, content) = path.split_once('=').unwrap();
                    (path, None, content)
                }
            };
            let fingerprint = fingerprint(content);
            (path.to_owned(), PathFacts::File { fingerprint, link })
        };
        let paths = packages
            .iter()
            .map(|(_, paths)| paths.iter().map(found).collect());
        let facts = packages.iter().map(|(name, _)| PackageFacts {
            name: (*name).to_owned(),
            version: "1.0".into(),
            ..PackageFacts::default()
        });
        Group {
            facts: GroupFacts {
                packages: facts.collect(),
                ..GroupFacts::default()
            },
            paths: paths.collect(),
        }
    }

    fn join_all(groups: &[Vec<usize>], facts: Vec<Group>) -> EnvironmentFacts {
        let spec = CollectSpec {
            groups: groups.to_vec(),
        };
        join(&spec, facts).unwrap()
    }

    #[test]
    fn packages_are_in_lock_order() {
        let facts = join_all(
            &[vec![1, 2], vec![0]],
            vec![group(&[("b", &[]), ("c", &[])]), group(&[("a", &[])])],
        );
        let names: Vec<&str> = facts.packages.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn the_latest_in_the_lock_wins_and_equal_files_do_not_clash() {
        let facts = join_all(
            &[vec![0, 3], vec![1], vec![2]],
            vec![
                group(&[("a", &["x=1", "same=1"]), ("d", &["y=4"])]),
                group(&[("b", &["x=2", "y=2", "same=1"])]),
                group(&[("c", &["y=3"])]),
            ],
        );
        let clash = |path: &str, winner| Clash {
            path: path.into(),
            winner,
            from: None,
            is_empty: false,
        };
        assert_eq!(facts.clashes, [clash("x", 1), clash("y", 0)]);
    }

    #[test]
    fn variables_and_scripts_are_in_condas_order() {
        let mut one = group(&[("a", &["etc/conda/env_vars.d/z.json=1"])]);
        let mut two = group(&[("b", &["etc/conda/env_vars.d/a.json=1"])]);
        let vars = |value: &str| BTreeMap::from([("V".to_owned(), value.to_owned())]);
        one.facts.env_vars.insert("z.json".into(), vars("from z"));
        two.facts.env_vars.insert("a.json".into(), vars("from a"));
        one.facts.packages[0].activate_d = vec!["etc/conda/activate.d/z.sh".into()];
        two.facts.packages[0].activate_d = vec!["etc/conda/activate.d/a.sh".into()];
        one.facts.packages[0].post_link = true;
        let facts = join_all(&[vec![1], vec![0]], vec![one, two]);
        assert_eq!(facts.env_vars["V"], "from z");
        assert_eq!(
            facts.activate_d,
            ["etc/conda/activate.d/a.sh", "etc/conda/activate.d/z.sh"]
        );
        assert_eq!(facts.post_link, [1]);
    }

    #[test]
    fn what_is_below_another_groups_link_is_picked() {
        let link = || group(&[("a", &["lib64>lib", "lib/y=1"])]);
        let below = || group(&[("b", &["lib64/x=1", "lib64/y=2", "lib64/empty/"])]);
        let picked = |path: &str, winner, from: &str| Clash {
            path: path.into(),
            winner,
            from: Some(from.to_owned()).filter(|from| from != path),
            is_empty: false,
        };
        for (link_at, below_at) in [(0, 1), (1, 0)] {
            let mut facts = vec![link(), below()];
            if link_at == 1 {
                facts.reverse();
            }
            let mut expected = vec![
                picked("lib/empty", below_at, "lib64/empty"),
                picked("lib/x", below_at, "lib64/x"),
                picked("lib64", link_at, "lib64"),
            ];
            // The last package in the lock has `lib/y`; if that is the one with the link, its layer shows it.
            if below_at == 1 {
                expected.insert(2, picked("lib/y", below_at, "lib64/y"));
            }
            assert_eq!(join_all(&[vec![0], vec![1]], facts).clashes, expected);
        }
        let both = group(&[("a", &["lib64>lib"]), ("b", &["lib64/x=1"])]);
        assert!(join_all(&[vec![0, 1]], vec![both]).clashes.is_empty());
    }

    #[test]
    fn what_does_not_fit_into_one_tree_is_an_error_for_any_layers() {
        for (one, other, why) in [
            (
                &["x=1"][..],
                &["x/y=1"][..],
                "b 1.0 and a 1.0 cannot be installed together: b 1.0 has `x/y`, but `x` is a file of a 1.0",
            ),
            (
                &["x=1"],
                &["x/"],
                "b 1.0 and a 1.0 cannot be installed together: b 1.0 has `x`, but `x` is a file of a 1.0",
            ),
            (
                &["d>f", "f=1"],
                &["d/y=1"],
                "b 1.0 and a 1.0 cannot be installed together: b 1.0 has `d/y`, but `f` is a file of a 1.0",
            ),
            (
                &["d>conda-meta"],
                &["d/y.json=1"],
                "b 1.0 and a 1.0 cannot be installed together: b 1.0 has `d/y.json`, but `d`, a link of a 1.0, points to a directory that packages may not use",
            ),
            (
                &["d>e", "e>d"],
                &["d/y=1"],
                "b 1.0 and a 1.0 cannot be installed together: b 1.0 has `d/y`, but `d`, a link of a 1.0, points to itself",
            ),
            (
                &["d/d/d>../..", "up>d/d/d/.."],
                &["up/y=1"],
                "b 1.0 and a 1.0 cannot be installed together: b 1.0 has `up/y`, but `d/d/d`, a link of a 1.0, points to a directory that packages may not use",
            ),
        ] {
            let apart = || vec![group(&[("a", one)]), group(&[("b", other)])];
            let together = || vec![group(&[("a", one), ("b", other)])];
            for (groups, facts) in [
                (vec![vec![0], vec![1]], apart()),
                (vec![vec![0, 1]], together()),
            ] {
                let error = join(&CollectSpec { groups }, facts).unwrap_err();
                assert_eq!(error.to_string(), why);
                assert_eq!(error.packages().collect::<Vec<_>>(), [1, 0]);
            }
        }
        let links = [
            ("a", &["d>share"][..]),
            ("b", &["d>lib"]),
            ("c", &["d/x=1"]),
        ];
        let facts = || links.iter().map(|one| group(&[*one])).collect();
        let groups = vec![vec![0], vec![1], vec![2]];
        let error = join(&CollectSpec { groups }, facts()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "c 1.0 and b 1.0 cannot be installed together: c 1.0 has `d/x`, but `d` is a link of b 1.0 and a different one of another package"
        );
    }

    #[test]
    fn files_in_place_of_another_packages_are_noticed() {
        let notices = |one: &[&str], other: &[&str]| -> Vec<String> {
            let apart = vec![group(&[("a", one)]), group(&[("b", other)])];
            let apart = join_all(&[vec![0], vec![1]], apart).notices;
            let together = join_all(&[vec![0, 1]], vec![group(&[("a", one), ("b", other)])]);
            assert_eq!(apart, together.notices);
            assert!(apart.iter().all(|notice| notice.package == Some(1)));
            apart.into_iter().map(|notice| notice.message).collect()
        };
        assert_eq!(
            notices(&["bin/python3.11=1", "x=1"], &["bin/python3.11=2", "x=1"]),
            ["bin/python3.11 of b 1.0 replaces the file of a 1.0"]
        );
        assert_eq!(
            notices(&["x=1", "y=1"], &["x>z", "y=2"]),
            ["2 files of b 1.0 replace those of a 1.0: x and y"]
        );
        assert_eq!(
            notices(&["p=1", "q=1", "r=1", "s=1"], &["p=2", "q=2", "r=2", "s=2"]),
            ["4 files of b 1.0 replace those of a 1.0: p, q, r and 1 more"]
        );
        assert_eq!(
            notices(&["d>lib", "lib/x=1"], &["d/x=2"]),
            ["lib/x of b 1.0 replaces the file of a 1.0"]
        );
        for path in [
            "lib/python3.13/site-packages/ns/__init__.py",
            "lib/python3.13/site-packages/a/__pycache__/x.cpython-313.pyc",
            "lib/python3.13/site-packages/tests/conftest.py",
            "lib/python3.13/site-packages/a/tests/conftest.py",
            "lib/python3.13/site-packages/README.md",
            "lib/python3.13/site-packages/LICENSE",
            "share/doc/x/index.html",
            "share/licenses/x/COPYING",
            "share/info/dir",
        ] {
            let (one, other) = (format!("{path}=1"), format!("{path}=2"));
            assert!(notices(&[&one], &[&other]).is_empty(), "{path}");
        }
    }

    #[test]
    fn notices_keep_their_package_and_are_given_once() {
        let general = Notice::new(Subject::Bytecode, "no python");
        let mut one = group(&[("a", &[])]);
        let mut two = group(&[("b", &[])]);
        one.facts.notices = vec![general.clone()];
        two.facts.notices = vec![
            general.clone(),
            Notice::new(Subject::Contents, "odd").of_package(0),
        ];
        let facts = join_all(&[vec![1], vec![0]], vec![one, two]);
        let odd = Notice::new(Subject::Contents, "odd").of_package(0);
        assert_eq!(facts.packages[0].name, "b");
        assert_eq!(facts.notices, [general, odd]);
    }

    #[test]
    fn facts_that_do_not_fit_are_an_error() {
        let spec = CollectSpec {
            groups: vec![vec![0, 1]],
        };
        assert!(join(&spec, vec![group(&[("a", &[])])]).is_err());
    }
}
