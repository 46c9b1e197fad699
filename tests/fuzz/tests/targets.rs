//! Every fuzz target, on its seeds and on a fixed number of changes of each: the same inputs in every run.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use condafront_fuzz::changes::{Random, changed};
use condafront_fuzz::{TARGETS, Target};

/// How many changes of each seed are tried.
const CHANGES: usize = 100;

/// Runs one input. What fails is written down, so that it can become a seed.
fn run(target: &Target, data: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(data))).is_err() {
        let path = std::env::temp_dir().join(format!("condafront-fuzz-{}", target.name));
        fs::write(&path, data).expect("the input is written");
        panic!("{} fails on {}", target.name, path.display());
    }
}

fn check(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.expect("a target");
    let seeds = target.seeds();
    for (index, seed) in seeds.iter().enumerate() {
        run(target, seed);
        let mut random = Random::new(index as u64);
        for _ in 0..CHANGES {
            run(target, &changed(&seeds, index, &mut random));
        }
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    trees env image_section explicit conda_lock pixi_lock pixi_toml pyproject specs requirements pylock
    dockerignore
    archive tar wheel repodata shard_list shard
    accounts package_managers pip env_vars distribution inventory conda_meta base_config
    records entrypoint_files
}

#[test]
fn every_target_is_tested_and_has_a_program() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TESTED.iter().copied().collect());
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(programs.join("Cargo.toml")).expect("the manifest");
    for name in names {
        let path = format!("fuzz_targets/{name}.rs");
        let program = fs::read_to_string(programs.join(&path)).expect("a program");
        assert!(
            program.contains(&format!("run(\"{name}\", data)")),
            "{path}"
        );
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{path}");
    }
}

#[test]
fn changes_are_always_the_same() {
    let seeds = [b"one: 1\n".to_vec(), b"two: [2, 2]\n".to_vec()];
    let all = || -> Vec<Vec<u8>> {
        let mut random = Random::new(7);
        (0..50).map(|_| changed(&seeds, 0, &mut random)).collect()
    };
    assert_eq!(all(), all());
    let different: BTreeSet<Vec<u8>> = all().into_iter().collect();
    assert!(different.len() > 40, "{}", different.len());
}
