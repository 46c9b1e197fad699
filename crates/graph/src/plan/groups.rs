//! Which packages share a layer.
//!
//! As long as there are enough layers, each package has its own. With more packages, small ones of similar size share
//! some (`layer_tree.rs`). Either way, a package's layer hardly depends on the other packages: a new version moves no
//! other package, and adding or removing a package moves hardly any.

use condafront_model::layers::Layers;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use super::layer_tree::{self, Place};
use super::package_size::{SizeClass, bytes};
use condafront_model::package::Package;

/// A package whose archive has at most this many bytes is in one layer.
///
/// Registries and engines handle each layer in one piece, and gzip packs the same files up to a third larger than the
/// archives do: this makes layers of 256 MB at most, unless a single file is larger.
const WHOLE: u64 = 192 << 20;

/// How many bytes of a larger archive go into each of its layers.
const PART: u64 = 160 << 20;

/// Packages that are linked in one step into one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Indices into the package list, in ascending order.
    pub(crate) packages: Vec<usize>,
    title: String,
    /// The names of its packages, sorted.
    names: Vec<String>,
    /// How many layers its files are spread over.
    parts: u16,
}

impl Group {
    fn new(all: &[Package], mut packages: Vec<usize>, parts: u16) -> Self {
        packages.sort_unstable();
        let names = packages.iter().map(|index| all[*index].id.name.clone());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        Self {
            packages,
            title: title(&names),
            names,
            parts,
        }
    }

    /// How many layers its files are spread over: several if it is one large package.
    pub(crate) fn parts(&self) -> u16 {
        self.parts
    }

    /// Whether `other` is the counterpart of this group in another list of the same packages.
    pub(crate) fn corresponds(&self, other: &Self) -> bool {
        self.names == other.names && self.parts == other.parts
    }
}

/// The group's packages in a few words.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

/// Divides packages into groups; every package is in exactly one. The groups are in the order of their packages' names,
/// whatever the order of the packages: images name their layers by it.
pub(crate) fn deal(packages: &[Package], layers: Layers) -> Vec<Group> {
    let all: Vec<usize> = (0..packages.len()).collect();
    deal_some(packages, &all, layers)
}

/// The same for the packages at the indices `chosen`, which are in ascending order.
pub(crate) fn deal_some(packages: &[Package], chosen: &[usize], layers: Layers) -> Vec<Group> {
    let places: Vec<Place> = chosen
        .iter()
        .map(|index| {
            let package = &packages[*index];
            let size = SizeClass::of_bytes(bytes(package));
            Place::new(&package.id.name, package.is_noarch(), size)
        })
        .collect();
    let sizes = chosen
        .iter()
        .map(|index| (bytes(&packages[*index]), *index));
    let further = further_parts(sizes, layers.most());
    let most = layers.most() - further.values().sum::<u16>();
    let mut groups: Vec<Group> = layer_tree::divide(&places, most.into())
        .into_iter()
        .map(|members| {
            let members: Vec<usize> = members.iter().map(|member| chosen[*member]).collect();
            let further = match members.as_slice() {
                [only] => further.get(only).copied(),
                _ => None,
            };
            Group::new(packages, members, 1 + further.unwrap_or(0))
        })
        .collect();
    groups.sort_by(|a, b| a.names.cmp(&b.names));
    groups
}

/// How many further layers each large package has, if any: at most a quarter of `most` in all. Each package is given with the
/// bytes of its archive.
pub(super) fn further_parts(
    packages: impl Iterator<Item = (u64, usize)>,
    most: u16,
) -> BTreeMap<usize, u16> {
    let mut large: Vec<(u64, usize)> = packages.filter(|(bytes, _)| *bytes > WHOLE).collect();
    large.sort_unstable_by_key(|(bytes, index)| (Reverse(*bytes), *index));
    let mut left = most / 4;
    large
        .into_iter()
        .filter_map(|(bytes, index)| {
            let wanted = u16::try_from(bytes.div_ceil(PART)).unwrap_or(u16::MAX);
            let further = (wanted - 1).min(left);
            left -= further;
            (further > 0).then_some((index, further))
        })
        .collect()
}

/// The order in which the groups' layers are stacked, as indices into `groups`, lowest first; `size` is a package's
/// archive size in bytes. Layers of equal weight stay in the order of the groups.
///
/// When a layer changes, an engine unpacks every layer above it again. So layers that are large and hold few packages,
/// any of which may change, go to the bottom.
pub fn stacking_order(groups: &[Group], size: impl Fn(usize) -> u64) -> Vec<usize> {
    let weight = |group: &Group| {
        let count = u64::try_from(group.packages.len()).unwrap_or(u64::MAX);
        let sizes = group.packages.iter().map(|package| size(*package));
        // A lock can have any number.
        sizes.fold(0, u64::saturating_add) / count.max(1)
    };
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|index| Reverse(weight(&groups[*index])));
    order
}

/// Up to three names, then how many more.
pub(super) fn title(names: &[String]) -> String {
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
    fn packages_are_alone_if_there_are_enough_layers() {
        let packages: Vec<_> = ["six", "python", "numpy"].map(Package::example).into();
        let groups = deal(&packages, Layers::Auto);
        assert_eq!(names(&packages, &groups), [["numpy"], ["python"], ["six"]]);
    }

    #[test]
    fn the_order_of_the_packages_changes_nothing() {
        let mut packages: Vec<_> = ["six", "python", "numpy", "attrs"]
            .map(Package::example)
            .into();
        let titles = |packages: &[Package]| -> Vec<String> {
            let groups = deal(packages, Layers::AtMost(3)).into_iter();
            groups.map(|group| group.to_string()).collect()
        };
        let before = titles(&packages);
        packages.reverse();
        assert_eq!(titles(&packages), before);
    }

    #[test]
    fn small_packages_share_first() {
        let packages: Vec<_> = ["six", "python", "numpy"].map(Package::example).into();
        let groups = deal(&packages, Layers::AtMost(2));
        let groups = names(&packages, &groups);
        assert!(groups.contains(&vec!["python".to_owned()]), "{groups:?}");
    }

    #[test]
    fn a_large_package_has_several_layers() {
        let mut packages: Vec<_> = ["numpy", "libtorch", "wheel", "unknown"]
            .map(Package::example)
            .into();
        let parts = |packages: &[Package], layers| -> Vec<u16> {
            deal(packages, layers).iter().map(Group::parts).collect()
        };
        // How large a libtorch usually is.
        assert_eq!(parts(&packages, Layers::Auto), [3, 1, 1, 1]);
        packages[1].size = Some(WHOLE);
        assert_eq!(parts(&packages, Layers::Auto), [1, 1, 1, 1]);
        packages[1].size = Some(WHOLE + 1);
        assert_eq!(parts(&packages, Layers::Auto), [2, 1, 1, 1]);
        assert_eq!(parts(&packages, Layers::AtMost(4)), [2, 1, 1]);
        assert_eq!(parts(&packages, Layers::AtMost(3)), [1, 1, 1]);
        packages[1].size = Some(u64::MAX);
        assert_eq!(parts(&packages, Layers::Auto), [21, 1, 1, 1]);
    }

    #[test]
    fn layers_of_few_large_packages_are_lowest() {
        let group = |packages: &[usize]| Group {
            packages: packages.to_vec(),
            title: String::new(),
            names: Vec::new(),
            parts: 1,
        };
        // The mean sizes are 1, 10, 1 and 4.
        let groups = [group(&[0, 1]), group(&[2]), group(&[3]), group(&[4, 5])];
        let sizes = [1, 1, 10, 1, 7, 1];
        assert_eq!(stacking_order(&groups, |index| sizes[index]), [1, 3, 0, 2]);
        assert_eq!(stacking_order(&groups, |_| u64::MAX), [1, 2, 0, 3]);
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
    }
}
