//! Large inputs, what must not show anywhere, and what the daemon says of our operations.

use std::process::Command;

use buildkit_proto::pb;
use condafront_testkit::channel::{self, Channel, HashStyle, Package};
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::server::Auth;
use prost::Message as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::downloads::fresh_package;
use crate::failure::{error_of, masked};
use crate::project::{LOCK, Project, frontend};

/// A lock of 5 MB with packages of four platforms and a comment for each; `last` is its last line.
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

fn a_lock_of_5_mb(store: Store) {
    let project = Project::new(store);
    let good = Channel::open().find("bumpme");
    let url = project.server.url(&format!("conda-forge/{}", good.path()));
    project.write(
        LOCK,
        large_lock(&project, &format!("{url}#{}", good.sha256)),
    );
    project.build(&[]).expect_success();
    project
        .run(&[], &["cat", "/opt/conda/share/bumpme/version.txt"])
        .expect_success();
    project
        .run(&[], &["test", "-x", "/opt/conda/bin/file-kinds"])
        .expect_success();
}

#[test]
fn a_lock_of_5_mb_on_the_containerd_store() {
    a_lock_of_5_mb(Store::Containerd);
}

#[test]
fn a_lock_of_5_mb_on_the_classic_store() {
    a_lock_of_5_mb(Store::Classic);
}

#[test]
fn an_error_in_a_lock_of_5_mb_shows_its_line() {
    let project = Project::new(Store::Containerd);
    // One that we find, one that BuildKit finds, and one that a step finds.
    let absent = project.server.url("conda-forge/noarch/absent-1.0-0.conda");
    let hostile = Channel::hostile().find("dotdot");
    project
        .server
        .mount("/hostile", Channel::hostile().directory());
    let hostile = project.server.url(&format!("hostile/{}", hostile.path()));
    let sha256 = &Channel::hostile().find("dotdot").sha256;
    for (last, message) in [
        ("numpy".to_owned(), "is not a URL"),
        (
            format!("{absent}#sha256:{}", "5".repeat(64)),
            "404 Not Found",
        ),
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

/// The digests of all operations that the tool plans for the project's lock.
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

/// Everything that an image holds, says and is recorded with.
fn all_bytes(project: &Project) -> Vec<u8> {
    let file = |name: &str| project.path(name).to_string_lossy().into_owned();
    let container = format!("{}-files", project.tag());
    let inspect = project
        .docker(&["image", "inspect", project.tag()])
        .expect_success();
    let history = ["history", "--no-trunc", project.tag()];
    let history = project.docker(&history).expect_success();
    project
        .docker(&["save", "-o", &file("image.tar"), project.tag()])
        .expect_success();
    project
        .docker(&["create", "--name", &container, project.tag()])
        .expect_success();
    project
        .docker(&["export", "-o", &file("files.tar"), &container])
        .expect_success();
    project.docker(&["rm", &container]).expect_success();
    let mut all = format!("{}{}", inspect.stdout, history.stdout).into_bytes();
    // Layers may be compressed in the first, and are plain in the second.
    for name in ["image.tar", "files.tar"] {
        all.extend(std::fs::read(project.path(name)).expect("what docker wrote"));
    }
    all
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

const PASSWORD: &str = "hunter2-5d1c";
const TOKEN: &str = "tk-9f3a7c-44";

/// A project with packages in channels that want credentials, and a lock that has them.
struct Private {
    project: Project,
    packages: Vec<Package>,
    lock: String,
    mirrors: String,
    _folder: tempfile::TempDir,
}

impl Private {
    fn new(store: Store) -> Self {
        let project = Project::new(store);
        let folder = tempfile::tempdir().expect("a folder for the channel");
        std::fs::create_dir(folder.path().join("noarch")).expect("a folder in it");
        let packages: Vec<Package> = (0..3)
            .map(|_| {
                let (package, archive) = fresh_package("1.0");
                std::fs::write(folder.path().join(package.path()), archive).expect("an archive");
                package
            })
            .collect();
        let basic = Auth::Basic {
            user: "ada".to_owned(),
            password: PASSWORD.to_owned(),
        };
        project.server.mount_private("/basic", folder.path(), basic);
        let token = Auth::Token(TOKEN.to_owned());
        project.server.mount_private("/token", folder.path(), token);
        let address = project.server.address();
        let bases = [
            format!("http://ada:{PASSWORD}@{address}/basic"),
            format!("http://{address}/t/{TOKEN}/token"),
            "http://mirrored.invalid/forge".to_owned(),
        ];
        let mut lock = format!("# syntax={}\n@EXPLICIT\n", frontend());
        for (base, package) in bases.iter().zip(&packages) {
            lock.push_str(&format!("{base}/{}#{}\n", package.path(), package.sha256));
        }
        let mirrors =
            format!("CONDA_MIRRORS=http://mirrored.invalid/forge=http://{address}/t/{TOKEN}/token");
        Self {
            project,
            packages,
            lock,
            mirrors,
            _folder: folder,
        }
    }

    /// Builds `lock`; no secret shows.
    fn build(&self, lock: &str, args: &[&str]) -> Output {
        self.project.write(LOCK, lock);
        let output = self
            .project
            .build(&[&["--build-arg", &self.mirrors], args].concat());
        let seen = format!("{}{}", output.stdout, output.stderr);
        for secret in [PASSWORD, TOKEN] {
            assert!(!seen.contains(secret), "{seen}");
        }
        output
    }

    /// The image has the packages and no secret.
    fn expect_clean_image(&self) {
        let bytes = all_bytes(&self.project);
        let address = self.project.server.address();
        let record = format!("http://{address}/token/{}", self.packages[1].path());
        assert!(contains(&bytes, &record), "no record says {record}");
        for secret in [PASSWORD, TOKEN] {
            assert!(!contains(&bytes, secret), "the image has {secret}");
        }
    }
}

fn credentials_show_nowhere(store: Store, args: &[&str]) {
    let private = Private::new(store);
    private.build(&private.lock, args).expect_success();
    private.expect_clean_image();
    // Errors of our own, of a download, and of a step; excerpts and all.
    let lock = &private.lock;
    let [first, second, third] = private.packages.as_slice() else {
        panic!("three packages");
    };
    for broken in [
        lock.replace(&second.sha256, "no-hash"),
        lock.replace(&second.name, "absent")
            .replace(&second.sha256, &"7".repeat(64)),
        lock.replace(&third.sha256, &"8".repeat(64)),
        lock.replace(&first.sha256, &"9".repeat(32)),
    ] {
        let output = private.build(&broken, args).expect_failure();
        assert!(output.stderr.contains(">>>"), "{}", output.stderr);
    }
}

#[test]
fn credentials_show_nowhere_on_the_containerd_store() {
    credentials_show_nowhere(Store::Containerd, &["--provenance=false"]);
}

#[test]
fn credentials_show_nowhere_on_the_classic_store() {
    credentials_show_nowhere(Store::Classic, &[]);
}

#[test]
fn a_token_that_provenance_would_tell_is_refused() {
    let private = Private::new(Store::Containerd);
    let error = error_of(&private.build(&private.lock, &[]).expect_failure());
    let mut error = masked(&private.project, &error);
    for (package, name) in private.packages.iter().zip(["first", "second", "third"]) {
        error = error.replace(&package.file_name, &format!("{name}-1.0-0.conda"));
    }
    insta::assert_snapshot!(error);

    // BuildKit takes users and passwords out of what it records.
    let lines: Vec<&str> = private.lock.lines().take(3).collect();
    private.build(&lines.join("\n"), &[]).expect_success();
    assert!(!contains(&all_bytes(&private.project), PASSWORD));
}
