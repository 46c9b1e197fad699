//! Packages of an earlier answer stay where they can.

use condafront_model::channel::ChannelPriority;
use condafront_step_spec::solve::{Kept, SolveSpec};
use condafront_testkit::repodata::{Repodata, record};

use crate::{ask, question, url};

/// Two versions of an application, each with its library, and something else.
fn channel() -> Repodata {
    let mut channel = Repodata::default();
    channel
        .add(record("lib 1.0 0"))
        .add(record("lib 1.1 0"))
        .add(record("lib 2.0 0"))
        .add(record("app 1.0 0").depends(["lib >=1"]))
        .add(record("app 2.0 0").depends(["lib >=2"]))
        .add(record("other 1.0 0"))
        .add(record("other 2.0 0"))
        .add(record("plugin 1.0 0").depends(["app >=2"]));
    channel
}

/// The answer to a request that keeps these packages.
fn keeping(specs: &[&str], kept: &[&str]) -> Vec<String> {
    upgrading(specs, kept, &[])
}

/// The same, with others that may change.
fn upgrading(specs: &[&str], kept: &[&str], upgrade: &[&str]) -> Vec<String> {
    let spec = SolveSpec {
        kept: Kept {
            packages: kept
                .iter()
                .map(|name| url(&format!("main/linux-64/{name}")))
                .collect(),
            upgrade: upgrade.iter().map(|name| (*name).to_owned()).collect(),
        },
        ..question(&["main"], specs)
    };
    named(&spec, &[&channel()])
}

fn named(spec: &SolveSpec, channels: &[&Repodata]) -> Vec<String> {
    let packages = ask(spec, channels).unwrap().into_iter();
    let named = packages.map(|package| format!("{} {}", package.name, package.version));
    named.collect()
}

const LOCK: &[&str] = &["app-1.0-0", "lib-1.0-0", "other-1.0-0"];

#[test]
fn what_was_chosen_before_stays_where_it_can() {
    assert_eq!(
        keeping(&["app", "other"], &[]),
        ["app 2.0", "lib 2.0", "other 2.0"]
    );
    assert_eq!(
        keeping(&["app", "other"], LOCK),
        ["app 1.0", "lib 1.0", "other 1.0"]
    );
    // A package is added: only what it needs changes.
    assert_eq!(
        keeping(&["app", "other", "plugin"], LOCK),
        ["app 2.0", "lib 2.0", "other 1.0", "plugin 1.0"]
    );
    // The file asks for something else.
    assert_eq!(
        keeping(&["app", "lib >=1.1", "other"], LOCK),
        ["app 1.0", "lib 2.0", "other 1.0"]
    );
    // What nothing needs is gone.
    assert_eq!(keeping(&["other"], LOCK), ["other 1.0"]);
    // The channel has removed it.
    assert_eq!(keeping(&["other"], &["other-0.9-0"]), ["other 2.0"]);
}

#[test]
fn what_is_upgraded_takes_along_what_it_needs() {
    // In whatever order the file lists them.
    for specs in [["app", "lib", "other"], ["other", "lib", "app"]] {
        assert_eq!(
            upgrading(&specs, &LOCK[1..], &["app"]),
            ["app 2.0", "lib 2.0", "other 1.0"]
        );
        // The application stays, also with another library.
        let rest = ["app-1.0-0", "other-1.0-0"];
        assert_eq!(
            upgrading(&specs, &rest, &["lib"]),
            ["app 1.0", "lib 2.0", "other 1.0"]
        );
    }
    // As new as the file allows.
    assert_eq!(
        upgrading(&["app", "lib <2"], &LOCK[1..], &["app"]),
        ["app 1.0", "lib 1.0"]
    );
    assert_eq!(
        upgrading(&["app", "other"], LOCK, &["unknown"]),
        ["app 1.0", "lib 1.0", "other 1.0"]
    );
}

#[test]
fn strict_priority_holds_for_what_was_chosen_before() {
    let mut first = Repodata::default();
    first.add(record("b 1.0 0"));
    let mut second = Repodata::default();
    second.add(record("a 1.0 0")).add(record("a 2.0 0"));
    let mut later = first.clone();
    later.add(record("a 1.5 0"));
    let mut spec = SolveSpec {
        kept: Kept {
            packages: vec![url("second/linux-64/a-1.0-0")],
            upgrade: Vec::new(),
        },
        ..question(&["first", "second"], &["a"])
    };
    assert_eq!(named(&spec, &[&first, &second]), ["a 1.0"]);
    assert_eq!(named(&spec, &[&later, &second]), ["a 1.5"]);
    spec.priority = ChannelPriority::Flexible;
    assert_eq!(named(&spec, &[&later, &second]), ["a 1.0"]);
    spec.priority = ChannelPriority::Strict;
    spec.specs = vec![format!("{}::a", url("second"))];
    assert_eq!(named(&spec, &[&later, &second]), ["a 1.0"]);
}

/// What is there already is as it is, whatever else there would be, and cannot be asked for in another version.
#[test]
fn packages_that_are_there_are_not_chosen_anew() {
    let with = |specs: &[&str], installed: &[&str]| SolveSpec {
        installed: installed.iter().map(|name| (*name).to_owned()).collect(),
        ..question(&["main"], specs)
    };
    let lib = &["lib-1.1-0", "other-1.0-0"];
    assert_eq!(
        named(&with(&["app"], lib), &[&channel()]),
        ["app 1.0", "lib 1.1"]
    );
    // It is in no channel, so that only the caller can tell.
    assert_eq!(
        named(&with(&["app"], &["lib-1.2-0"]), &[&channel()]),
        ["app 2.0", "lib 2.0"]
    );
    for specs in [&["plugin"][..], &["lib >=2"]] {
        let report = ask(&with(specs, lib), &[&channel()]).unwrap_err();
        let help = report.help.unwrap_or_default();
        assert!(
            help.contains("do not change, and these must be compatible"),
            "{}: {help}",
            report.message
        );
    }
}
