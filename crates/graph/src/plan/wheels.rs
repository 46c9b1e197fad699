//! Which wheels are linked, in which order, and which of them share a layer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::pep440_rs::{Version, VersionSpecifiers};

use super::groups::{further_parts, title};
use super::layer_tree::{self, Place};
use super::package_size::{SizeClass, wheel_bytes};
use super::wheel_tags::WheelTarget;
use condafront_model::layers::Layers;
use condafront_model::pypi_package::{PipPackage, is_name_char, normalized};
use condafront_step_spec::facts::PackageFacts;

/// The wheels of an environment, in layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WheelPlan {
    /// Indices into the packages, followed by the wheels that the build has, in the order in which pip would install them: a
    /// later one's file replaces an earlier one's at the same path.
    pub order: Vec<usize>,
    /// The layers.
    pub groups: Vec<WheelGroup>,
}

/// The file of a wheel that is not downloaded.
#[derive(Clone, Copy, Debug)]
pub struct OwnFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether the build makes it.
    pub is_built: bool,
}

/// Wheels that are linked in one step into one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WheelGroup {
    /// Positions in [`WheelPlan::order`], ascending.
    pub(crate) positions: Vec<usize>,
    /// Its packages in a few words.
    pub(crate) title: String,
    /// How many layers its files are spread over: several if it is one large wheel.
    pub(crate) parts: u16,
}

impl WheelPlan {
    /// Plans the wheels `packages`, followed by those that the build has, `own`, for an
    /// environment whose conda packages bring the Python `distributions`. `None` if pip must install them: one is not a
    /// wheel, is not pinned, may not be for this environment, or replaces a package.
    pub fn new(
        packages: &[PipPackage],
        own: &[OwnFile<'_>],
        target: &WheelTarget<'_>,
        distributions: &BTreeSet<&str>,
        layers: Layers,
    ) -> Option<Self> {
        let fetched = packages.iter().map(|package| {
            let is_pinned = package.is_pinned_wheel();
            is_pinned.then(|| (package.name.clone(), package.file_name()))
        });
        let files = own.iter().map(|file| {
            let name = first_part(file.name);
            let is_name = name.chars().all(is_name_char);
            is_name.then(|| (name.to_owned(), file.name.to_owned()))
        });
        let wheels: Vec<(String, String)> = fetched.chain(files).collect::<Option<_>>()?;
        let mut names: BTreeMap<Reverse<String>, usize> = BTreeMap::new();
        for (index, (_, file_name)) in wheels.iter().enumerate() {
            let name = normalized(first_part(file_name));
            let is_linked = target.accepts(file_name) && !distributions.contains(name.as_str());
            if !is_linked || names.insert(Reverse(name), index).is_some() {
                return None;
            }
        }
        let bytes = |name: &str, index: usize| {
            wheel_bytes(name, packages.get(index).and_then(|package| package.size))
        };
        let places: Vec<Place> = names
            .iter()
            .map(|(Reverse(name), index)| {
                let is_pure = wheels[*index].1.ends_with("-none-any.whl");
                Place::new(name, is_pure, SizeClass::of_bytes(bytes(name, *index)))
            })
            .collect();
        let sizes = names.iter().enumerate();
        let sizes = sizes.map(|(position, (Reverse(name), index))| (bytes(name, *index), position));
        let further = further_parts(sizes, layers.most());
        let most = layers.most() - further.values().sum::<u16>();
        let order: Vec<usize> = names.into_values().collect();
        let is_built = |position: &usize| {
            let index = order[*position].checked_sub(packages.len());
            index.is_some_and(|index| own[index].is_built)
        };
        let mut groups: Vec<WheelGroup> = layers_of(&places, is_built, most.into())
            .into_iter()
            .map(|mut positions| {
                positions.sort_unstable();
                let names = positions
                    .iter()
                    .map(|position| wheels[order[*position]].0.clone());
                let title = title(&names.collect::<Vec<_>>());
                let further = match positions.as_slice() {
                    [only] => further.get(only).copied().unwrap_or(0),
                    _ => 0,
                };
                WheelGroup {
                    positions,
                    title,
                    parts: 1 + further,
                }
            })
            .collect();
        groups.sort_by(|a, b| a.positions.cmp(&b.positions));
        Some(Self { order, groups })
    }
}

/// The part of a wheel's file name that is its package's name.
fn first_part(file_name: &str) -> &str {
    file_name.split('-').next().unwrap_or_default()
}

/// Divides wheels into at most `most` layers. Those that the build makes change most often: each has a layer of its own, if
/// that leaves half of the layers for the others.
fn layers_of(places: &[Place], is_built: impl Fn(&usize) -> bool, most: usize) -> Vec<Vec<usize>> {
    let (built, fetched): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(is_built);
    if built.len() > most / 2 {
        return layer_tree::divide(places, most);
    }
    let of_fetched: Vec<Place> = fetched.iter().map(|position| places[*position]).collect();
    let layers = layer_tree::divide(&of_fetched, most - built.len()).into_iter();
    let layers = layers.map(|layer| layer.into_iter().map(|index| fetched[index]).collect());
    layers
        .chain(built.iter().map(|position| vec![*position]))
        .collect()
}

/// Whether all of these packages have valid versions and run with python `version`, such as 3.13.5. What is in doubt does not
/// count.
pub fn all_run_with(packages: &[PackageFacts], version: &str) -> bool {
    let Ok(python) = version.parse::<Version>() else {
        return false;
    };
    packages.iter().all(|package| {
        let required = package.requires_python.as_deref().unwrap_or_default();
        let required = required.parse::<VersionSpecifiers>();
        package.version.parse::<Version>().is_ok()
            && required.is_ok_and(|required| required.contains(&python))
    })
}

/// Over how many layers the wheels of one environment are spread, if `environments` of them have wheels, and conda packages
/// already have `taken` layers.
///
/// They get what conda packages leave, in quarters of what these may have: with other numbers, projects with the same wheels
/// and different conda packages would share fewer layers. Quarters are rounded up, and they get at least one: with the base
/// image's layers and our own, that is still fewer than engines allow.
pub fn layers_for_wheels(layers: Layers, taken: usize, environments: usize) -> Layers {
    let most = layers.most();
    let taken = u16::try_from(taken).unwrap_or(u16::MAX);
    let quarter = (most / 4).max(1);
    let quarters = most.saturating_sub(taken).div_ceil(quarter).max(1);
    Layers::AtMost((quarters * quarter).min(most)).divided(environments)
}

#[cfg(test)]
mod tests;
