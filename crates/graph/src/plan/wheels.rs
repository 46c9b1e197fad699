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
mod tests {
    use super::*;
    use crate::plan::python::Python;
    use condafront_model::package::Hashes;
    use condafront_model::platform::Platform;

    fn package(file: &str) -> PipPackage {
        PipPackage {
            hashes: Hashes {
                sha256: Some("1".repeat(64)),
                md5: None,
            },
            ..PipPackage::example(&format!("https://f.example/{file}"))
        }
    }

    fn plan(packages: &[PipPackage], distributions: &[&str], layers: u16) -> Option<WheelPlan> {
        plan_with(packages, &[], distributions, layers)
    }

    fn plan_with(
        packages: &[PipPackage],
        own: &[OwnFile<'_>],
        distributions: &[&str],
        layers: u16,
    ) -> Option<WheelPlan> {
        let python = Python::example("3.13");
        let target = WheelTarget {
            python: &python,
            platform: Platform::LinuxAmd64,
            glibc: None,
        };
        let distributions = distributions.iter().copied().collect();
        WheelPlan::new(
            packages,
            own,
            &target,
            &distributions,
            Layers::AtMost(layers),
        )
    }

    fn wheels(names: &[&str]) -> Vec<PipPackage> {
        let file = |name: &&str| package(&format!("{name}-1.0-py3-none-any.whl"));
        names.iter().map(file).collect()
    }

    #[test]
    fn each_wheel_has_a_layer_and_the_first_in_the_alphabet_comes_last() {
        let found = plan(&wheels(&["idna", "a_B", "six"]), &["python"], 9).unwrap();
        assert_eq!(found.order, [2, 0, 1]);
        let groups: Vec<&str> = found
            .groups
            .iter()
            .map(|group| group.title.as_str())
            .collect();
        assert_eq!(groups, ["six", "idna", "a_B"]);
    }

    #[test]
    fn one_layer_holds_all() {
        let found = plan(&wheels(&["a", "b", "c"]), &[], 1).unwrap();
        assert_eq!(found.groups.len(), 1);
        assert_eq!(found.groups[0].positions, [0, 1, 2]);
    }

    #[test]
    fn what_the_build_makes_shares_no_layer() {
        let built = [OwnFile {
            name: "demo-1.0-cp313-cp313-linux_x86_64.whl",
            is_built: true,
        }];
        let found = plan_with(&wheels(&["a", "b", "c"]), &built, &[], 2).unwrap();
        assert_eq!(found.order, [3, 2, 1, 0]);
        let groups: Vec<&[usize]> = found
            .groups
            .iter()
            .map(|group| group.positions.as_slice())
            .collect();
        assert_eq!(groups, [&[0][..], &[1, 2, 3]]);
        assert_eq!(found.groups[0].title, "demo");
        // A wheel of the user's changes no more often than a download.
        let name = "demo-1.0-py3-none-any.whl";
        let downloads = wheels(&["a", "b", "c", "d", "e", "f", "g"]);
        let layers = |is_built| plan_with(&downloads, &[OwnFile { name, is_built }], &[], 2);
        let all = [downloads.as_slice(), &wheels(&["demo"])].concat();
        assert_eq!(layers(false), plan(&all, &[], 2));
        assert_ne!(layers(true), layers(false));
        // Unless there are too few.
        let found = plan_with(&wheels(&["a"]), &built, &[], 1).unwrap();
        assert_eq!(found.groups.len(), 1);
        for other in [
            "demo-1.0.tar.gz",
            "de mo-1.0-py3-none-any.whl",
            "a-2.0-py3-none-any.whl",
        ] {
            assert_eq!(
                plan_with(
                    &wheels(&["a"]),
                    &[OwnFile {
                        name: other,
                        is_built: true
                    }],
                    &[],
                    9
                ),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn a_large_wheel_has_several_layers() {
        let mut packages = wheels(&["torch", "six", "large"]);
        packages[2].size = Some(500 << 20);
        let parts = |layers| {
            let found = plan(&packages, &[], layers).unwrap();
            let groups = found.groups.into_iter();
            let parts = groups.map(|group| (group.title, group.parts));
            parts.collect::<Vec<_>>()
        };
        let of = |title: &str, parts| (title.to_owned(), parts);
        assert_eq!(parts(40), [of("torch", 5), of("six", 1), of("large", 4)]);
        // They take at most a quarter of the layers, and none where wheels share one.
        assert_eq!(parts(8), [of("torch", 3), of("six", 1), of("large", 1)]);
        assert_eq!(parts(1).len(), 1);
        assert_eq!(parts(1)[0].1, 1);
    }

    #[test]
    fn another_version_moves_no_other_wheel() {
        let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let before = wheels(&names);
        let mut after = before.clone();
        after[7] = package("p7-2.0-py3-none-any.whl");
        assert_eq!(plan(&before, &[], 12), plan(&after, &[], 12));
    }

    #[test]
    fn pip_installs_what_is_not_a_plain_wheel() {
        let good = package("a-1.0-py3-none-any.whl");
        let mut unpinned = good.clone();
        unpinned.hashes.sha256 = None;
        for (what, other) in [
            ("a source archive", package("b-1.0.tar.gz")),
            (
                "a wheel for another platform",
                package("b-1.0-cp313-cp313-win_amd64.whl"),
            ),
            ("a wheel without a hash", unpinned),
            (
                "another wheel of the same package",
                package("A-2.0-py3-none-any.whl"),
            ),
            (
                "what conda also has",
                package("Old.Name-1.0-py3-none-any.whl"),
            ),
        ] {
            let found = plan(&[good.clone(), other], &["old-name"], 9);
            assert_eq!(found, None, "{what}");
        }
        assert!(plan(&[good], &["old-name"], 9).is_some());
    }

    #[test]
    fn versions_of_python_are_compared() {
        let package = PackageFacts {
            version: "1.0".to_owned(),
            ..PackageFacts::default()
        };
        let facts = |required: &str| PackageFacts {
            requires_python: Some(required.to_owned()),
            ..package.clone()
        };
        for (required, expected) in [
            ("", true),
            (">=3.9", true),
            (">= 3.8, <4", true),
            (">=3.7,!=3.8.*", true),
            ("~=3.8", true),
            (">=3.9,\n  <4", true),
            (">3.13", true),
            ("==3.*", true),
            (">=3.6.*", false),
            (">=3.14", false),
            ("<3", false),
            ("<3.13.5", false),
            ("==3.12.*", false),
            ("what?", false),
        ] {
            assert_eq!(
                all_run_with(&[facts(required)], "3.13.5"),
                expected,
                "{required}"
            );
        }
        assert!(all_run_with(&[package], "3.13.5"));
    }

    #[test]
    fn pip_decides_about_versions_that_are_not_valid() {
        for (version, expected) in [
            ("1!2.0rc1+local.1", true),
            ("v1.0", true),
            ("2004d", false),
            ("", false),
        ] {
            let facts = PackageFacts {
                version: version.to_owned(),
                ..PackageFacts::default()
            };
            assert_eq!(all_run_with(&[facts], "3.13.5"), expected, "{version}");
        }
    }

    #[test]
    fn wheels_get_what_conda_packages_leave() {
        let most =
            |layers, taken, environments| layers_for_wheels(layers, taken, environments).most();
        assert_eq!(most(Layers::Auto, 0, 1), 80);
        assert_eq!(most(Layers::Auto, 19, 1), 80);
        assert_eq!(most(Layers::Auto, 20, 1), 60);
        assert_eq!(most(Layers::Auto, 30, 1), 60);
        assert_eq!(most(Layers::Auto, 59, 1), 40);
        assert_eq!(most(Layers::Auto, 60, 1), 20);
        assert_eq!(most(Layers::Auto, 80, 1), 20);
        assert_eq!(most(Layers::Auto, 30, 2), 30);
        assert_eq!(most(Layers::Auto, 80, 40), 1);
        assert_eq!(most(Layers::AtMost(1), 1, 1), 1);
        assert_eq!(most(Layers::AtMost(8), 8, 1), 2);
        assert_eq!(most(Layers::AtMost(8), 5, 1), 4);
        assert_eq!(most(Layers::AtMost(7), 0, 1), 7);
        // Never more in all than a quarter above what conda packages may have.
        for taken in 0..=80 {
            let all = taken + usize::from(most(Layers::Auto, taken, 1));
            assert!((80..=100).contains(&all), "{taken}");
        }
    }

    #[test]
    fn projects_with_different_conda_packages_share_the_layers_of_their_wheels() {
        let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let packages = wheels(&names);
        let layers = |taken| {
            let layers = layers_for_wheels(Layers::Auto, taken, 1);
            let found = plan(&packages, &[], layers.most()).unwrap();
            let positions = found.groups.into_iter().map(|group| group.positions);
            positions.collect::<BTreeSet<_>>()
        };
        let each = layers(10);
        assert_eq!(each.len(), 40);
        for taken in [0, 25, 40, 59] {
            assert_eq!(layers(taken), each, "{taken}");
        }
        let fewer = layers(71);
        assert_eq!(fewer.len(), 20);
        for taken in [60, 80, 200] {
            assert_eq!(layers(taken), fewer, "{taken}");
        }
    }
}
