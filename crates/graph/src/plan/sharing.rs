//! Which packages several environments of an image have in common, so that they can be stored once.
//!
//! An optional environment shares nothing: the image with it and the one without have the same layers of all others. It
//! counts where layers are divided even if the image does not have it, for the same reason.

use condafront_model::layers::Layers;
use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use super::groups::{self, Group};
use condafront_model::package::Package;

/// The packages of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The packages.
    pub packages: Vec<Package>,
    /// Whether there are variants of the image without this environment.
    pub is_optional: bool,
}

/// With more sets of packages than this, nothing is shared: each set takes at least one layer.
const MOST_SETS: usize = 40;

/// The plans of an image's environments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plans {
    /// One per environment.
    pub plans: Vec<Plan>,
    /// Groups of identical packages.
    pub shared: Vec<Shared>,
}

/// A group of packages that several environments have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The environments, each with the number of its group, in ascending order; at least two.
    pub groups: Vec<(usize, usize)>,
}

/// What distinguishes a package's archive from others.
type Archive<'a> = (String, Option<&'a str>, Option<&'a str>);

fn archive(package: &Package) -> Archive<'_> {
    let hashes = &package.hashes;
    // One kind of hash is enough, and not every lock has both.
    let md5 = hashes.md5.as_deref().filter(|_| hashes.sha256.is_none());
    (package.id.file_name(), hashes.sha256.as_deref(), md5)
}

impl Plans {
    /// Plans environments, each with its list of packages. Packages that the same environments have are divided into
    /// groups of their own, which are the same in all of these. `left_out` is how many optional environments the image
    /// does not have.
    pub fn new(lists: Vec<Listed>, left_out: usize, layers: Layers) -> Self {
        let mut owners: BTreeMap<Archive<'_>, BTreeSet<usize>> = BTreeMap::new();
        let always = lists.iter().enumerate();
        for (environment, list) in always.filter(|(_, list)| !list.is_optional) {
            for package in &list.packages {
                owners
                    .entry(archive(package))
                    .or_default()
                    .insert(environment);
            }
        }
        let sets: BTreeSet<&BTreeSet<usize>> = owners.values().collect();
        let optional = lists.iter().filter(|list| list.is_optional).count() + left_out;
        let (share, sets) = match sets.len() + optional {
            sets @ 0..=MOST_SETS => (true, sets),
            _ => (false, lists.len() + left_out),
        };
        let layers = layers.divided(sets);
        let dealt: Vec<Vec<(BTreeSet<usize>, Group)>> = lists
            .iter()
            .enumerate()
            .map(|(environment, list)| {
                let alone = BTreeSet::from([environment]);
                let mut by_owners: BTreeMap<&BTreeSet<usize>, Vec<usize>> = BTreeMap::new();
                let share = share && !list.is_optional;
                for (index, package) in list.packages.iter().enumerate() {
                    let owners = owners.get(&archive(package)).filter(|_| share);
                    by_owners
                        .entry(owners.unwrap_or(&alone))
                        .or_default()
                        .push(index);
                }
                let deal = |(owners, chosen): (&BTreeSet<usize>, Vec<usize>)| {
                    let groups = groups::deal_some(&list.packages, &chosen, layers);
                    let owners = owners.clone();
                    groups.into_iter().map(move |group| (owners.clone(), group))
                };
                by_owners.into_iter().flat_map(deal).collect()
            })
            .collect();
        let shared = shared(&dealt);
        let plans = lists.into_iter().zip(dealt).map(|(list, groups)| {
            let groups = groups.into_iter().map(|(_, group)| group).collect();
            Plan::with_groups(list.packages, groups)
        });
        Self {
            plans: plans.collect(),
            shared,
        }
    }
}

/// The groups that correspond to each other. A package's size affects its group, and one environment may not know the
/// size: then its groups may have no counterpart.
fn shared(dealt: &[Vec<(BTreeSet<usize>, Group)>]) -> Vec<Shared> {
    let mut found = Vec::new();
    for (environment, groups) in dealt.iter().enumerate() {
        for (number, (owners, group)) in groups.iter().enumerate() {
            if owners.len() < 2 || owners.first() != Some(&environment) {
                continue;
            }
            let others = owners.iter().skip(1).filter_map(|other| {
                let mut theirs = dealt.get(*other)?.iter();
                let number = theirs.position(|(set, it)| set == owners && it.corresponds(group))?;
                Some((*other, number))
            });
            let all: Vec<_> = std::iter::once((environment, number))
                .chain(others)
                .collect();
            if all.len() > 1 {
                found.push(Shared { groups: all });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Package> {
        names.iter().map(|name| Package::example(name)).collect()
    }

    /// Environments that every variant has.
    fn always(lists: impl IntoIterator<Item = Vec<Package>>) -> Vec<Listed> {
        let listed = |packages| Listed {
            packages,
            is_optional: false,
        };
        lists.into_iter().map(listed).collect()
    }

    /// The names in each shared group, and whose they are.
    fn described(plans: &Plans) -> Vec<(Vec<usize>, Vec<String>)> {
        let names = |(environment, group): &(usize, usize)| -> Vec<String> {
            let plan = &plans.plans[*environment];
            let packages = plan.groups[*group].packages.iter();
            let mut names: Vec<_> = packages
                .map(|index| plan.packages[*index].id.name.clone())
                .collect();
            names.sort();
            names
        };
        plans
            .shared
            .iter()
            .map(|shared| {
                let first = names(&shared.groups[0]);
                assert!(shared.groups.iter().all(|group| names(group) == first));
                let owners = shared.groups.iter().map(|(owner, _)| *owner);
                (owners.collect(), first)
            })
            .collect()
    }

    #[test]
    fn an_environment_alone_shares_nothing() {
        let packages = list(&["python", "numpy", "six"]);
        let plans = Plans::new(always([packages.clone()]), 0, Layers::Auto);
        assert!(plans.shared.is_empty());
        let alone = Plan::new(packages, Layers::Auto);
        assert_eq!(plans.plans, [alone]);
    }

    #[test]
    fn equal_packages_are_in_groups_of_their_own() {
        let lists = always([
            list(&["python", "numpy", "zlib"]),
            list(&["zlib", "python", "scipy"]),
            list(&["r-base", "zlib"]),
        ]);
        let plans = Plans::new(lists, 0, Layers::AtMost(1));
        let shared = [
            (vec![0, 1], vec!["python".to_owned()]),
            (vec![0, 1, 2], vec!["zlib".to_owned()]),
        ];
        assert_eq!(described(&plans), shared);
        for plan in &plans.plans {
            let mut all: Vec<usize> = plan
                .groups
                .iter()
                .flat_map(|g| g.packages.clone())
                .collect();
            all.sort_unstable();
            assert_eq!(all, (0..plan.packages.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_optional_environment_changes_no_layer_of_the_others() {
        let names: Vec<String> = (0..150).map(|number| format!("p{number}")).collect();
        let part = |from: usize, to: usize| -> Vec<Package> {
            let names = names[from..to].iter();
            names.map(|name| Package::example(name)).collect()
        };
        let others = always([part(0, 90), part(20, 120)]);
        let optional = [part(10, 150), part(0, 100)].map(|packages| Listed {
            packages,
            is_optional: true,
        });
        let without = Plans::new(others.clone(), 2, Layers::Auto);
        assert!(!without.shared.is_empty());
        for with in [&optional[..1], &optional[1..], &optional[..]] {
            let all = [&others[..], with].concat();
            let plans = Plans::new(all, optional.len() - with.len(), Layers::Auto);
            assert_eq!(plans.plans[..2], without.plans);
            assert_eq!(plans.shared, without.shared);
        }
    }

    #[test]
    fn another_archive_of_the_same_name_is_not_shared() {
        let mut other = list(&["python"]);
        other[0].hashes.sha256 = Some("f".repeat(64));
        let lists = always([list(&["python"]), other]);
        let plans = Plans::new(lists, 0, Layers::Auto);
        assert!(plans.shared.is_empty());
    }

    #[test]
    fn layers_stay_few() {
        let names: Vec<String> = (0..400).map(|number| format!("p{number}")).collect();
        let lists: Vec<Vec<Package>> = (0..6)
            .map(|environment| {
                let mine = names.iter().enumerate();
                let mine = mine.filter(|(number, _)| number % 7 >= environment);
                mine.map(|(_, name)| Package::example(name)).collect()
            })
            .collect();
        let plans = Plans::new(always(lists), 0, Layers::Auto);
        let all: usize = plans.plans.iter().map(|plan| plan.groups.len()).sum();
        let doubles: usize = plans.shared.iter().map(|it| it.groups.len() - 1).sum();
        assert!(
            all - doubles <= usize::from(condafront_model::layers::MAX_LAYERS),
            "{all} {doubles}"
        );
    }
}
