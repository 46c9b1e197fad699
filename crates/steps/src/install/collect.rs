//! The collect step: combines the facts of all groups into those of the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::error::{Error, ErrorKind, Result};
use super::step::{Mounts, write_json};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{
    Clash, EnvironmentFacts, FACTS_FILE, GroupFacts, Notice, OwnedPaths, PATHS_FILE, Subject,
    read_owned_paths,
};
use condafront_step_spec::install::CollectSpec;

/// How many paths a notice names.
const NAMED_PATHS: usize = 5;

/// Runs the subcommand `collect` with the arguments `args`. Reads the facts of group `n` from
/// `<input>/<n>` and writes `facts.json` to the output.
///
/// # Errors
/// Facts that are missing or do not match the spec.
pub(crate) fn collect(args: &[String], mounts: &Mounts) -> Result<()> {
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
    paths: Vec<OwnedPaths>,
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
        let paths = read_owned_paths(&read(PATHS_FILE)?)
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
    let mut holders = Holders::default();
    for (index, (group, positions)) in groups.into_iter().zip(&spec.groups).enumerate() {
        let count = positions.len();
        if group.facts.packages.len() != count || group.paths.len() != count {
            return Err(mismatch(format!(
                "group {index} does not have {count} packages"
            )));
        }
        for ((position, package), paths) in
            positions.iter().zip(group.facts.packages).zip(group.paths)
        {
            holders.add(index, *position, paths);
            packages.insert(*position, package);
        }
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
    // If several groups have a file, the image has the winner's content.
    env_vars.retain(|(file, group, _)| {
        holders.winner(&format!("etc/conda/env_vars.d/{file}")) == Some(*group)
    });
    env_vars.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let packages: Vec<_> = packages.into_values().collect();
    // conda sorts by path, and all of these are in one directory.
    let activate_d: BTreeSet<String> = packages.iter().flat_map(|p| p.activate_d.clone()).collect();
    let post_link = (0..packages.len())
        .filter(|index| packages[*index].post_link)
        .collect();
    notices.extend(
        holders
            .nested_notice()
            .map(|message| Notice::new(Subject::Contents, message)),
    );
    Ok(EnvironmentFacts {
        env_vars: env_vars.into_iter().flat_map(|(.., vars)| vars).collect(),
        activate_d: activate_d.into_iter().collect(),
        post_link,
        clashes: holders.clashes(),
        notices,
        packages,
    })
}

/// Which groups have each path.
#[derive(Default)]
struct Holders {
    by_path: BTreeMap<String, Vec<Holder>>,
}

struct Holder {
    group: usize,
    position: usize,
    fingerprint: String,
}

impl Holders {
    fn add(&mut self, group: usize, position: usize, paths: OwnedPaths) {
        for (path, fingerprint) in paths {
            self.by_path.entry(path).or_default().push(Holder {
                group,
                position,
                fingerprint,
            });
        }
    }

    /// The group of the last package in the lock that has `path`.
    fn winner(&self, path: &str) -> Option<usize> {
        let holders = self.by_path.get(path)?;
        let latest = holders.iter().max_by_key(|holder| holder.position)?;
        Some(latest.group)
    }

    /// The paths that groups have with different contents.
    fn clashes(&self) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for (path, holders) in &self.by_path {
            let Some(winner) = self.winner(path) else {
                continue;
            };
            let same = holders
                .windows(2)
                .all(|pair| pair[0].fingerprint == pair[1].fingerprint);
            if !same {
                clashes.push(Clash {
                    path: path.clone(),
                    winner,
                });
            }
        }
        clashes
    }

    /// A notice if a path of one group is below a file or link of another: layers cannot reproduce
    /// what a single install does with that.
    fn nested_notice(&self) -> Option<String> {
        let nested: Vec<&str> = self
            .by_path
            .keys()
            .filter(|path| {
                path.match_indices('/')
                    .any(|(end, _)| self.by_path.contains_key(&path[..end]))
            })
            .filter(|path| self.is_nested_across_groups(path))
            .map(String::as_str)
            .collect();
        let named = nested.get(..NAMED_PATHS.min(nested.len()))?.join(", ");
        (!nested.is_empty()).then(|| {
            format!(
                "{} files are below a path that is a file or link in another package, and may be \
                 missing or hide it: {named}",
                nested.len()
            )
        })
    }

    fn is_nested_across_groups(&self, path: &str) -> bool {
        let groups = |path: &str| -> BTreeSet<usize> {
            let holders = self.by_path.get(path);
            holders.into_iter().flatten().map(|h| h.group).collect()
        };
        let own = groups(path);
        path.match_indices('/').any(|(end, _)| {
            groups(&path[..end])
                .iter()
                .any(|group| !own.contains(group))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_step_spec::facts::PackageFacts;

    /// A group of one package per list of `path=fingerprint`.
    fn group(packages: &[(&str, &[&str])]) -> Group {
        let paths = packages.iter().map(|(_, paths)| {
            let split = |path: &&str| {
                let (path, fingerprint) = path.split_once('=').unwrap();
                (path.to_owned(), fingerprint.to_owned())
            };
            paths.iter().map(split).collect()
        });
        let facts = packages.iter().map(|(name, _)| PackageFacts {
            name: (*name).to_owned(),
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
    fn a_file_below_another_groups_link_is_noticed() {
        let link = || group(&[("a", &["lib64=1"])]);
        let file = || group(&[("b", &["lib64/x=1"])]);
        let facts = join_all(&[vec![0], vec![1]], vec![link(), file()]);
        assert_eq!(facts.notices.len(), 1, "{:?}", facts.notices);
        let both = group(&[("a", &["lib64=1"]), ("b", &["lib64/x=1"])]);
        assert!(join_all(&[vec![0, 1]], vec![both]).notices.is_empty());
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
