//! Large inputs, and the digests that the daemon has for our operations.

use std::process::Command;

use buildkit_proto::pb;
use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::engine::Store;
use prost::Message as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::failure::error_of;
use crate::project::{LOCK, Project, frontend};

/// A 5 MB lock with packages for four platforms, each with a comment; `last` is its last line.
fn large_lock(project: &Project, last: &str) -> String {
    let mut lock = project.lock_text(&[Channel::open().find("file-kinds")], HashStyle::Sha256);
    let mut number = 0u64;
    while lock.len() < 5 << 20 {
        for subdir in ["osx-64", "osx-arm64", "linux-aarch64", "win-64"] {
            let name = format!("filler-{number}");
            lock.push_str(&format!(
                "# {name} is needed by nothing\nhttps://conda.invalid/forge/{subdir}/{name}-1.0-0.conda#sha256:{number:064x}\n"
            ));
        }
        number += 1;
    }
    lock + last + "\n"
}

#[test]
fn a_lock_of_5_mb_is_read() {
    let project = Project::new(Store::Containerd);
    let good = Channel::open().find("bumpme");
    let url = project.server.url(&format!("conda-forge/{}", good.path()));
    project.write(
        LOCK,
        large_lock(&project, &format!("{url}#{}", good.sha256)),
    );
    project.build(&[]).expect_success();
    let script = "cat /opt/conda/share/bumpme/version.txt && test -x /opt/conda/bin/file-kinds";
    project.run(&[], &["sh", "-c", script]).expect_success();
}

#[test]
fn an_error_in_a_lock_of_5_mb_shows_its_line() {
    let project = Project::new(Store::Containerd);
    // One that the frontend finds, and one that a step finds.
    let hostile = Channel::hostile().find("dotdot");
    project
        .server
        .mount("/hostile", Channel::hostile().directory());
    let hostile = project.server.url(&format!("hostile/{}", hostile.path()));
    let sha256 = &Channel::hostile().find("dotdot").sha256;
    for (last, message) in [
        ("numpy".to_owned(), "is not a URL"),
        (format!("{hostile}#{sha256}"), "path with `..`"),
    ] {
        let lock = large_lock(&project, &last);
        let number = lock.lines().count();
        project.write(LOCK, lock);
        let error = error_of(&project.build(&[]).expect_failure());
        assert!(error.contains(message), "{error}");
        assert!(error.contains(&format!("{number} | >>> {last}")), "{error}");
        assert!(
            error.contains(&format!("{} |     # filler-", number - 2)),
            "{error}"
        );
    }
}

fn a_thousand_packages(store: Store) {
    let project = Project::new(store);
    let channel = Channel::tiny(1000);
    project.server.mount("/tiny", channel.directory());
    let packages: Vec<_> = channel.packages().iter().collect();
    let lock = channel::lock(&packages, &project.server.url("/tiny"), HashStyle::Sha256);
    project.write(LOCK, format!("# syntax={}\n{lock}", frontend()));
    project.build(&[]).expect_success();
    let count = "ls /opt/conda/share/tiny | wc -l; ls /opt/conda/conda-meta/tiny-*.json | wc -l";
    let output = project.run(&[], &["sh", "-c", count]).expect_success();
    assert_eq!(output.stdout, "1000\n1000\n");
}

#[test]
fn a_thousand_packages_on_the_containerd_store() {
    a_thousand_packages(Store::Containerd);
}

#[test]
fn a_thousand_packages_on_the_classic_store() {
    a_thousand_packages(Store::Classic);
}

/// The digests of all operations that `condafront llb` plans for the project's lock.
fn planned(project: &Project) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_condafront"));
    command.args(["llb", LOCK]).current_dir(project.path(""));
    let output = command.output().expect("the tool runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let definition = pb::Definition::decode(output.stdout.as_slice()).expect("a definition");
    let digest = |op: &Vec<u8>| format!("sha256:{}", hex::encode(Sha256::digest(op)));
    definition.def.iter().map(digest).collect()
}

#[test]
fn the_daemon_names_operations_as_we_do() {
    let project = Project::new(Store::Containerd);
    let absent = project.server.url("conda-forge/noarch/absent-1.0-0.conda");
    project.write(
        LOCK,
        format!(
            "# syntax={}\n@EXPLICIT\n{absent}#sha256:{}\n",
            frontend(),
            "6".repeat(64)
        ),
    );
    let output = project.build(&["--progress", "rawjson"]).expect_failure();
    let failed: Vec<String> = output
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .flat_map(|line| line["vertexes"].as_array().cloned().unwrap_or_default())
        .filter(|vertex| {
            let error = vertex["error"].as_str();
            error.is_some_and(|error| error.contains("digest mismatch"))
        })
        .filter_map(|vertex| vertex["digest"].as_str().map(str::to_owned))
        .collect();
    assert!(!failed.is_empty(), "{}", output.stderr);
    let planned = planned(&project);
    assert!(
        failed.iter().all(|digest| planned.contains(digest)),
        "{failed:?} {planned:?}"
    );
}
