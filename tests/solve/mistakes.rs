//! Requests that cannot be solved: all explanations in one snapshot, to be read from top to bottom.

use std::fmt::Write as _;

use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::solve::{Glibc, RepodataSpec, SolveSpec};
use condafront_steps::solve::solve;

use crate::channels;
use crate::{ask, compressed, mount, question, url};

/// Adds the report of a failed solve, with the MatchSpecs that are to blame marked.
fn add(all: &mut String, title: &str, spec: &SolveSpec, report: &FailureReport) {
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

#[test]
fn invalid_repodata_is_explained() {
    let good = channels::main().json("linux-64");
    let bad_record = good.replace("\"build_number\":", "\"build_number\":\"x\",\"n\":");
    let mut all = String::new();
    for (title, file, bytes) in [
        (
            "A web page",
            "repodata.json.zst",
            b"<!DOCTYPE html><html>Sign in</html>".to_vec(),
        ),
        ("An empty file", "repodata.json", Vec::new()),
        (
            "Another format",
            "repodata.json.zst",
            b"PK\x03\x04".to_vec(),
        ),
        ("A truncated file", "repodata.json.zst", {
            let mut bytes = compressed(&good);
            bytes.truncate(1000);
            bytes
        }),
        (
            "A truncated file, uncompressed",
            "repodata.json",
            good.as_bytes()[..1000].to_vec(),
        ),
        (
            "Another JSON document",
            "repodata.json",
            b"{\"packages\": [1, 2]}".to_vec(),
        ),
        (
            "An invalid file name",
            "repodata.json",
            b"{\"packages\": {\"x\": {}}}".to_vec(),
        ),
        ("Invalid records", "repodata.json", bad_record.into_bytes()),
    ] {
        let input = tempfile::tempdir().unwrap();
        mount(input.path(), 0, file, &bytes);
        let spec = question(&["main"], &["python"]);
        let files = [RepodataSpec {
            channel: 0,
            subdir: "linux-64".to_owned(),
            file: file.to_owned(),
        }];
        let report = solve(&spec, &files, input.path()).expect_err(title);
        assert_eq!(report.culprits, [Culprit::Channel(0)], "{title}");
        add(&mut all, title, &spec, &report);
    }
    insta::assert_snapshot!(all);
}
