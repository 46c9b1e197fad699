//! Channels whose lists of packages cannot be read.

use std::fs::File;

use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::solve::RepodataSpec;
use condafront_steps::solve::solve;
use condafront_testkit::repodata::{Repodata, record};

use crate::channels;
use crate::mistakes::add;
use crate::{compressed, mount, question};

#[test]
fn invalid_repodata_is_explained() {
    const LARGE: &str = "More than a gigabyte";
    let good = channels::main().json("linux-64");
    let with_dependency = |spec: &str| {
        let mut repodata = Repodata::default();
        repodata.add(record("python 3.12 0").depends([spec]));
        repodata.json("linux-64")
    };
    let one = with_dependency("a");
    let at = one.find("\"python-3.12-0.conda\"").unwrap();
    let twice = {
        let (before, entry) = one.split_at(at);
        let end = 1 + entry.find('}').unwrap();
        let other = entry[..end].replace("[\"a\"]", "[\"b\"]");
        format!("{before}{other},{entry}")
    };
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
        ("A record twice", "repodata.json", twice.into_bytes()),
        (
            "A very long dependency",
            "repodata.json",
            with_dependency(&format!("a {}<3", ">=1,".repeat(2000))).into_bytes(),
        ),
        (
            "Many parentheses",
            "repodata.json",
            with_dependency(&format!("a {}1{}", "(".repeat(200), ")".repeat(200))).into_bytes(),
        ),
        (LARGE, "repodata.json", b"{".to_vec()),
    ] {
        let input = tempfile::tempdir().unwrap();
        mount(input.path(), 0, file, &bytes);
        if title == LARGE {
            // A hole, which takes no space.
            let file = File::options()
                .append(true)
                .open(input.path().join("0").join(file));
            file.unwrap().set_len((1 << 30) + 1).unwrap();
        }
        let spec = question(&["main"], &["python"]);
        let files = [RepodataSpec {
            channel: 0,
            subdir: "linux-64".to_owned(),
            file: file.to_owned(),
            address: None,
        }];
        let report = solve(&spec, &files, input.path()).expect_err(title);
        assert_eq!(report.culprits, [Culprit::Channel(0)], "{title}");
        add(&mut all, title, &spec, &report);
    }
    insta::assert_snapshot!(all);
}
