//! An env.yml is solved in the build, once.

use std::collections::BTreeSet;

use condafront_step_spec::solve::{Glibc, RepodataSpec, SolveSpec};
use condafront_steps::solve::solve;
use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;
use condafront_testkit::repodata::next;
use condafront_testkit::server::{Auth, Fault, Times};

use crate::failure::Failures;
use crate::project::{LOCK, Project, frontend};
use crate::pushed::Pushed;

/// The subdirs that a solve reads.
pub(crate) const SUBDIRS: [&str; 2] = ["linux-64", "noarch"];

/// An env.yml with these dependencies and the project's channel.
pub(crate) fn env(project: &Project, dependencies: &[&str]) -> String {
    env_of(project.channel(), dependencies)
}

pub(crate) fn env_of(channel: &str, dependencies: &[&str]) -> String {
    let list: String = dependencies
        .iter()
        .map(|text| format!("  - {text}\n"))
        .collect();
    format!("channels:\n  - {channel}\ndependencies:\n{list}")
}

/// Writes `text`, below a syntax line, as the file to build.
pub(crate) fn write(project: &Project, text: &str) {
    project.write(LOCK, format!("# syntax={}\n{text}", frontend()));
}

/// What a solve outside the build chooses, as names of `conda-meta` files.
fn solved(specs: &[&str]) -> BTreeSet<String> {
    let input = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (index, subdir) in SUBDIRS.into_iter().enumerate() {
        let file = "repodata.json";
        let from = Channel::open().directory().join(subdir).join(file);
        let to = input.path().join(index.to_string());
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(from, to.join(file)).unwrap();
        files.push(RepodataSpec {
            channel: 0,
            subdir: subdir.to_owned(),
            file: file.to_owned(),
            address: None,
        });
    }
    let url = "https://conda.example/conda-forge".to_owned();
    let mut spec = SolveSpec::example([("conda-forge", url)], specs);
    spec.system.glibc = Glibc::Base("2.41".to_owned());
    let packages = solve(&spec, &files, input.path()).unwrap();
    packages
        .iter()
        .map(|package| {
            format!(
                "{}-{}-{}.json",
                package.name, package.version, package.build
            )
        })
        .collect()
}

#[test]
fn an_environment_is_solved() {
    let project = Project::new(Store::Containerd);
    write(&project, &env(&project, &["numpy", "activate-demo"]));
    project.build(&[]).expect_success();
    let program = "import numpy, os; print(int(numpy.arange(5).sum()), os.environ['ACTIVATE_DEMO_HOME'], *os.listdir('/opt/conda/conda-meta'))";
    let output = project
        .run(&[], &["python", "-c", program])
        .expect_success();
    let mut words = output.stdout.split_whitespace();
    assert_eq!(words.next(), Some("10"));
    assert_eq!(words.next(), Some("/opt/conda/share/activate-demo"));
    let installed: BTreeSet<String> = words
        .filter(|name| name.ends_with(".json"))
        .map(str::to_owned)
        .collect();
    assert_eq!(installed, solved(&["numpy", "activate-demo"]));
}

/// The solves that a build ran: the number of packages that each chose, from their logs. Only on an engine that nothing
/// else uses: where two builds have a step in common, BuildKit can report to one of them what the other runs.
pub(crate) fn solves(pushed: &Pushed) -> Vec<&str> {
    let chosen = |line| str::split_once(line, "packages chosen: ").map(|(_, count)| count);
    pushed.progress.lines().filter_map(chosen).collect()
}

/// On an engine that nothing else uses. Returns the last build.
pub(crate) fn the_same_question_is_solved_once(project: &Project) -> Pushed {
    let dependencies = ["text-prefix", "bumpme"];
    let text = env(project, &dependencies);
    write(project, &text);
    let first = project.push("first", &[]);
    assert_eq!(solves(&first).len(), 1, "{}", first.progress);
    let named = first.steps_run();
    assert!(
        named.contains("[solve] 2 dependencies for linux-64"),
        "{named:?}"
    );

    let second = project.push("second", &[]);
    assert_eq!(solves(&second), [""; 0], "{}", second.progress);
    assert_eq!(second.manifest, first.manifest);

    // Comments and positions are not part of the question.
    write(project, &format!("# a comment\n\n{text}# another\n"));
    let moved = project.push("moved", &[]);
    assert_eq!(solves(&moved), [""; 0], "{}", moved.progress);

    // Another base image with the same C library.
    let derived = format!("{}/derived", condafront_testkit::engine::registry());
    project.write(
        "Dockerfile",
        format!("FROM {}\nRUN touch /new\n", crate::project::base()),
    );
    let build = ["build", "--push", "-t", &derived, "."];
    project.docker(&build).expect_success();
    let argument = format!("BASE_IMAGE={derived}");
    let based = project.push("based", &["--build-arg", &argument]);
    assert_eq!(solves(&based), [""; 0], "{}", based.progress);

    // Only what cannot be reached differs, and the order.
    for subdir in SUBDIRS {
        let path = Channel::open()
            .directory()
            .join(subdir)
            .join("repodata.json");
        let list = std::fs::read_to_string(path).unwrap();
        let path = format!("/conda-forge/{subdir}/repodata.json.zst");
        project.server.put(&path, next(&list));
    }
    let changed = project.push("changed", &[]);
    assert_eq!(solves(&changed), [""; 0], "{}", changed.progress);
    let steps = changed.steps_run();
    let of_packages = |name: &&&str| name.starts_with("[install") || name.contains("dependencies");
    let of_packages: Vec<&str> = steps.iter().filter(of_packages).copied().collect();
    assert_eq!(
        of_packages,
        ["[solve] records for 2 dependencies for linux-64"]
    );
    assert_eq!(changed.manifest, first.manifest);

    write(
        project,
        &env(project, &["bumpme", "text-prefix", "file-kinds"]),
    );
    let more = project.push("more", &[]);
    assert_eq!(solves(&more).len(), 1, "{}", more.progress);
    more
}

#[test]
fn lists_come_from_wherever_they_can() {
    let project = Project::with_own_channel(Store::Containerd);
    let server = &project.server;
    let dependencies = ["bumpme"];

    // Only the uncompressed file, and nothing for the platform: the package is noarch.
    server.fault(
        "/conda-forge/*/repodata.json.zst",
        Fault::Status(404),
        Times::Always,
    );
    server.fault(
        "/conda-forge/linux-64/repodata.*",
        Fault::Status(404),
        Times::Always,
    );
    write(&project, &env(&project, &dependencies));
    let output = project.build(&["--no-cache"]).expect_success();
    // What a channel need not have looks like no failure, in a build that succeeds.
    assert!(!output.stderr.contains("ERROR"), "{}", output.stderr);

    // A temporary failure.
    server.heal();
    server.fault(
        "/conda-forge/*/repodata.json.zst",
        Fault::Status(503),
        Times::FirstOfEach(2),
    );
    project.build(&["--no-cache"]).expect_success();

    server.heal();
    let folder = Channel::open().directory();
    // From a mirror.
    server.mount("/mirror", folder);
    write(
        &project,
        &env_of("https://conda.invalid/main", &dependencies),
    );
    let mirror = format!(
        "CONDA_MIRRORS=https://conda.invalid/main={}",
        server.url("/mirror")
    );
    project.build(&["--build-arg", &mirror]).expect_success();
    let list = ["sh", "-c", "cat /opt/conda/conda-meta/bumpme-*.json"];
    let record = project.run(&[], &list).expect_success().stdout;
    assert!(record.contains("https://conda.invalid/main/"), "{record}");
    assert!(!record.contains("/mirror"), "{record}");
}

#[test]
fn environments_that_cannot_be_solved() {
    let project = Project::new(Store::Containerd);
    let server = &project.server;
    let folder = Channel::open().directory();
    server.mount_private("/private", folder, Auth::Bearer("secret".to_owned()));
    server.mount("/page", folder);
    server.mount("/busy", folder);
    server.fault("/page/*", Fault::Html, Times::Always);
    server.fault("/busy/*", Fault::Status(503), Times::Always);
    let channel = |name: &str| env_of(&server.url(name), &["python"]);
    let mut failures = Failures::new(&project);
    failures
        .add(
            "a missing package",
            env(&project, &["python", "numpi"]),
            &[],
        )
        .add(
            "a missing version",
            env(&project, &["python", "bumpme >=3"]),
            &[],
        )
        .add(
            "versions that exclude each other",
            env(&project, &["bumpme", "python <3", "numpy"]),
            &[],
        )
        .add(
            "a base without glibc",
            env(&project, &["python"]),
            &["--build-arg", "BASE_IMAGE=scratch"],
        )
        .add("a missing channel", channel("/nowhere"), &[])
        .add("a channel that needs a login", channel("/private"), &[])
        .add("a channel that is a web page", channel("/page"), &[])
        .add("a channel with a failing server", channel("/busy"), &[])
        .add(
            "an unknown host",
            env_of("http://conda.invalid/main", &["python"]),
            &[],
        );
    insta::assert_snapshot!(failures.text());
}
