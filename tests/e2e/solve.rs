//! An env.yml is solved in the build, once.

use std::collections::BTreeSet;

use condafront_step_spec::solve::{Glibc, RepodataSpec, SolveSpec};
use condafront_steps::solve::solve;
use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;
use condafront_testkit::repodata::next;
use condafront_testkit::server::{Auth, Fault, Times};
use condafront_testkit::shards::{LIST, Shards, shards};
use serde_json::Value;

use crate::failure::Failures;
use crate::project::{LOCK, Project, frontend};
use crate::pushed::Pushed;

/// The subdirs that a solve reads.
const SUBDIRS: [&str; 2] = ["linux-64", "noarch"];

/// An env.yml with these dependencies and the project's channel.
pub(crate) fn env(project: &Project, dependencies: &[&str]) -> String {
    env_of(project.channel(), dependencies)
}

fn env_of(channel: &str, dependencies: &[&str]) -> String {
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

/// On an engine that nothing else uses.
pub(crate) fn the_same_question_is_solved_once(project: &Project) {
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
    answers_for_newer_shards_are_kept(project, &more);
}

/// A build after one with a newer list finds what that one has found.
fn answers_for_newer_shards_are_kept(project: &Project, known: &Pushed) {
    // The step downloads from this machine.
    let args = ["--network", "host"];
    let searches = |pushed: &Pushed| {
        let steps = pushed.steps_run().into_iter();
        steps
            .filter(|name| name.starts_with("[solve] records for"))
            .count()
    };
    let lists = SUBDIRS.map(|subdir| {
        let folder = Channel::open().directory().join(subdir);
        std::fs::read_to_string(folder.join("repodata.json")).unwrap()
    });
    let newer = lists.each_ref().map(|list| next(list));
    for (tag, lists) in [("sharded", &lists), ("newer", &newer)] {
        serve_shards(project, [&lists[0], &lists[1]]);
        let pushed = project.push(tag, &args);
        assert_eq!(solves(&pushed), [""; 0], "{}", pushed.progress);
        assert_eq!(searches(&pushed), 1, "{}", pushed.progress);
        assert_eq!(pushed.manifest, known.manifest);
    }
    project.server.clear();
    let again = project.push("again", &args);
    assert_eq!(solves(&again), [""; 0], "{}", again.progress);
    assert_eq!(searches(&again), 0, "{}", again.progress);
    let asked = project.server.requests();
    let is_shard = |path: &str| path.contains("/shards/");
    assert!(
        !asked.iter().any(|request| is_shard(&request.path)),
        "{asked:?}"
    );
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

/// Puts shards of these lists, by subdir, on the project's channel.
fn serve_shards(project: &Project, lists: [&str; 2]) -> Vec<Shards> {
    let shards = SUBDIRS.iter().zip(lists).map(|(subdir, list)| {
        let shards = shards(list, "shards");
        let folder = format!("/conda-forge/{subdir}");
        shards.serve(&project.server, &folder, &format!("{folder}/shards"));
        shards
    });
    shards.collect()
}

/// A list whose records say this about their licence.
fn licensed(list: &str, family: &str) -> String {
    let mut list: Value = serde_json::from_str(list).unwrap();
    for key in ["packages", "packages.conda"] {
        for record in list[key].as_object_mut().unwrap().values_mut() {
            record["license_family"] = family.into();
        }
    }
    list.to_string()
}

#[test]
fn shards_are_a_faster_way_to_the_same_records() {
    const INSTEAD: &str = "its shards are not used";
    const WHOLE: &str = ": found in its whole repodata";
    let project = Project::with_own_channel(Store::Containerd);
    let lists = SUBDIRS.map(|subdir| {
        let folder = Channel::open().directory().join(subdir);
        std::fs::read_to_string(folder.join("repodata.json")).unwrap()
    });
    let [linux, noarch] = &lists;
    // The step downloads from this machine.
    let args = ["--network", "host"];
    write(&project, &env(&project, &["bumpme"]));
    let whole = project.push("whole", &args);
    // The log says so in a line for each subdir.
    let said = whole.progress.matches(WHOLE).count();
    assert_eq!(said, 2, "{}", whole.progress);

    serve_shards(&project, [linux, noarch]);
    project.server.clear();
    let sharded = project.push("sharded", &args);
    assert!(!sharded.progress.contains(INSTEAD), "{}", sharded.progress);
    let asked = project.server.requests();
    let has = |part: &str| asked.iter().any(|request| request.path.contains(part));
    assert!(has("/shards/") && !has("repodata.json"), "{asked:?}");
    assert_eq!(sharded.layers, whole.layers);

    // A server may refuse the list in other ways than with 404.
    let refusing = [linux, noarch].map(|list| licensed(list, "refused"));
    serve_shards(&project, [&refusing[0], &refusing[1]]);
    for ((subdir, list), status) in SUBDIRS.iter().zip(&refusing).zip([403, 501]) {
        let folder = format!("/conda-forge/{subdir}");
        let list = zstd::encode_all(list.as_bytes(), 3).unwrap();
        project
            .server
            .put(&format!("{folder}/repodata.json.zst"), list);
        let list = format!("{folder}/{LIST}");
        project
            .server
            .fault(&list, Fault::Status(status), Times::Always);
    }
    let refused = project.push("refused", &args);
    let said = refused.progress.matches(WHOLE).count();
    assert_eq!(said, 2, "{}", refused.progress);
    assert_eq!(refused.layers, whole.layers);
    project.server.heal();

    // The step cannot reach this machine through its own network.
    let alone = [linux, noarch].map(|list| licensed(list, "alone"));
    serve_shards(&project, [&alone[0], &alone[1]]);
    let alone = project.push("alone", &[]);
    assert!(alone.progress.contains(INSTEAD), "{}", alone.progress);
    assert_eq!(alone.layers, whole.layers);
    serve_shards(&project, [linux, noarch]);

    // An error is that of whole lists.
    write(&project, &env(&project, &["bumpmi"]));
    let output = project.build(&args).expect_failure();
    assert!(output.stderr.contains("bumpme"), "{}", output.stderr);

    // A server that fails for a while: with the next build, it is asked again.
    write(&project, &env(&project, &["bumpme"]));
    serve_shards(&project, [linux, &licensed(noarch, "mine")]);
    let every = "/conda-forge/noarch/shards/*";
    project
        .server
        .fault(every, Fault::Status(503), Times::Always);
    let busy = project.push("busy", &args);
    assert!(busy.progress.contains(INSTEAD), "{}", busy.progress);
    assert_eq!(busy.layers, whole.layers);
    project.server.heal();
    let well = project.push("well", &args);
    let found = well.progress.rsplit_once("records found: ");
    assert!(found.is_some_and(|(_, after)| !after.contains(INSTEAD)));
    assert_eq!(well.layers, whole.layers);

    // Mirrors are asked in turn: one has no list, one a list whose shards are missing.
    for (mirror, has_list) in [("/none", false), ("/empty", true), ("/mirror", true)] {
        for (subdir, list) in SUBDIRS.iter().zip([linux, noarch]) {
            // Not those that the step has kept from earlier builds.
            let found = shards(&licensed(list, "mirrored"), "shards");
            let folder = format!("{mirror}/{subdir}");
            if has_list {
                project
                    .server
                    .put(&format!("{folder}/{LIST}"), found.list.clone());
            }
            if mirror == "/mirror" {
                found.serve(&project.server, &folder, &format!("{folder}/shards"));
            }
        }
        project.server.mount(mirror, Channel::open().directory());
    }
    write(&project, &env_of("https://conda.invalid/main", &["bumpme"]));
    let mirrors = ["/none", "/empty", "/mirror"]
        .map(|mirror| format!("https://conda.invalid/main={}", project.server.url(mirror)));
    let mirrors = format!("CONDA_MIRRORS={}", mirrors.join(","));
    project.server.clear();
    let mirrored = project.push(
        "mirrored",
        &[&args[..], &["--build-arg", &mirrors]].concat(),
    );
    let asked = project.server.requests();
    let has = |part: &str| asked.iter().any(|request| request.path.contains(part));
    assert!(
        has("/mirror/noarch/shards/") && !has("repodata.json"),
        "{asked:?}"
    );
    let found = mirrored.progress.rsplit_once("records found: ");
    assert!(found.is_some_and(|(_, after)| !after.contains(INSTEAD)));

    // A shard that does not fit the list.
    write(&project, &env(&project, &["bumpme"]));
    let shards = serve_shards(&project, [linux, &licensed(noarch, "none")]);
    let (file, _) = &shards[1].files["bumpme"];
    let path = format!("/conda-forge/noarch/shards/{file}");
    project.server.put(&path, b"something else".to_vec());
    let other = project.push("other", &args);
    assert!(other.progress.contains(INSTEAD), "{}", other.progress);
    assert_eq!(other.layers, whole.layers);
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
