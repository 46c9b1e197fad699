//! A build succeeds even if BuildKit has lost the results of an earlier one.

use std::thread::sleep;
use std::time::Duration;

use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::engine::Store;

use crate::client::Client;
use crate::project::{LOCK, Project, frontend, on_both_stores};

on_both_stores!(what_the_store_lost_is_made_again);

/// Results of each kind of vertex, by a part of their descriptions in `docker buildx du`.
const LOST: [&str; 4] = [
    "load condafront's programs",
    "from exec /condafront libc",
    "from exec /condafront solve",
    "noarch/bumpme-",
];

/// When builds are interrupted, in milliseconds after the start of the merge of their layers.
const MOMENTS: [u64; 4] = [10, 40, 80, 120];

/// Ctrl-C while BuildKit commits merged layers may leave a cache that would make every later build fail. Whether it
/// does is a matter of milliseconds; the builds that follow must succeed in any case.
#[test]
fn a_build_succeeds_after_an_interrupted_one() {
    let project = Project::fresh(Store::Containerd);
    let channel = Channel::tiny(20);
    project.server.mount("/tiny", channel.directory());
    let packages: Vec<_> = channel.packages().iter().collect();
    let lock = channel::lock(&packages, &project.server.url("/tiny"), HashStyle::Sha256);
    project.write(LOCK, format!("# syntax={}\n{lock}", frontend()));
    for (user, moment) in (4000..).zip(MOMENTS) {
        // A new owner: every package is installed again, and nothing is committed yet.
        let user = format!("MAMBA_USER_ID={user}");
        let client = Client::start(&project, LOCK, &["--build-arg", &user]);
        client.wait_until(|said| said.contains("put the layers together"));
        sleep(Duration::from_millis(moment));
        // As Ctrl-C does.
        client.end("INT");
        project.build(&["--build-arg", &user]).expect_success();
        let list = ["sh", "-c", "cat /opt/conda/share/tiny/*.txt | wc -l"];
        let output = project.run(&[], &list).expect_success();
        assert_eq!(output.stdout, "20\n");
    }
}

fn what_the_store_lost_is_made_again(store: Store) {
    let project = Project::fresh(store);
    project.write(
        "env.yml",
        format!(
            "# syntax={}\nchannels: [{}]\ndependencies: [bumpme]\n",
            frontend(),
            project.channel()
        ),
    );
    let mut told = false;
    for (user, what) in (4000..).zip(LOST) {
        project.build_file("env.yml", &[]).expect_success();
        let lost = cached(&project, what)
            .iter()
            .filter(|id| project.engine.lose(id))
            .count();
        // See `Engine::lose`: the programs are where steps start.
        let is_possible = store == Store::Containerd || what != LOST[0];
        assert_eq!(lost > 0, is_possible, "{what} is still there");
        // For a new owner, the package is installed again.
        let user = format!("MAMBA_USER_ID={user}");
        let args = ["--build-arg", &user];
        let built = project.build_file("env.yml", &args);
        assert!(built.status.success(), "without {what}: {}", built.stderr);
        told |= built
            .stderr
            .contains("[cache] the engine has lost a result: ");
        // The next build finds what this one made.
        project.build_file("env.yml", &args).expect_success();
    }
    assert!(told, "no build said why it made everything again");
    let files = project.run(&[], &["ls", "/opt/conda/conda-meta"]);
    let files = files.expect_success().stdout;
    assert!(files.contains("bumpme-"), "{files}");
}

/// The ids of the records of the build cache with this in their description.
fn cached(project: &Project, what: &str) -> Vec<String> {
    let list = project.docker(&["buildx", "du", "--verbose"]);
    let list = list.expect_success().stdout;
    let records = list
        .split("\n\n")
        .filter(|record| record.contains(what))
        .filter_map(|record| {
            let id = record.lines().find_map(|line| line.strip_prefix("ID:"));
            id.map(|id| id.trim().to_owned())
        });
    let ids: Vec<String> = records.collect();
    assert!(!ids.is_empty(), "nothing is {what} in {list}");
    ids
}
