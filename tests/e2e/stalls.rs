//! What does not progress: it is told, ended after a while, and got over where there is another way.

use std::process::Command;

use condafront_testkit::channel::{self, Package};
use condafront_testkit::engine::Store;
use condafront_testkit::server::{Fault, Times};

use crate::downloads::fresh_package;
use crate::failure::{error_of, masked};
use crate::project::{LOCK, Project, frontend};

/// Less patience than users have.
const PATIENCE: [&str; 2] = ["--build-arg", "CONDAFRONT_TIMEOUT=6s"];

/// Serves a package below `/own` and `/first`, and returns its line for a lock, with another host.
fn serve(project: &Project, (package, archive): (Package, Vec<u8>)) -> String {
    let path = package.path();
    for folder in ["own", "first"] {
        project
            .server
            .put(&format!("/{folder}/{path}"), archive.clone());
    }
    format!("http://channel.invalid/{path}#sha256:{}\n", package.sha256)
}

fn lock(project: &Project, lines: &str) {
    project.write(LOCK, format!("# syntax={}\n@EXPLICIT\n{lines}", frontend()));
}

#[test]
fn downloads_that_stop_are_requested_again_or_elsewhere() {
    let project = Project::new(Store::Containerd);
    let server = &project.server;
    let [once, always, good] = [(); 3].map(|()| fresh_package("1.0"));
    let only = once.0.path();
    server.fault(&format!("/first/{only}"), Fault::Status(404), Times::Always);
    server.fault(&format!("/own/{only}"), Fault::Stall, Times::First(1));
    let elsewhere = format!("/first/{}", always.0.path());
    server.fault(&elsewhere, Fault::Stall, Times::Always);
    let lines = [once, always, good].map(|package| serve(&project, package));
    lock(&project, &lines.concat());
    let mirrors =
        ["first", "own"].map(|name| format!("http://channel.invalid={}", server.url(name)));
    let mirrors = format!("CONDA_MIRRORS={}", mirrors.join(" "));
    let both = ["--build-arg", &mirrors, PATIENCE[0], PATIENCE[1]];
    project.build(&both).expect_success();

    let lost = fresh_package("1.0");
    server.fault(&format!("*/{}", lost.0.path()), Fault::Stall, Times::Always);
    let line = serve(&project, lost);
    lock(&project, &line);
    let own = format!("CONDA_MIRRORS=http://channel.invalid={}", server.url("own"));
    let one = ["--build-arg", &own, PATIENCE[0], PATIENCE[1]];
    let error = masked(&project, &error_of(&project.build(&one).expect_failure()));
    assert!(error.starts_with("env.lock:3"), "{error}");
    assert!(error.contains("did not arrive within 6 seconds"), "{error}");
    assert!(error.contains("CONDAFRONT_TIMEOUT"), "{error}");
}

#[test]
fn scripts_that_do_not_end_are_ended() {
    let project = Project::new(Store::Containerd);
    let package = |name: &str, script: &str| {
        let file = format!("bin/.{name}-post-link.sh");
        channel::package(name, "1.0", &[(&file, script, 0o755)])
    };
    let own = format!(
        "CONDA_MIRRORS=http://channel.invalid={}",
        project.server.url("own")
    );
    let args = ["--build-arg", &own, PATIENCE[0], PATIENCE[1]];
    let fine = package("leaves-a-process", "sleep 1000 &\necho started\n");
    let hangs = package("does-not-end", "echo waiting\nsleep 1000\n");

    let line = serve(&project, fine);
    lock(&project, &line);
    let output = project.build(&args).expect_success();
    assert!(
        output.stderr.contains("left a process running"),
        "{}",
        output.stderr
    );

    let second = serve(&project, hangs);
    lock(&project, &format!("{line}{second}"));
    let error = error_of(&project.build(&args).expect_failure());
    assert!(error.starts_with("env.lock:4"), "{error}");
    assert!(
        error.contains("the post-link script of does-not-end 1.0 printed nothing for 6 seconds"),
        "{error}"
    );
}

#[test]
fn a_named_pipe_is_not_read() {
    let project = Project::new(Store::Containerd);
    let pipe = project.path("tools.yml");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    project.write(
        LOCK,
        format!(
            "# syntax={}\nenvironments:\n  tools: tools.yml\n",
            frontend()
        ),
    );
    let error = error_of(&project.build(&[]).expect_failure());
    assert!(error.contains("`tools.yml` is a named pipe"), "{error}");
}
