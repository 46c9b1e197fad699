//! The engines that `scripts/engine` starts behave as the tests expect.

use std::fs;
use std::path::Path;

use condafront_testkit::engine::{Engine, Store, registry, run};

/// Writes a build file into a context of its own.
fn context(build_file: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("Dockerfile"), build_file).unwrap();
    directory
}

fn driver_status(engine: &Engine) -> String {
    let format = "{{json .DriverStatus}}";
    run(&mut engine.docker(["info", "--format", format]))
        .expect_success()
        .stdout
}

fn builds_and_runs(engine: &Engine) {
    let context = context("FROM debian:13-slim\nRUN echo made > /made\n");
    let tag = format!("engine-check-{}", engine.store());
    let mut build = engine.docker(["build", "--tag", &tag]);
    run(build.arg(context.path())).expect_success();
    let output = run(&mut engine.docker(["run", "--rm", &tag, "cat", "/made"])).expect_success();
    assert_eq!(output.stdout, "made\n");
}

#[test]
fn the_containerd_store_builds_and_runs() {
    let engine = Engine::shared(Store::Containerd);
    assert!(driver_status(&engine).contains("io.containerd.snapshotter"));
    builds_and_runs(&engine);
}

#[test]
fn the_classic_store_builds_and_runs() {
    let engine = Engine::shared(Store::Classic);
    assert!(!driver_status(&engine).contains("io.containerd.snapshotter"));
    builds_and_runs(&engine);
}

#[test]
fn another_engine_can_pull_what_one_pushed() {
    let name = format!("{}/engine-check:1", registry());
    let from = Engine::shared(Store::Containerd);
    run(&mut from.docker(["tag", "debian:13-slim", &name])).expect_success();
    run(&mut from.docker(["push", &name])).expect_success();
    let into = Engine::shared(Store::Classic);
    run(&mut into.docker(["pull", &name])).expect_success();
    let output = run(&mut into.docker(["run", "--rm", &name, "cat", "/etc/debian_version"]));
    assert!(output.expect_success().stdout.starts_with("13"));
}

#[test]
fn a_fresh_engine_is_empty_and_stops_when_dropped() {
    let shared = Engine::shared(Store::Containerd);
    let engine = Engine::start_fresh(Store::Containerd);
    assert_ne!(engine.host(), shared.host());
    let images = run(&mut engine.docker(["images", "--quiet"])).expect_success();
    assert_eq!(images.stdout.lines().count(), 1, "{}", images.stdout);
    let root = run(&mut engine.docker(["info", "--format", "{{.DockerRootDir}}"]))
        .expect_success()
        .stdout;
    let root = Path::new(root.trim());
    assert!(root.is_dir());
    drop(engine);
    assert!(!root.exists());
}
