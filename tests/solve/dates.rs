//! Solves as of a day.

use std::fmt::Write as _;

use condafront_model::channel::ChannelPriority;
use condafront_model::cutoff::Cutoff;
use condafront_step_spec::solve::{ExcludeNewer, SolveSpec};
use condafront_testkit::repodata::{Repodata, record};

use crate::{ask, question};

fn cutoff(text: &str) -> Cutoff {
    text.parse().unwrap()
}

/// A question as of 1 November.
fn as_of(channels: &[&str], specs: &[&str]) -> SolveSpec {
    SolveSpec {
        exclude_newer: Some(ExcludeNewer::of(Some(cutoff("2026-11-01")))),
        ..question(channels, specs)
    }
}

/// The chosen packages as `name version`.
fn chosen(spec: &SolveSpec, channels: &[&Repodata]) -> Vec<String> {
    let packages = ask(spec, channels).unwrap_or_else(|report| panic!("{report}"));
    let packages = packages.iter();
    packages
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}

/// Two channels as they were on 1 November.
fn channels() -> (Repodata, Repodata) {
    let (mut main, mut extra) = (Repodata::default(), Repodata::default());
    main.add(record("python 3.13 0").on("10-01"))
        .add(record("app 1.0 0").on("11-01").depends(["lib", "tool"]))
        .add(record("lib 1.0 0").on("09-01"))
        .add(record("nodate 1.0 0").on("09-01"));
    extra
        .add(record("tool 1.0 0").on("10-01"))
        .add(record("lib 5.0 0").on("10-01"));
    (main, extra)
}

/// What they get later: newer versions, a name that only the second had, pip, and a package without a time.
fn later(main: &mut Repodata, extra: &mut Repodata) {
    main.add(record("app 2.0 0").on("11-12").depends(["lib >=2"]))
        .add(record("lib 2.0 0").on("11-02"))
        .add(record("lib 2.1 0").on("11-20"))
        .add(record("tool 0.1 0").on("11-02"))
        .add(record("pip 26 0").on("11-02"))
        .add(record("only-new 1.0 0").on("11-15"))
        .add(record("needs-new 1.0 0").on("10-01").depends(["lib >=2"]))
        .add(record("nodate 2.0 0").without_time());
    extra.add(record("tool 2.0 0").on("11-02"));
}

#[test]
fn what_appears_later_changes_nothing() {
    let (mut main, mut extra) = channels();
    let mut spec = as_of(&["main", "extra"], &["app", "python", "nodate"]);
    for priority in [ChannelPriority::Strict, ChannelPriority::Flexible] {
        spec.priority = priority;
        let before = ask(&spec, &[&main, &extra]).unwrap();
        let undated = SolveSpec {
            exclude_newer: None,
            ..spec.clone()
        };
        assert_eq!(ask(&undated, &[&main, &extra]).unwrap(), before);
        let (mut main, mut extra) = (main.clone(), extra.clone());
        later(&mut main, &mut extra);
        assert_eq!(ask(&spec, &[&main, &extra]).unwrap(), before);
        assert_ne!(ask(&undated, &[&main, &extra]).unwrap(), before);
    }
    later(&mut main, &mut extra);
    assert_eq!(
        chosen(&spec, &[&main, &extra]),
        [
            "app 1.0",
            "lib 1.0",
            "nodate 1.0",
            "python 3.13",
            "tool 1.0"
        ]
    );
}

#[test]
fn a_day_counts_to_its_end_and_a_time_to_the_millisecond() {
    let (main, extra) = channels();
    let mut spec = as_of(&["main", "extra"], &["lib", "app"]);
    for (text, fits) in [
        ("2026-11-01", true),
        ("2026-11-01T12:00:00Z", true),
        ("2026-11-01T13:00:00+01:00", true),
        ("2026-11-01T11:59:59.999Z", false),
        ("2026-10-31", false),
    ] {
        spec.exclude_newer = Some(ExcludeNewer::of(Some(cutoff(text))));
        assert_eq!(ask(&spec, &[&main, &extra]).is_ok(), fits, "{text}");
    }
}

#[test]
fn only_some_packages_or_channels_can_have_a_cutoff() {
    let (mut main, mut extra) = channels();
    later(&mut main, &mut extra);
    let mut spec = question(&["main", "extra"], &["lib", "tool", "app"]);
    spec.without_pip = true;
    let mut solve = |change: &dyn Fn(&mut ExcludeNewer)| {
        let mut asked = ExcludeNewer::of(None);
        change(&mut asked);
        spec.exclude_newer = Some(asked);
        chosen(&spec, &[&main, &extra])
    };
    let day = |text: &str| Some(cutoff(text));
    assert_eq!(solve(&|_| {}), ["app 2.0", "lib 2.1", "tool 0.1"]);
    let by_name = solve(&|asked| {
        asked.by_name.insert("lib".to_owned(), day("2026-11-03"));
    });
    assert_eq!(by_name, ["app 2.0", "lib 2.0", "tool 0.1"]);
    // That of a package may be earlier or later than the others.
    let earlier = solve(&|asked| {
        asked.cutoff = day("2026-11-12");
        asked.by_name.insert("app".to_owned(), day("2026-11-01"));
    });
    assert_eq!(earlier, ["app 1.0", "lib 2.0", "tool 0.1"]);
    let none = solve(&|asked| {
        asked.cutoff = day("2026-11-01");
        asked.by_name.insert("lib".to_owned(), None);
    });
    assert_eq!(none, ["app 1.0", "lib 2.1", "tool 1.0"]);
    let by_channel = solve(&|asked| {
        asked.channels.insert(0, day("2026-11-01"));
    });
    assert_eq!(by_channel, ["app 1.0", "lib 1.0", "tool 2.0"]);
}

#[test]
fn channels_and_packages_can_be_exempt() {
    let (mut main, mut extra) = channels();
    later(&mut main, &mut extra);
    let both = [&main, &extra];
    let solve = |change: &dyn Fn(&mut ExcludeNewer), specs: &[&str]| {
        let mut spec = as_of(&["main", "extra"], specs);
        change(spec.exclude_newer.as_mut().unwrap());
        chosen(&spec, &both)
    };
    let date = |text: &str| Some(cutoff(text));
    let of_channel = |limit: Option<Cutoff>| {
        move |asked: &mut ExcludeNewer| {
            asked.channels.insert(0, limit);
        }
    };
    let of_package = |spec: &'static str, limit: Option<Cutoff>| {
        move |asked: &mut ExcludeNewer| {
            asked.packages.insert(spec.to_owned(), limit);
        }
    };
    assert_eq!(solve(&|_| {}, &["lib"]), ["lib 1.0"]);
    assert_eq!(solve(&of_channel(None), &["lib"]), ["lib 2.1"]);
    assert_eq!(
        solve(&of_channel(date("2026-11-12")), &["lib"]),
        ["lib 2.0"]
    );
    // Later channels keep the cutoff, and earlier cutoffs work as well.
    assert_eq!(
        solve(&of_channel(date("2026-08-01")), &["lib"]),
        ["lib 5.0"]
    );
    assert_eq!(solve(&of_package("lib", None), &["lib"]), ["lib 2.1"]);
    assert_eq!(
        solve(&of_package("lib", date("2026-11-12")), &["lib"]),
        ["lib 2.0"]
    );
    assert_eq!(solve(&of_package("lib 2.0.*", None), &["lib"]), ["lib 2.0"]);
    assert_eq!(solve(&of_package("lib >=3", None), &["lib"]), ["lib 1.0"]);
    // Without a time, only an exemption without a cutoff helps.
    assert_eq!(
        solve(&of_package("nodate", None), &["nodate"]),
        ["nodate 2.0"]
    );
    assert_eq!(
        solve(&of_package("nodate", date("2027-01-01")), &["nodate"]),
        ["nodate 1.0"]
    );
}

#[test]
fn what_is_left_out_is_told_when_it_is_why() {
    let (mut main, mut extra) = channels();
    later(&mut main, &mut extra);
    main.add(record("undated 1.0 0").without_time())
        .add(record("left 1.0 0").on("10-01").depends(["lib <2"]));
    let mut all = String::new();
    let mut fails = |title: &str, specs: &[&str]| {
        let spec = as_of(&["main", "extra"], specs);
        let report = ask(&spec, &[&main, &extra]).expect_err(title);
        writeln!(all, "{title}\n  error: {report}").unwrap();
        writeln!(all, "  help: {}\n", report.help.unwrap_or_default()).unwrap();
    };
    fails("A version", &["lib >=2", "python"]);
    fails("A name", &["only-new"]);
    fails("A name, and a version that never was", &["only-new >=9"]);
    fails("No time", &["undated"]);
    fails("Several", &["lib >=2", "app >=2", "nodate >=2", "numpi"]);
    fails("A dependency", &["needs-new", "python"]);
    fails(
        "A conflict that is one on every day",
        &["left", "needs-new"],
    );
    fails("A version that never was", &["lib >=9"]);
    insta::assert_snapshot!(all);
}
