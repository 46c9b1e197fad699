//! The errors that users see most often are the same on both stores.

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;
use condafront_testkit::server::{Fault, Times};

use crate::errors::{good, lock_of, no_hash, pinned, second};
use crate::failure::Failures;
use crate::project::Project;

/// The errors that users see most often, on one store.
fn common_errors(store: Store) -> String {
    let project = Project::new(store);
    let server = &project.server;
    server.mount("/hostile", Channel::hostile().directory());
    server.fault("/wall/*", Fault::Html, Times::Always);
    let mut failures = Failures::new(&project);
    let absent = |folder: &str, seed| {
        let url = server.url(&format!("{folder}/noarch/absent-1.0-0.conda"));
        second(&project, &format!("{url}#sha256:{}", no_hash(seed)))
    };
    let hostile = pinned(&project, "hostile", Channel::hostile().find("dotdot"));
    let post_link = pinned(
        &project,
        "conda-forge",
        Channel::open().find("post-link-fails"),
    );
    let ids = [
        "--build-arg",
        "MAMBA_USER=daemon",
        "--build-arg",
        "MAMBA_USER_ID=4321",
    ];
    failures
        .add("an empty lock", "@EXPLICIT\n", &[])
        .add("404 Not Found", absent("conda-forge", 21), &[])
        .add("a web page", absent("wall", 22), &[])
        .add("a path with ..", second(&project, &hostile), &[])
        .add(
            "a post-link script that fails",
            second(&project, &post_link),
            &[],
        )
        .add(
            "a user name of the base image",
            lock_of(&good(&project)),
            &ids,
        );
    failures.text().to_owned()
}

#[test]
fn errors_on_the_containerd_store() {
    insta::assert_snapshot!("common_errors", common_errors(Store::Containerd));
}

#[test]
fn errors_on_the_classic_store_are_the_same() {
    insta::assert_snapshot!("common_errors", common_errors(Store::Classic));
}
