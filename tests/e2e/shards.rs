//! Records from shards of a channel instead of its whole list.

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;
use condafront_testkit::repodata::next;
use condafront_testkit::server::{Fault, Times};
use condafront_testkit::shards::{LIST, Shards, shards};
use serde_json::Value;

use crate::project::Project;
use crate::pushed::Pushed;
use crate::solve::{SUBDIRS, env, env_of, solves, write};

/// A build after one with a newer list finds what that one has found: `known`, on an engine that nothing else uses.
pub(crate) fn answers_for_newer_shards_are_kept(project: &Project, known: &Pushed) {
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
