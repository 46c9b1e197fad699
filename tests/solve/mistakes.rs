//! Requests that cannot be solved: all explanations in one snapshot, to be read from top to bottom.

use std::fmt::Write as _;

use condafront_model::origin::OtherSystem;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::solve::{Glibc, SolveSpec};
use condafront_testkit::repodata::{Repodata, record};

use crate::channels;
use crate::{ask, question, url};

/// Adds the report of a failed solve, with the MatchSpecs that are to blame marked.
pub(crate) fn add(all: &mut String, title: &str, spec: &SolveSpec, report: &FailureReport) {
    let line = "=".repeat(title.len());
    writeln!(all, "{title}\n{line}").unwrap();
    for (index, text) in spec.specs.iter().enumerate() {
        let blamed = report.culprits.contains(&Culprit::Spec(index));
        writeln!(all, "{} - {text}", if blamed { ">>>" } else { "   " }).unwrap();
    }
    for culprit in &report.culprits {
        if let Culprit::Channel(index) = culprit {
            writeln!(all, ">>> channel {}", spec.channels[*index].name).unwrap();
        }
    }
    writeln!(all, "error: {report}").unwrap();
    if let Some(help) = &report.help {
        writeln!(all, "help: {help}").unwrap();
    }
    writeln!(all).unwrap();
}

#[test]
fn unsolvable_requests_are_explained() {
    let (main, extra) = (channels::main(), channels::extra());
    let mut all = String::new();
    let mut fails = |title: &str, spec: SolveSpec| {
        let repodata = &[&main, &extra][..spec.channels.len()];
        let report = ask(&spec, repodata).expect_err(title);
        add(&mut all, title, &spec, &report);
    };
    let one = |specs: &[&str]| question(&["main"], specs);
    let both = |specs: &[&str]| question(&["main", "extra"], specs);
    fails("An unknown name", one(&["python", "qqxyz"]));
    fails("A misspelt name", both(&["numpi", "python"]));
    fails("The PyPI name of a package", one(&["dateutil"]));
    fails("A name that is a part of another", one(&["umpy"]));
    fails(
        "Several missing packages",
        one(&["numpi", "pandas ==9.9", "qqxyz"]),
    );
    fails("A missing version", one(&["pandas >=3"]));
    fails("A version between existing ones", one(&["plain ==1.0.5"]));
    fails("A missing build", one(&["plain ==2.1 c_*"]));
    fails(
        "A version that only a later channel has",
        both(&["zlib >=1.4", "python"]),
    );
    let named = format!("{}::pandas", url("extra"));
    fails("A package from another channel", both(&[&named]));
    fails(
        "Two conflicting packages",
        one(&["python", "needs-old-ssl", "pytz"]),
    );
    fails("A missing dependency", one(&["broken", "python"]));
    fails(
        "A package's constraint",
        one(&["constrained-away", "plain"]),
    );
    fails(
        "A python that a package does not support",
        one(&["python 3.13.*", "legacy", "numpy"]),
    );
    fails("CUDA", one(&["cuda-only"]));
    let mut cuda = one(&["cuda-new"]);
    cuda.system.cuda = Some("12.4".to_owned());
    fails("A newer CUDA", cuda);
    fails("A newer glibc than the base's", one(&["glibc-new"]));
    for (title, glibc) in [
        ("A base with musl", Glibc::BaseHasMusl),
        ("A base without a C library", Glibc::BaseHasNone),
        ("An overridden glibc", Glibc::Override("2.12".to_owned())),
        ("An empty glibc override", Glibc::OverrideNone),
    ] {
        let mut spec = one(&["python"]);
        spec.system.glibc = glibc;
        fails(title, spec);
    }
    fails("A newer processor", one(&["fast * v3*"]));
    fails("Another operating system", one(&["for-windows"]));
    fails("A requested virtual package", one(&["__cuda >=12"]));
    fails("An invalid MatchSpec", one(&["numpy >>2"]));
    insta::assert_snapshot!(all);
}

/// Channels that lack what conda would take from `defaults`.
#[test]
fn channels_without_everything_are_explained() {
    let mut extra = channels::extra();
    extra.add(record("ipython 8.0 0"));
    let other = channels::only("tool 1.0 0", &["python >=3"]);
    let mut all = String::new();
    let mut fails = |title: &str, implied: bool, names: &[&str], specs: &[&str]| {
        let mut spec = question(names, specs);
        spec.origin.implied_defaults = implied;
        let report = ask(&spec, &[&extra, &other][..names.len()]).expect_err(title);
        add(&mut all, title, &spec, &report);
    };
    let named = format!("{}::perl", url("extra"));
    fails(
        "Implied channels",
        true,
        &["extra", "other"],
        &["numpy", "python"],
    );
    fails(
        "Several of their packages",
        true,
        &["extra"],
        &["perl", "zlib", "curl"],
    );
    fails(
        "Only a private channel, with nodefaults",
        false,
        &["extra"],
        &["perl"],
    );
    fails(
        "Two, with nodefaults",
        false,
        &["extra", "other"],
        &["perl", "zlib"],
    );
    fails("A package of a named channel", true, &["extra"], &[&named]);
    fails(
        "A dependency from an implied channel",
        true,
        &["extra", "other"],
        &["tool"],
    );
    fails(
        "A version from an implied channel",
        true,
        &["extra"],
        &["zlib <1"],
    );
    fails(
        "A package for Windows",
        true,
        &["extra"],
        &["pywin32", "zlib"],
    );
    fails("A package for macOS", false, &["extra"], &["appnope"]);
    insta::assert_snapshot!(all);
}

/// What strict channel priority rules out, and what it does not.
#[test]
fn the_order_of_channels_is_explained() {
    let (main, extra) = (channels::main(), channels::extra());
    let second = channels::only("python 3.14.0 0", &["zlib >=1.4"]);
    let third = channels::only("tool 1.0 0", &["plain >=3", "zlib >=1.4"]);
    // Nothing works with this channel first: it hides a version of the other.
    let mut mixed = channels::only("uses-both 1.0 0", &["zlib >=1.4", "versions <1!0"]);
    mixed
        .add(record("zlib 1.4.0 0"))
        .add(record("versions 1!0.9 0"));
    let mut gpu = channels::only("gpu 1.0 0", &["numpy >=3"]);
    gpu.add(record("gpu 1.0 1").depends(["__cuda"]));
    let mut rest = channels::only("plain 3.0 0", &[]);
    rest.add(record("zlib 1.4.0 0"));
    let mut all = String::new();
    let mut fails = |title: &str, channels: &[(&str, &Repodata)], specs: &[&str]| {
        let (names, data): (Vec<&str>, Vec<&Repodata>) = channels.iter().copied().unzip();
        let spec = question(&names, specs);
        let report = ask(&spec, &data).expect_err(title);
        add(&mut all, title, &spec, &report);
    };
    let both = [("main", &main), ("extra", &extra)];
    fails("A dependency", &both, &["plain", "needs-new-numpy"]);
    fails(
        "A dependency that flexible priority does not help",
        &both,
        &["needs-new-numpy", "python 3.13.*"],
    );
    fails(
        "Two dependencies of a package",
        &[("main", &main), ("third", &third), ("rest", &rest)],
        &["tool"],
    );
    fails(
        "A dependency that another order does not help",
        &[("main", &main), ("mixed", &mixed)],
        &["uses-both"],
    );
    fails(
        "A dependency, beside a build for a GPU",
        &[("main", &main), ("gpu", &gpu), ("extra", &extra)],
        &["gpu", "python 3.12.*"],
    );
    fails(
        "A package that is in the first in another version",
        &[("main", &main), ("second", &second), ("extra", &extra)],
        &["python 3.14.*"],
    );
    fails(
        "The same, with a package that does not fit",
        &[("main", &main), ("second", &second)],
        &["python 3.14.*", "plain"],
    );
    fails(
        "The same, beside a misspelt name",
        &both,
        &["zlib >=1.4", "numpi"],
    );
    fails(
        "Several packages",
        &both,
        &["zlib >=1.4", "numpy >=3", "plain"],
    );
    fails(
        "Both an order and an export",
        &both,
        &["zlib ==1.4.0 h_0", "plain ==1.0 x_0", "plain2 ==1.0 x_0"],
    );
    insta::assert_snapshot!(all);
}

/// Files that `conda env export` wrote elsewhere, or long ago.
#[test]
fn exports_are_explained_once() {
    let main = channels::main();
    let mut all = String::new();
    let mut fails = |title: &str, system: Option<OtherSystem>, specs: &[String]| {
        let texts: Vec<&str> = specs.iter().map(String::as_str).collect();
        let mut spec = question(&["main"], &texts);
        spec.origin.exported_on = system;
        let report = ask(&spec, &[&main]).expect_err(title);
        assert!(report.to_string().lines().count() < 30, "{report}");
        assert!(report.culprits.len() < 10, "{:?}", report.culprits);
        let shown = spec.specs.iter().take(8).cloned().collect();
        spec.specs = shown;
        add(&mut all, title, &spec, &report);
    };
    let builds = |names: &[&str], build: &str| -> Vec<String> {
        let line = |name: &&str| format!("{name} ==1.0 {build}");
        names.iter().map(line).collect()
    };
    let many: Vec<String> = (0..120)
        .map(|number| format!("lib{number} ==1.{number} h82{number}_0"))
        .collect();
    let known = [
        "python ==3.12.7 h6e1e_0",
        "numpy ==2.1.0 py312h7e_0",
        "openssl ==3.4.0 ha4e_1",
    ]
    .map(str::to_owned);
    let of = |parts: &[&[String]]| parts.concat();
    let windows = builds(&["vc", "vs2015_runtime", "pywin32"], "h1_0");
    fails("From Windows", None, &of(&[&many, &known, &windows]));
    fails(
        "From Windows, as its prefix says",
        Some(OtherSystem::Windows),
        &of(&[&known, &many]),
    );
    fails(
        "From macOS, as its prefix says",
        Some(OtherSystem::MacOs),
        &of(&[&known, &many[..4]]),
    );
    fails(
        "From macOS",
        None,
        &of(&[&builds(&["appnope", "libcxx"], "h0_0"), &many]),
    );
    fails(
        "From Linux, long ago",
        None,
        &of(&[&known, &many, &["plain".to_owned()]]),
    );
    let plain = [
        "vc ==14.1",
        "pywin32 ==305",
        "vs2015_runtime ==14.2",
        "ucrt",
        "plain",
    ]
    .map(str::to_owned);
    fails("From Windows, without builds", None, &plain);
    // Fewer than an export usually has, but the prefix leaves no doubt.
    let macos = Some(OtherSystem::MacOs);
    let rest = ["plain".to_owned()];
    fails(
        "One build from macOS, as its prefix says",
        macos,
        &of(&[&known[..1], &rest]),
    );
    fails(
        "All of two from macOS, as its prefix says",
        macos,
        &of(&[&known[..1], &many[..1]]),
    );
    fails(
        "A name and a build from macOS, with a mistake",
        macos,
        &of(&[&["appnope".to_owned(), "numpi".to_owned()], &known[..1]]),
    );
    fails(
        "Only names from macOS",
        macos,
        &of(&[&["appnope".to_owned()], &rest]),
    );
    fails(
        "A mistake in a file from macOS",
        macos,
        &of(&[&["numpi".to_owned()], &rest]),
    );
    fails(
        "One unknown name with a build, from nobody knows where",
        None,
        &of(&[&many[..1], &rest]),
    );
    fails(
        "With a mistake of its own",
        None,
        &of(&[&known, &many, &["numpi".to_owned()]]),
    );
    let names: Vec<String> = (0..30).map(|number| format!("qqxyz{number}")).collect();
    fails("Many unknown names", None, &names);
    insta::assert_snapshot!(all);
}
