//! The engines that `scripts/engine` starts behave as the tests expect.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

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
    let root = root_of(&engine);
    assert!(root.is_dir());
    drop(engine);
    assert!(!root.exists());
}

/// Where dockerd keeps everything, in the folder of its engine.
fn root_of(engine: &Engine) -> PathBuf {
    let format = "{{.DockerRootDir}}";
    let found = run(&mut engine.docker(["info", "--format", format])).expect_success();
    found.stdout.trim().into()
}

#[test]
fn a_new_engine_has_a_log_of_its_own_and_a_stopped_one_has_left_no_mount() {
    let engine = Engine::start_fresh(Store::Containerd);
    let root = root_of(&engine);
    let own = root.parent().unwrap();
    let log = fs::read_to_string(own.join("log")).unwrap();
    assert!(log.contains("Starting up"), "{log}");
    assert!(!log.contains("Daemon shutdown complete"), "{log}");
    builds_and_runs(&engine);
    engine.crash_and_restart();

    // Its programs keep temporary mounts there, and a crash leaves them.
    let temporary = own.join("tmp");
    let state = fs::read_to_string(own.join("state")).unwrap();
    let pids = state.lines().filter_map(|line| line.strip_prefix("PID="));
    let running: Vec<String> = pids
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/environ")).ok())
        .filter(|variables| !variables.is_empty())
        .collect();
    // containerd and dockerd.
    assert_eq!(running.len(), 2, "{state}");
    let variable = format!("TMPDIR={}", temporary.display());
    for variables in running {
        assert!(
            variables.split('\0').any(|it| it == variable),
            "{variables}"
        );
    }
    let left = temporary.join("containerd-mount-of-a-test");
    fs::create_dir(&left).unwrap();
    let mut mount = Command::new("mount");
    run(mount.args(["-t", "tmpfs", "tmpfs"]).arg(&left)).expect_success();
    drop(engine);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(own.to_str().unwrap()), "{mounts}");
}
