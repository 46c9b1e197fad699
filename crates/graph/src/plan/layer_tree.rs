//! Which packages share a layer where there are more packages than layers.
//!
//! All packages are in one binary tree, whose shape depends on the packages' names, sizes and kinds alone: `noarch`
//! packages are apart from the others, then packages of one size are together, and among these a hash of the name
//! decides. First each package has a layer to itself. Then two neighbours become one layer, where that costs least,
//! until there are few enough layers. So a package that comes, goes or changes its size affects its neighbours, and the
//! one pair of layers that is joined or divided to keep the number.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::package_size::SizeClass;

/// A shared layer of at most this many bytes is small, whatever is in it.
const SMALL_LAYER: u64 = 1 << 20;

/// The most that a shared layer should have, in multiples of its smallest package.
const MOST_TIMES_SMALLEST: u64 = 10;

/// What decides a package's place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    is_noarch: bool,
    size: SizeClass,
    hash: u64,
}

impl Place {
    pub(super) fn new(name: &str, is_noarch: bool, size: SizeClass) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let hash = digest[..8]
            .iter()
            .fold(0, |hash, byte| (hash << 8) | u64::from(*byte));
        Self {
            is_noarch,
            size,
            hash,
        }
    }
}

/// Divides packages into at most `most` layers: for each, the indices of its packages.
pub(super) fn divide(places: &[Place], most: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|index| (places[*index], *index));
    let sorted: Vec<Place> = order.iter().map(|index| places[*index]).collect();
    let mut tree = Tree::default();
    let Some(root) = tree.grow(&sorted, 0..sorted.len()) else {
        return Vec::new();
    };
    tree.join(sorted.len(), most.max(1));
    let mut layers = Vec::new();
    tree.layers(root, &mut |packages| {
        layers.push(order[packages].to_vec());
    });
    layers
}

/// The tree, its nodes before those above them.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
}

struct Node {
    above: Option<usize>,
    below: Option<(usize, usize)>,
    /// Its packages, which are next to each other when sorted.
    packages: Range<usize>,
    /// The fewest bytes of its smallest package.
    smallest: u64,
    /// The most bytes of all its packages.
    total: u64,
    is_layer: bool,
}

impl Tree {
    /// Adds the nodes of `packages`; returns the topmost.
    fn grow(&mut self, sorted: &[Place], packages: Range<usize>) -> Option<usize> {
        let places = sorted.get(packages.clone())?;
        let (first, last) = (places.first()?, places.last()?);
        if packages.len() == 1 {
            return Some(self.add(Node {
                above: None,
                below: None,
                packages,
                smallest: first.size.least(),
                total: first.size.limit(),
                is_layer: true,
            }));
        }
        let middle = packages.start
            + if first.is_noarch != last.is_noarch {
                places.partition_point(|it| !it.is_noarch)
            } else if first.size != last.size {
                // The largest apart from all smaller ones.
                places.partition_point(|it| it.size < last.size)
            } else if first.hash != last.hash {
                // They agree up to some bit, which is 0 for the first ones and 1 for the others.
                let bit = (first.hash ^ last.hash).ilog2();
                places.partition_point(|it| it.hash >> bit & 1 == 0)
            } else {
                1
            };
        let (left, right) = (packages.start..middle, middle..packages.end);
        let below = (self.grow(sorted, left)?, self.grow(sorted, right)?);
        let (left, right) = (&self.nodes[below.0], &self.nodes[below.1]);
        let node = Node {
            above: None,
            below: Some(below),
            packages,
            smallest: left.smallest.min(right.smallest),
            total: left.total.saturating_add(right.total),
            is_layer: false,
        };
        let index = self.add(node);
        for below in [below.0, below.1] {
            self.nodes[below].above = Some(index);
        }
        Some(index)
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Joins layers until there are at most `most` of them.
    fn join(&mut self, mut layers: usize, most: usize) {
        let all = 0..self.nodes.len();
        let pairs = all.filter(|index| self.is_pair(*index));
        let mut pairs: BinaryHeap<_> = pairs.map(|index| Reverse(self.cost(index))).collect();
        while layers > most
            && let Some(Reverse((.., index))) = pairs.pop()
        {
            self.nodes[index].is_layer = true;
            layers -= 1;
            if let Some(above) = self.nodes[index].above.filter(|above| self.is_pair(*above)) {
                pairs.push(Reverse(self.cost(above)));
            }
        }
    }

    /// Whether a node is not a layer, but both below it are.
    fn is_pair(&self, index: usize) -> bool {
        let node = &self.nodes[index];
        let is_layer = |below: usize| self.nodes[below].is_layer;
        let (true, Some((left, right))) = (!node.is_layer, node.below) else {
            return false;
        };
        is_layer(left) && is_layer(right)
    }

    /// What it costs to make one layer of a node: first, by how many powers of two it would be larger than it should be,
    /// then its bytes. Nodes of equal cost are in the order of the tree.
    fn cost(&self, index: usize) -> (u32, u64, usize) {
        let node = &self.nodes[index];
        let allowed = (node.smallest * MOST_TIMES_SMALLEST).max(SMALL_LAYER);
        let excess = node.total.div_ceil(allowed).next_power_of_two().ilog2();
        (excess, node.total, index)
    }

    /// Calls `found` with the packages of each layer at or below a node.
    fn layers(&self, index: usize, found: &mut impl FnMut(Range<usize>)) {
        let node = &self.nodes[index];
        match node.below {
            Some((left, right)) if !node.is_layer => {
                self.layers(left, found);
                self.layers(right, found);
            }
            _ => found(node.packages.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A package's name, size in bytes and whether it is `noarch`.
    type Sample = (String, u64, bool);

    /// Packages as they are in published locks: most have some ten or hundred kB, few have many MB.
    fn samples(
        count: impl Into<proptest::collection::SizeRange>,
    ) -> impl Strategy<Value = Vec<Sample>> {
        let sample = ("[a-z]{6,12}", (12.0..27.0f64), any::<bool>());
        proptest::collection::vec(sample, count).prop_map(|samples| {
            let mut names = BTreeSet::new();
            let samples = samples.into_iter().map(|(name, log, is_noarch)| {
                // Squeezed, because small sizes are more common.
                let log = 12.0 + (log - 12.0) * (log - 12.0) / 15.0;
                (name, log.exp2() as u64, is_noarch)
            });
            samples
                .filter(|(name, ..)| names.insert(name.clone()))
                .collect()
        })
    }

    fn layers(samples: &[Sample], most: usize) -> Vec<BTreeSet<&Sample>> {
        let place = |(name, size, is_noarch): &Sample| {
            Place::new(name, *is_noarch, SizeClass::of_bytes(*size))
        };
        let places: Vec<Place> = samples.iter().map(place).collect();
        let layers = divide(&places, most).into_iter();
        let layers = layers.map(|layer| layer.into_iter().map(|index| &samples[index]).collect());
        layers.collect()
    }

    /// How many of the layers `after` have other packages than any of those `before`.
    fn moved(before: &[BTreeSet<&Sample>], after: &[BTreeSet<&Sample>]) -> usize {
        let is_new = |layer: &&BTreeSet<&Sample>| !before.contains(layer);
        after.iter().filter(is_new).count()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn each_package_has_its_own_layer_if_there_are_enough(samples in samples(0..80)) {
            prop_assert_eq!(layers(&samples, 80).len(), samples.len());
        }

        #[test]
        fn a_shared_layer_is_not_much_larger_than_its_packages(samples in samples(81..200)) {
            for layer in layers(&samples, 80) {
                let total: u64 = layer.iter().map(|(_, size, _)| size).sum();
                let smallest = layer.iter().map(|(_, size, _)| *size).min().unwrap_or(0);
                prop_assert!(
                    layer.len() == 1 || total <= SMALL_LAYER.max(MOST_TIMES_SMALLEST * smallest),
                    "{layer:?}"
                );
            }
        }

        #[test]
        fn layers_are_as_many_as_are_allowed(samples in samples(81..600), most in 1usize..80) {
            prop_assert_eq!(layers(&samples, most).len(), most);
        }

        #[test]
        fn a_package_more_moves_few_others(samples in samples(81..400)) {
            let before = layers(&samples[1..], 80);
            let moved = moved(&before, &layers(&samples, 80));
            prop_assert!(moved <= 5, "{moved}");
        }

        #[test]
        fn another_version_moves_nothing_else(samples in samples(81..400)) {
            let mut newer = samples.clone();
            newer[0].1 = SizeClass::of_bytes(samples[0].1).limit() - 1;
            prop_assume!(newer[0] != samples[0]);
            let moved = moved(&layers(&samples, 80), &layers(&newer, 80));
            prop_assert_eq!(moved, 1);
        }
    }

    #[test]
    fn one_layer_holds_everything() {
        let samples = [("a".to_owned(), 1 << 30, true), ("b".to_owned(), 1, false)];
        assert_eq!(layers(&samples, 1), [samples.iter().collect()]);
        assert_eq!(layers(&samples, 0), [samples.iter().collect()]);
    }

    #[test]
    fn small_packages_of_like_size_share_first() {
        let names = ["large", "medium", "small-1", "small-2", "other"];
        let sizes = [50 << 20, 2 << 20, 20_000, 20_001, 150_000];
        let samples = names.iter().zip(sizes);
        let samples: Vec<Sample> = samples
            .map(|(name, size)| ((*name).to_owned(), size, false))
            .collect();
        let found = layers(&samples, 4);
        assert_eq!(
            found.iter().filter(|it| it.len() == 2).collect::<Vec<_>>(),
            [&samples[2..4].iter().collect()]
        );
    }
}
