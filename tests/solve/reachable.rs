//! The records that a request can reach depend on nothing else in the channels.

use std::collections::BTreeMap;

use condafront_step_spec::solve::{RECORDS_FILE, RepodataSpec, SolveSpec};
use condafront_steps::solve::reachable;
use condafront_testkit::repodata::{Repodata, next, record};
use serde_json::Value;

use crate::{channels, mount, mounted, question};

/// The files with the reachable records, by their place.
fn found(spec: &SolveSpec, files: &[RepodataSpec], input: &std::path::Path) -> Vec<String> {
    let output = tempfile::tempdir().unwrap();
    reachable(spec, files, input, output.path()).unwrap();
    let file = |index| output.path().join(format!("{index}/{RECORDS_FILE}"));
    (0..files.len())
        .map(|index| std::fs::read_to_string(file(index)).unwrap())
        .collect()
}

/// The names of the packages in these files.
fn names(files: &[String]) -> Vec<String> {
    let names = files.iter().flat_map(|text| {
        let records: BTreeMap<String, Value> = serde_json::from_str(text).unwrap();
        records.into_keys()
    });
    names.collect()
}

#[test]
fn a_new_list_with_the_same_reachable_records_gives_the_same_file() {
    let (main, extra) = (channels::main(), channels::extra());
    let spec = question(&["main", "extra"], &["pandas", "python 3.12.*"]);
    let input = tempfile::tempdir().unwrap();
    let mut files = mounted(&[&main, &extra], input.path());
    let before = found(&spec, &files, input.path());
    for (index, (channel, file)) in [&main, &main, &extra, &extra]
        .iter()
        .zip(&mut files)
        .enumerate()
    {
        let list = next(&channel.json(&file.subdir));
        "repodata.json".clone_into(&mut file.file);
        mount(input.path(), index, &file.file, list.as_bytes());
    }
    assert_eq!(found(&spec, &files, input.path()), before);
    // What can be reached counts.
    let mut changed = main.clone();
    changed.add(record("six 1.17.1 0").noarch());
    let list = changed.json("noarch");
    mount(input.path(), 1, "repodata.json", list.as_bytes());
    let after = found(&spec, &files, input.path());
    assert_ne!(after[1], before[1]);
    assert_eq!(
        [&after[0], &after[2], &after[3]],
        [&before[0], &before[2], &before[3]]
    );
}

#[test]
fn only_what_a_solve_can_choose_is_reachable() {
    let mut channel = Repodata::default();
    channel
        .add(record("python 3.12 0").depends(["zlib"]))
        .add(record("pip 25 0").noarch().depends(["wheel"]))
        .add(record("wheel 1 0").noarch())
        .add(record("zlib 1 0").constrains(["constrained 1"]))
        .add(record("constrained 2 0"))
        .add(record("app 1 0").depends(["lib"]).extra("plot", ["draw"]))
        .add(record("app 2 0").on("11-12").depends(["lib-new"]))
        .add(record("lib 1 0").depends(["base[when=\"python\"]"]))
        .add(record("base 1 0"))
        .add(record("lib-new 1 0"))
        .add(record("draw 1 0"))
        .add(record("other 1 0").depends(["app"]));
    let input = tempfile::tempdir().unwrap();
    let files = mounted(&[&channel], input.path());
    let of = |spec: &SolveSpec| names(&found(spec, &files, input.path()));
    assert_eq!(
        of(&question(&["main"], &["app"])),
        ["app", "base", "draw", "lib", "lib-new"]
    );
    assert_eq!(
        of(&question(&["main"], &["python"])),
        ["python", "zlib", "pip", "wheel"]
    );
    let mut dated = question(&["main"], &["app"]);
    let cutoff = "2026-11-01".parse().unwrap();
    dated.exclude_newer = Some(condafront_step_spec::solve::ExcludeNewer::of(Some(cutoff)));
    assert_eq!(of(&dated), ["app", "base", "draw", "lib"]);
}
