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
    let most = |layers, taken, environments| layers_for_wheels(layers, taken, environments).most();
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
