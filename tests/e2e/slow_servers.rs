//! Servers that send one byte a second: what is downloaded comes from elsewhere, or the build says what it has waited for. The
//! next build is right. `redirects.rs` has the same for packages, `solve/download.rs` for shards.

use std::time::Duration;

use condafront_testkit::channel::Package;
use condafront_testkit::engine::Store;
use condafront_testkit::server::{Fault, Times};
use condafront_testkit::shards::{LIST, shards};

use crate::downloads::fresh_package;
use crate::failure::{error_of, masked};
use crate::faults::list_of;
use crate::pip::hello;
use crate::pip_private::index;
use crate::project::{Project, frontend};

const FILE: &str = "env.yml";

fn drip() -> Fault {
    Fault::Drip(Duration::from_secs(1))
}

/// Puts a package and its repodata into the folders `first` and `own` of the project's server, which are mirrors of a channel.
/// Builds it, with less patience than users have.
fn build(project: &Project, (package, archive): (Package, Vec<u8>)) {
    let server = &project.server;
    for folder in ["first", "own"] {
        server.put(&format!("/{folder}/{}", package.path()), archive.clone());
        let list = format!("/{folder}/noarch/repodata.json");
        server.put(&list, list_of(&package));
    }
    let text = format!(
        "# syntax={}\nchannels: [\"http://channel.invalid\"]\ndependencies: [{}]\n",
        frontend(),
        package.name
    );
    project.write(FILE, text);
    let mirror = |name: &str| format!("http://channel.invalid={}", server.url(name));
    let mirrors = format!("CONDA_MIRRORS={} {}", mirror("first"), mirror("own"));
    let patience = "CONDAFRONT_TIMEOUT=4s";
    let args = ["--build-arg", &mirrors, "--build-arg", patience];
    project.build_file(FILE, &args).expect_success();
    let file = format!("/opt/conda/share/{}.txt", package.name);
    let found = project.run(&[], &["cat", &file]).expect_success();
    assert_eq!(found.stdout, "1.0");
}

/// Checks that a request for this path got some bytes, but not all.
fn expect_drops(project: &Project, path: &str) {
    let sent = project.server.requests();
    let sent = sent.iter().filter(|it| it.path == path);
    let sent: Vec<u64> = sent.map(|it| it.bytes).collect();
    assert!(
        sent.iter().any(|bytes| (1..20).contains(bytes)),
        "{path}: {sent:?}"
    );
}

#[test]
fn repodata_comes_from_elsewhere() {
    let project = Project::new(Store::Containerd);
    let list = "/first/noarch/repodata.json";
    project.server.fault(list, drip(), Times::Always);
    build(&project, fresh_package("1.0"));
    expect_drops(&project, list);
    project.server.heal();

    // Both mirrors have shards, and the whole repodata, which serves as well.
    let new = fresh_package("1.0");
    let text = String::from_utf8(list_of(&new.0)).expect("JSON");
    let sharded = shards(&text, "shards");
    for folder in ["/first/noarch", "/own/noarch"] {
        sharded.serve(&project.server, folder, &format!("{folder}/shards"));
    }
    project
        .server
        .fault(&format!("*/{LIST}"), drip(), Times::Always);
    project.server.clear();
    build(&project, new);
    expect_drops(&project, &format!("/first/noarch/{LIST}"));
    expect_drops(&project, &format!("/own/noarch/{LIST}"));
}

#[test]
fn pip_is_ended_at_the_line_of_its_list() {
    let project = Project::new(Store::Containerd);
    let folder = index(&[hello("1.0")]);
    project.server.mount("/pypi", folder.path());
    let url = project.server.url("/pypi/simple/");
    let text = format!(
        "# syntax={}\nchannels: [\"{}\"]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - --index-url {url}\n    - hello.world\n",
        frontend(),
        project.channel()
    );
    project.write(FILE, text);
    let network = ["--network", "host"];
    let patience = ["--build-arg", "CONDAFRONT_TIMEOUT=8s"];
    let impatient = [network, patience].concat();
    for path in ["/pypi/simple/hello-world/", "/pypi/files/*"] {
        project.server.fault(path, drip(), Times::Always);
        let failed = project.build_file(FILE, &impatient).expect_failure();
        let error = masked(&project, &error_of(&failed));
        // At the line that names the index.
        assert!(error.starts_with("env.yml:7"), "{error}");
        assert!(error.contains("printed nothing for 8 seconds"), "{error}");
        project.server.heal();
    }
    project.build_file(FILE, &network).expect_success();
    let said = project.run(&[], &["hello"]).expect_success();
    assert_eq!(said.stdout, "hello 1.0\n");
}
