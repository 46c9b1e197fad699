//! Which packages share a layer.
//!
//! A package's layer depends on its *name* and nothing else, so no package moves to another layer when its version
//! changes or other packages come and go. Large packages get a layer of their own; a hash of the name spreads the rest
//! over a fixed number of buckets. `noarch` packages have their own buckets: they need a python to compile with, the
//! others do not.

use condafront_model::layers::Layers;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use condafront_model::package::Package;

/// Packages that count as large (over about 20 MB, or so common that sharing their layer between images pays), the
/// largest and most common first. Explicit locks do not record sizes.
const LARGE: &[&str] = &[
    "python",
    "pytorch",
    "libtorch",
    "tensorflow-base",
    "mkl",
    "cudnn",
    "libcublas",
    "libcusolver",
    "libcusparse",
    "libcufft",
    "libcurand",
    "nccl",
    "cuda-nvcc-impl",
    "triton",
    "jaxlib",
    "libllvm",
    "qt6-main",
    "qt-main",
    "openjdk",
    "r-base",
    "gcc_impl_linux-64",
    "nodejs",
    "libarrow",
    "icu",
    "scipy",
    "numpy",
    "pandas",
    "libopenblas",
    "perl",
    "polars",
    "rust",
    "go",
    "vtk-base",
    "ffmpeg",
    "opencv",
    "pyspark",
    "llvmlite",
    "sysroot_linux-64",
    "libgdal-core",
    "bokeh",
    "plotly",
    "pyside6",
    "blast",
    "samtools",
];

/// The size in bytes from which a package gets its own layer, if its size is known.
const LARGE_BYTES: u64 = 20 << 20;

/// How many layers there are of each kind. Without `noarch` buckets all packages share the native ones.
struct Budget {
    alone: u16,
    noarch: u16,
    native: u16,
}

impl Budget {
    fn of(layers: Layers) -> Self {
        match layers {
            Layers::Auto => Self {
                alone: 20,
                noarch: 16,
                native: 24,
            },
            Layers::AtMost(1) => Self {
                alone: 0,
                noarch: 0,
                native: 1,
            },
            Layers::AtMost(count) => {
                let alone = count / 3;
                let noarch = (count - alone) / 2;
                Self {
                    alone,
                    noarch,
                    native: count - alone - noarch,
                }
            }
        }
    }
}

/// What identifies a layer of packages, whatever it contains.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Alone(String),
    Native(u16),
    Noarch(u16),
}

/// Packages that are linked in one step into one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Indices into the package list, in ascending order.
    pub(crate) packages: Vec<usize>,
    title: String,
    key: Key,
}

impl Group {
    /// Whether `other` is the counterpart of this group in another list of the same packages.
    pub(crate) fn corresponds(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// The group's packages in a few words.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

/// Divides packages into groups; every package is in exactly one.
pub(crate) fn deal(packages: &[Package], layers: Layers) -> Vec<Group> {
    let all: Vec<usize> = (0..packages.len()).collect();
    deal_some(packages, &all, layers)
}

/// The same for the packages at the indices `chosen`, which are in ascending order.
pub(crate) fn deal_some(packages: &[Package], chosen: &[usize], layers: Layers) -> Vec<Group> {
    let budget = Budget::of(layers);
    let among = || chosen.iter().map(|index| (*index, &packages[*index]));
    let alone = largest(
        among().map(|(_, package)| package),
        usize::from(budget.alone),
    );
    let mut groups: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (index, package) in among() {
        let name = &package.id.name;
        let key = if alone.contains(&name.as_str()) {
            Key::Alone(name.clone())
        } else if package.is_noarch() && budget.noarch > 0 {
            Key::Noarch(bucket(name, budget.noarch))
        } else {
            Key::Native(bucket(name, budget.native))
        };
        groups.entry(key).or_default().push(index);
    }
    groups
        .into_iter()
        .map(|(key, indices)| Group {
            title: title(packages, &indices),
            packages: indices,
            key,
        })
        .collect()
}

/// The order in which the groups' layers are stacked, as indices into `groups`, lowest first; `size` is a package's
/// archive size in bytes.
///
/// When a layer changes, an engine unpacks every layer above it again. So layers that are large and hold few packages,
/// any of which may change, go to the bottom.
pub fn stacking_order(groups: &[Group], size: impl Fn(usize) -> u64) -> Vec<usize> {
    let weight = |group: &Group| {
        let count = u64::try_from(group.packages.len()).unwrap_or(u64::MAX);
        let total: u64 = group.packages.iter().map(|package| size(*package)).sum();
        total / count.max(1)
    };
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|index| Reverse(weight(&groups[*index])));
    order
}

/// The names that get their own layer.
fn largest<'a>(packages: impl Iterator<Item = &'a Package>, most: usize) -> Vec<&'a str> {
    let rank = |name: &str| LARGE.iter().position(|large| *large == name);
    let mut found: Vec<(u64, usize, &str)> = packages
        .filter_map(|package| {
            let name = package.id.name.as_str();
            let size = package.size.unwrap_or(0);
            match rank(name) {
                Some(rank) => Some((0, rank, name)),
                None if size >= LARGE_BYTES => Some((u64::MAX - size, usize::MAX, name)),
                None => None,
            }
        })
        .collect();
    found.sort_unstable();
    found.truncate(most);
    found.into_iter().map(|(_, _, name)| name).collect()
}

fn bucket(name: &str, count: u16) -> u16 {
    let digest = Sha256::digest(name.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    u16::try_from(number % u32::from(count.max(1))).unwrap_or_default()
}

/// Up to three names, then how many more.
fn title(packages: &[Package], indices: &[usize]) -> String {
    let names: Vec<&str> = indices
        .iter()
        .map(|index| packages[*index].id.name.as_str())
        .collect();
    match names.len() {
        0..=3 => names.join(", "),
        more => format!("{} and {} more", names[..2].join(", "), more - 2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use condafront_model::layers::MAX_LAYERS;

    fn names(packages: &[Package], groups: &[Group]) -> Vec<Vec<String>> {
        groups
            .iter()
            .map(|group| {
                let name = |i: &usize| packages[*i].id.name.clone();
                group.packages.iter().map(name).collect()
            })
            .collect()
    }

    #[test]
    fn one_layer_holds_all() {
        let packages: Vec<_> = ["python", "numpy", "six"].map(Package::example).into();
        let groups = deal(&packages, Layers::AtMost(1));
        assert_eq!(names(&packages, &groups), [["python", "numpy", "six"]]);
    }

    #[test]
    fn large_packages_are_alone() {
        let packages: Vec<_> = ["six", "python", "numpy"].map(Package::example).into();
        let groups = deal(&packages, Layers::Auto);
        assert!(names(&packages, &groups).contains(&vec!["python".to_owned()]));
    }

    #[test]
    fn layers_of_few_large_packages_are_lowest() {
        let group = |packages: &[usize]| Group {
            packages: packages.to_vec(),
            title: String::new(),
            key: Key::Native(0),
        };
        // The mean sizes are 1, 10, 1 and 4.
        let groups = [group(&[0, 1]), group(&[2]), group(&[3]), group(&[4, 5])];
        let sizes = [1, 1, 10, 1, 7, 1];
        assert_eq!(stacking_order(&groups, |index| sizes[index]), [1, 3, 0, 2]);
    }

    #[test]
    fn layer_numbers_are_checked() {
        assert_eq!("auto".parse(), Ok(Layers::Auto));
        assert_eq!("12".parse(), Ok(Layers::AtMost(12)));
        for text in ["0", "81", "-1", "many", ""] {
            assert!(text.parse::<Layers>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_package_has_one_place_and_layers_stay_few(
            names in proptest::collection::btree_set("[a-z]{1,8}", 1..300), count in 1u16..=MAX_LAYERS
        ) {
            let packages: Vec<_> = names.iter().map(|name| Package::example(name)).collect();
            let groups = deal(&packages, Layers::AtMost(count));
            prop_assert!(groups.len() <= usize::from(count));
            let mut all: Vec<usize> = groups.iter().flat_map(|g| g.packages.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..packages.len()).collect::<Vec<_>>());
        }

        #[test]
        fn a_new_package_moves_no_other(names in proptest::collection::btree_set("[a-z]{1,8}", 2..100)) {
            let packages: Vec<_> = names.iter().map(|name| Package::example(name)).collect();
            let before = deal(&packages[1..], Layers::Auto);
            let after = deal(&packages, Layers::Auto);
            let together = |groups: &[Group], packages: &[Package], a: &str, b: &str| {
                groups.iter().any(|group| {
                    let has = |name: &str| group.packages.iter().any(|i| packages[*i].id.name == name);
                    has(a) && has(b)
                })
            };
            let (a, b) = (&packages[1].id.name, &packages[packages.len() - 1].id.name);
            prop_assert_eq!(
                together(&before, &packages[1..], a, b),
                together(&after, &packages, a, b)
            );
        }
    }
}
