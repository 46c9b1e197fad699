//! The request can be solved, and both sides give the same answers.

use super::published::LIST;
use super::*;
use condafront_steps::solve::{reachable, solve};
use serde_json::json;

#[test]
fn the_request_can_be_solved() {
    let input = tempfile::tempdir().unwrap();
    for (index, json) in conda_forge::lists([0, 0]).into_iter().enumerate() {
        let folder = input.path().join(index.to_string());
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(LIST), json).unwrap();
    }
    let (spec, files) = question(From::Lists, &Server::start());
    let packages = condafront_steps::solve::solve(&spec, &files, input.path()).unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
}

/// A number that looks random and is the same in each run (FNV-1a).
fn mixed(number: u64, text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ number;
    text.bytes().fold(start, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }) >> 16
}

/// A list with some of the records of `list`.
fn subset(list: &serde_json::Value, is_in: impl Fn(&str) -> bool) -> String {
    let mut found = json!({"info": list["info"], "removed": [], "repodata_version": 1});
    for key in ["packages", "packages.conda"] {
        let all = list[key].as_object().unwrap().iter();
        let some = all.filter(|(file, _)| is_in(file));
        found[key] = some
            .map(|(file, record)| (file.clone(), record.clone()))
            .collect();
    }
    found.to_string()
}

/// What the requests of a side find: with the records that they reach, and without that step.
fn found(from: From, published: &Published, server: &Server, specs: &[&str]) -> [Answer; 2] {
    let (input, records) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (index, bytes) in published.files(from).iter().enumerate() {
        let folder = input.path().join(index.to_string());
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(from.file()), bytes).unwrap();
    }
    let (mut spec, files) = question(from, server);
    spec.specs = specs.iter().map(|spec| (*spec).to_owned()).collect();
    let unusable = reachable(&spec, &files, input.path(), records.path()).unwrap();
    assert!(unusable.is_empty(), "{unusable:?}");
    let reached = files.each_ref().map(RepodataSpec::reachable);
    let chosen = solve(&spec.of_reachable(), &reached, records.path()).ok();
    let present = match from {
        From::Lists => solve(&spec, &files, input.path()).ok(),
        // Only whole lists can be solved at once.
        From::Shards => chosen.clone(),
    };
    [chosen, present]
}

type Answer = Option<Vec<SolvedPackage>>;

#[test]
fn fifty_subsets_have_the_same_answer_from_shards_and_from_lists() {
    let lists = conda_forge::lists([0, 0]);
    let lists = lists
        .each_ref()
        .map(|list| serde_json::from_str(list).unwrap());
    let names: Vec<&str> = conda_forge::libraries().collect();
    let is_library = |file: &str| {
        names.iter().any(|name| {
            file.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('-'))
        })
    };
    let lists = lists
        .each_ref()
        .map(|list| serde_json::from_str(&subset(list, is_library)).unwrap());
    let mut answers = 0;
    for number in 0..50 {
        let is_in = |file: &str| mixed(number, file).is_multiple_of(8);
        let lists = lists.each_ref().map(|list| subset(list, is_in));
        let server = Server::start();
        let published = Published::new(&lists, &server).unwrap();
        let count = u64::try_from(names.len()).unwrap();
        let wanted = ["a", "b"].map(|which| {
            let index = usize::try_from(mixed(number, which) % count).unwrap();
            names[index]
        });
        let [of_shards, _] = found(From::Shards, &published, &server, &wanted);
        let [of_lists, present] = found(From::Lists, &published, &server, &wanted);
        answers += usize::from(present.is_some());
        assert_eq!(of_shards, present, "subset {number}: {wanted:?}");
        assert_eq!(of_lists, present, "subset {number}: {wanted:?}");
    }
    assert!(answers > 5, "{answers}");
}

#[test]
fn both_sides_are_in_the_table() {
    let cost = |seconds| Cost {
        seconds,
        memory: 4e6 * seconds,
    };
    let run = |factor| Run {
        first: (1e6 * factor, [cost(factor), cost(0.5)]),
        again: (2e3 * factor, cost(0.25)),
    };
    let measured = [1.0, 10.0].map(|factor| vec![run(factor); 3]);
    let text = table(&measured);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(
        rows[2],
        "| a new builder: from the server | 1.0 MB | 10.0 MB | 0.10 |"
    );
    assert_eq!(rows[5], "| choose | 0.50 s | 0.50 s | 1.00 |");
}
