//! What the answer says about the chosen packages.

use std::collections::BTreeMap;

use condafront_step_spec::solve::SolveSpec;
use condafront_testkit::repodata::{Repodata, record};

use crate::channels;
use crate::{ask, question, url};

#[test]
fn packages_are_sorted_and_name_their_match_spec() {
    let spec = question(&["main"], &["pandas", "openssl", "python", "torch"]);
    let packages = ask(&spec, &[&channels::main()]).unwrap();
    let place: BTreeMap<&str, usize> = packages
        .iter()
        .enumerate()
        .map(|(index, package)| (package.name.as_str(), index))
        .collect();
    assert!(packages.is_sorted_by(|a, b| a.name < b.name));
    let asked_by = |name: &str| packages[place[name]].requested_by;
    assert_eq!(asked_by("pandas"), 0);
    assert_eq!(asked_by("six"), 0);
    assert_eq!(asked_by("openssl"), 1);
    assert_eq!(asked_by("python"), 2);
    // Not requested, but added along with python.
    assert_eq!(asked_by("pip"), 2);
    assert_eq!(asked_by("torch"), 3);
    let numpy = &packages[place["numpy"]];
    assert_eq!(numpy.license.as_deref(), Some("MIT"));
    assert_eq!(numpy.sha256.as_ref().unwrap().len(), 64);
    assert_eq!(numpy.md5.as_ref().unwrap().len(), 32);
    // The same request gives exactly the same answer.
    assert_eq!(ask(&spec, &[&channels::main()]).unwrap(), packages);
}

#[test]
fn python_comes_without_pip_if_no_channel_has_it() {
    let mut channel = Repodata::default();
    channel.add(record("python 3.13.5 h_0"));
    let packages = ask(&question(&["main"], &["python"]), &[&channel]).unwrap();
    let names: Vec<&str> = packages.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["python"]);
}

#[test]
fn archives_are_where_the_repodata_says() {
    for (base, expected) in [
        (None, url("main/noarch/a-1-0.conda")),
        (
            Some("https://files.example/x/"),
            "https://files.example/x/a-1-0.conda".to_owned(),
        ),
        (Some("../../files"), url("files/a-1-0.conda")),
    ] {
        let mut channel = Repodata::default();
        channel.add(record("a 1 0").noarch());
        if let Some(base) = base {
            channel.base_url(base);
        }
        let packages = ask(&question(&["main"], &["a"]), &[&channel]).unwrap();
        assert_eq!(packages[0].url, expected);
    }
}

#[test]
fn channels_of_a_group_have_equal_priority() {
    let (main, extra) = (channels::main(), channels::extra());
    let mut spec = question(&["main", "extra"], &["zlib >=1.4"]);
    ask(&spec, &[&main, &extra]).unwrap_err();
    for channel in &mut spec.channels {
        channel.group = Some("both".to_owned());
    }
    let packages = ask(&spec, &[&main, &extra]).unwrap();
    assert_eq!(packages[0].version, "1.4.0");
}

#[test]
fn what_is_solved_together_is_not_installed_together() {
    let mut channel = Repodata::default();
    channel
        .add(record("app 1 0").depends(["lib"]))
        .add(record("test 1 0").depends(["lib <2", "tool"]))
        .add(record("tool 1 0").depends(["app"]))
        .add(record("lib 1 0"))
        .add(record("lib 2 0"));
    let versions = |specs: &[&str], own: Option<usize>| {
        let mut spec = question(&["main"], specs);
        spec.own = own;
        let packages = ask(&spec, &[&channel]).unwrap_or_else(|report| panic!("{report}"));
        let shown = packages.iter();
        let shown = shown.map(|one| format!("{} {}", one.name, one.version));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(versions(&["app"], None), ["app 1", "lib 2"]);
    assert_eq!(versions(&["app", "test"], Some(1)), ["app 1", "lib 1"]);
    assert_eq!(
        versions(&["test", "lib"], Some(1)),
        ["app 1", "lib 1", "test 1", "tool 1"]
    );
    // A limit on what nothing asks for.
    let limited = |limit: &str| versions(&["app", limit], None);
    assert_eq!(limited("lib <2[when='lib']"), ["app 1", "lib 1"]);
    assert_eq!(limited("tool ==7[when='tool']"), ["app 1", "lib 2"]);
}

#[test]
fn a_constraint_asks_for_nothing() {
    let mut main = Repodata::default();
    main.add(record("python 3.12 0"))
        .add(record("python 3.13 0"))
        .add(record("pip 26 0"))
        .add(record("zlib 1 0"))
        .add(record("zlib 2 0"))
        .add(record("app 1 0").depends(["zlib"]))
        .add(record("tool 1 0").depends(["python", "zlib"]));
    let chosen = |change: &dyn Fn(&mut SolveSpec), specs: &[&str]| {
        let mut spec = question(&["main"], specs);
        change(&mut spec);
        let packages = ask(&spec, &[&main]).unwrap_or_else(|report| panic!("{report}"));
        let shown = packages.iter();
        let shown = shown.map(|one| format!("{} {} {}", one.name, one.version, one.requested_by));
        shown.collect::<Vec<_>>()
    };
    let limits = ["python ==3.12[when='python']", "zlib ==1[when='zlib']"];
    assert_eq!(
        chosen(&|_| {}, &[limits[0], limits[1], "app"]),
        ["app 1 2", "zlib 1 2"]
    );
    let own = |spec: &mut SolveSpec| spec.own = Some(3);
    assert_eq!(
        chosen(&own, &[limits[0], limits[1], "app", "tool"]),
        ["app 1 2", "zlib 1 2"]
    );
    let asked = ["python", limits[0]];
    assert_eq!(chosen(&|_| {}, &asked), ["pip 26 0", "python 3.12 0"]);
    let without = |spec: &mut SolveSpec| spec.without_pip = true;
    assert_eq!(chosen(&without, &asked), ["python 3.12 0"]);
}
