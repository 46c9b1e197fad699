//! What a build does when BuildKit has lost what an earlier one made.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use condafront_testkit::engine::Store;

use crate::project::{LOCK, Project, base};

/// When builds are broken off, after their layers begin to be merged.
const MOMENTS: [u64; 4] = [10, 40, 80, 120];

/// Ctrl-C while BuildKit commits the layers that it merges may leave a cache behind with which every later build would fail.
/// Whether it does is a matter of milliseconds; the builds that follow succeed in any case.
#[test]
fn a_build_goes_on_after_one_that_was_broken_off() {
    let project = Project::fresh(Store::Containerd);
    project.lock(&["jinja2"]);
    let base = format!("BASE_IMAGE={}", base());
    for (user, moment) in (4000..).zip(MOMENTS) {
        // Every package is installed for another owner, and nothing is committed yet.
        let user = format!("MAMBA_USER_ID={user}");
        let native = "CONDAFRONT_INSTALLER=native";
        let mut build = vec!["build", "--progress", "plain", "-f", LOCK];
        for arg in [&base, native, &user] {
            build.extend(["--build-arg", arg]);
        }
        build.push(".");
        break_off(&project, &build, Duration::from_millis(moment));
        project.build(&["--build-arg", &user]).expect_success();
        let import = ["python", "-c", "import jinja2; print(jinja2.__name__)"];
        let output = project.run(&[], &import).expect_success();
        assert_eq!(output.stdout, "jinja2\n");
    }
}

/// Starts a build and interrupts it, as Ctrl-C does, `moment` after its layers begin to be merged.
fn break_off(project: &Project, build: &[&str], moment: Duration) {
    let mut command = project.engine.docker(build);
    command
        .current_dir(project.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut client = command.spawn().expect("the client starts");
    let progress = client.stderr.take().expect("its progress is read");
    let mut seen = String::new();
    for line in BufReader::new(progress).lines() {
        let line = line.expect("progress is text");
        seen.push_str(&line);
        seen.push('\n');
        if line.contains("put the layers together") {
            sleep(moment);
            let group = format!("-{}", client.id());
            let sent = Command::new("kill").args(["-INT", "--", &group]).status();
            assert!(sent.is_ok_and(|status| status.success()), "{seen}");
            break;
        }
    }
    client.wait().expect("the client ends");
    assert!(seen.contains("put the layers together"), "{seen}");
}
