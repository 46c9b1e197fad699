//! The same input gives the same image, whoever builds it.

use condafront_testkit::engine::{self, Store};

use crate::pip::{hello, real, serve};
use crate::project::{LOCK, Project, base, frontend};
use crate::pushed::Pushed;

#[test]
fn two_builders_that_never_met_make_the_same_image() {
    let one = Project::new(Store::Containerd);
    one.lock(&[
        "python",
        "activate-demo",
        "clash-a",
        "clash-b",
        "file-kinds",
        "jinja2",
        "noarch-demo",
        "post-link-demo",
        "prefix-demo",
        "text-prefix",
        "pip",
    ]);
    let pip = [
        serve(&one, "hello.world", &hello("1.0")),
        real(&one, "idna"),
    ];
    let lock = std::fs::read_to_string(one.path(LOCK)).unwrap();
    one.write(LOCK, lock + &pip.concat());
    let other = Project::fresh(Store::Containerd);
    other.write(LOCK, std::fs::read(one.path(LOCK)).unwrap());

    let epoch = ["--build-arg", "SOURCE_DATE_EPOCH=1700000000"];
    let ours = one.push("image", &epoch);
    let theirs = other.push("image", &epoch);
    assert_eq!(ours.layers, theirs.layers);
    assert_eq!(ours.manifest, theirs.manifest);
}

/// Commands give their files the time at which they run, and every copy and command changes the times of folders.
#[test]
fn copies_and_commands_are_repeatable_with_rewritten_times() {
    let project = Project::new(Store::Containerd);
    let image = |args: &[&str]| {
        let reference = format!("{}/{}:times", engine::registry(), project.name());
        let output =
            format!("type=image,name={reference},push=true,store=false,rewrite-timestamp=true");
        let epoch = "SOURCE_DATE_EPOCH=1700000000";
        let usual = [
            "build",
            "--progress",
            "plain",
            "--provenance=false",
            "-f",
            "env.yml",
        ];
        let to = ["--output", &output, "--build-arg", epoch];
        let built = project.docker(&[&usual[..], &to, args, &["."]].concat());
        let progress = built.expect_success().stderr;
        Pushed::new(progress, &project.engine, &reference)
    };
    project.write("app.txt", "app\n").write(
        "env.yml",
        format!(
            "# syntax={}\nchannels: [{}]\ndependencies: [text-prefix]\n\
             condafront:\n  installer: native\n  base: {}\n  workdir: /work\n  copy:\n    app.txt: new/folder/\n  \
             run:\n    - mkdir -p made/here && date +%Y > made/here/year\n",
            frontend(),
            project.channel(),
            base(),
        ),
    );
    let first = image(&[]);
    let again = image(&["--no-cache"]);
    let ran = again.steps_run();
    for step in ["[copy]", "[run 1/1]"] {
        assert!(ran.iter().any(|name| name.starts_with(step)), "{ran:?}");
    }
    assert_eq!(first.layers, again.layers);
    assert_eq!(first.manifest, again.manifest);

    // The base's layer is the one that every other image has.
    let of_base = Pushed::new(String::new(), &project.engine, &base());
    assert_eq!(first.layers[0], of_base.layers[0]);
}
