//! An engine without root: a dockerd in the user namespace of another user.

use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::engine::{self, Engine, Machine, Store};

use crate::project::{LOCK, NATIVE, Project};

/// The address of the channel. Its packages come from a folder: the engine does not reach the servers of the tests.
const CHANNEL: &str = "https://conda.example/forge";

#[test]
#[ignore = "needs a machine where another user can have an engine"]
fn needs_rootless_an_engine_without_root_makes_the_same_image() {
    let machine = Machine {
        is_rootless: true,
        ..Machine::default()
    };
    let rootless = Project::on(Engine::start_fresh_on(Store::Containerd, machine));
    let usual = Project::new(Store::Containerd);
    let frontend = usual.path("frontend.tar").display().to_string();
    let save = ["save", "--output", &frontend, "condafront:dev"];
    usual.docker(&save).expect_success();
    let load = ["load", "--input", &frontend];
    rootless.docker(&load).expect_success();

    let channel = Channel::open();
    let packages = channel.closure(&[
        "noarch-demo",
        "clash-a",
        "clash-b",
        "file-kinds",
        "post-link-demo",
        "activate-demo",
    ]);
    let lock = channel::lock(&packages, CHANNEL, HashStyle::Sha256);
    let images = [&usual, &rootless].map(|project| {
        project.write(LOCK, format!("# syntax=condafront:dev\n{lock}"));
        for package in &packages {
            let path = format!("channel/conda.example/forge/{}", package.path());
            let path = project.path(&path);
            let folder = path.parent().expect("a folder");
            std::fs::create_dir_all(folder).expect("a folder for the channel");
            std::fs::copy(channel.archive(package), &path).expect("an archive");
        }
        let base = ["--build-arg", "BASE_IMAGE=debian:13-slim"];
        let offline = ["--network", "none", "--build-context", "channel=channel"];
        let args = [&["-f", LOCK][..], &base, &offline, &NATIVE, &["."]].concat();
        project.build_image(&args).expect_success();
        let inspect = ["image", "inspect", "--format", "{{json .RootFS.Layers}}"];
        let found = project.docker(&[&inspect[..], &[project.tag()]].concat());
        found.expect_success().stdout
    });
    assert_eq!(images[0], images[1]);

    let script =
        "import os, noarch_demo; print(os.getuid()); print(open('/proc/self/uid_map').read())";
    let said = rootless
        .run(&[], &["python", "-c", script])
        .expect_success();
    let words: Vec<&str> = said.stdout.split_whitespace().collect();
    // The image's user, where root is the user who has the engine.
    assert_eq!(words[..3], ["57439", "0", "54321"], "{}", said.stdout);
    let told =
        engine::run(
            &mut rootless
                .engine
                .docker(["info", "--format", "{{json .SecurityOptions}}"]),
        );
    assert!(told.expect_success().stdout.contains("rootless"));
}
