//! The files are the same on every store and with every installer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use condafront_testkit::engine::{Output, Store, run};
use condafront_testkit::needs::micromamba;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::activation::PACKAGES as ACTIVATED;
use crate::environments;
use crate::image::inspect;
use crate::installers::{build_with_package, package_of, serve_package};
use crate::pip;
use crate::project::{LOCK, Project, base, frontend, shared_channel};

/// Real packages, and all that do something special. `tests/install` compares the installers' results for
/// every package.
const SPECS: [&str; 13] = [
    "python",
    "numpy",
    "requests",
    "activate-demo",
    "bumpme",
    "clash-a",
    "clash-b",
    "file-kinds",
    "jinja2",
    "noarch-demo",
    "post-link-demo",
    "prefix-demo",
    "text-prefix",
];

/// Everything that a program can see at a path.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    mtime: u64,
    size: u64,
    link: Option<String>,
    content: String,
}

/// The files of the project's image, as a container sees them.
fn tree(project: &Project) -> BTreeMap<String, Entry> {
    let container = project.docker(&["create", project.tag()]).expect_success();
    let container = container.stdout.trim();
    let archive = project.path("image.tar");
    let file = archive.to_str().expect("a UTF-8 path");
    project
        .docker(&["export", "--output", file, container])
        .expect_success();
    project.docker(&["rm", container]).expect_success();
    read(&archive)
}

fn read(archive: &Path) -> BTreeMap<String, Entry> {
    let mut archive = tar::Archive::new(File::open(archive).expect("the exported files"));
    let mut tree = BTreeMap::new();
    for entry in archive.entries().expect("a tar archive") {
        let mut entry = entry.expect("an entry of the archive");
        let path = entry.path().expect("a path").to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("the content");
        let link = entry.link_name().expect("a link's target");
        let header = entry.header();
        let entry = Entry {
            kind: header.entry_type(),
            mode: header.mode().expect("a mode"),
            owner: (header.uid().expect("a uid"), header.gid().expect("a gid")),
            mtime: header.mtime().expect("a time"),
            size: header.size().expect("a size"),
            link: link.map(|link| link.to_string_lossy().into_owned()),
            content: hex::encode(Sha256::digest(&content)),
        };
        tree.insert(path, entry);
    }
    tree
}

/// Whether a path comes from the engine, for the container, and not from the image.
fn is_of_the_container(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    [
        ".dockerenv",
        "dev",
        "etc",
        "etc/hostname",
        "etc/hosts",
        "etc/mtab",
        "etc/resolv.conf",
        "proc",
        "sys",
    ]
    .contains(&path)
        || path.starts_with("dev/")
}

/// The differences, one per line.
fn differences(left: &BTreeMap<String, Entry>, right: &BTreeMap<String, Entry>) -> Vec<String> {
    let mut paths: Vec<&String> = left.keys().chain(right.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| !is_of_the_container(path))
        .filter(|path| left.get(*path) != right.get(*path))
        .map(|path| format!("{path}: {:?} and {:?}", left.get(path), right.get(path)))
        .collect()
}

fn lock_of(project: &Project) -> Vec<u8> {
    std::fs::read(project.path(LOCK)).expect("the project's lock")
}

/// The image's configuration without empty values, which the stores write in different ways.
fn configuration(project: &Project) -> Value {
    let mut config = inspect(project, project.tag(), "{{json .Config}}");
    let fields = config.as_object_mut().expect("a configuration");
    fields.retain(|_, value| ![json!(null), json!(""), json!([]), json!({})].contains(value));
    config
}

/// Runs `build` on both stores and checks that files and configuration are the same. So other tests of what an image
/// does need only one store.
fn same_on_both_stores(build: impl Fn(&Project) -> Output) -> BTreeMap<String, Entry> {
    let [(merged, ours), (copied, theirs)] = [Store::Containerd, Store::Classic].map(|store| {
        let project = Project::new(store);
        build(&project).expect_success();
        (tree(&project), configuration(&project))
    });
    let different = differences(&merged, &copied);
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(ours, theirs);
    merged
}

#[test]
fn both_stores_give_the_same_image_of_a_lock() {
    let tree = same_on_both_stores(|project| {
        project.lock(&[&SPECS[..], ACTIVATED, &["pip"]].concat());
        let wheel = pip::serve(project, "hello.world", &pip::hello("1.0"));
        let lock = [lock_of(project), wheel.into_bytes()].concat();
        project.write(LOCK, lock).build(&[])
    });
    assert!(tree.len() > 1000 && tree.contains_key("opt/conda/bin/python3.13"));
    assert!(tree.contains_key("opt/conda/bin/hello"));
}

#[test]
fn both_stores_give_the_same_image_of_a_section() {
    let text = format!(
        "channels: [{}]
dependencies: [python, activate-demo]
variables: {{FROM_FILE: \"yes\"}}
condafront:
  installer: native
  base: {}
  user: {{name: ada, uid: 1000, gid: 100}}
  env: {{GREETING: hello}}
  workdir: /srv/app
  copy: {{app.py: .}}
  run:
    - touch -d @0 made .
    - {{run: touch -d @0 /srv/by-root /srv, user: root}}
  entrypoint: [python]
  cmd: [app.py]
  expose: [8888]
  volumes: [/data]
  labels: {{org.example.kind: file}}
  healthcheck: {{cmd: python -c pass, interval: 30s}}
  stopsignal: SIGINT
",
        shared_channel(),
        base(),
    );
    let tree = same_on_both_stores(|project| {
        project.write("app.py", "print('app')\n");
        let touch = ["-d", "@0"];
        run(Command::new("touch")
            .args(touch)
            .arg(project.path("app.py")))
        .expect_success();
        project.write(LOCK, format!("# syntax={}\n{text}", frontend()));
        project.build_image(&["-f", LOCK, "."])
    });
    assert!(tree.contains_key("srv/app/made") && tree.contains_key("srv/by-root"));
}

#[test]
fn both_stores_give_the_same_image_of_several_environments() {
    let tree = same_on_both_stores(|project| {
        environments::write(project, "bumpme=1.0", "");
        environments::build(project, &[])
    });
    assert!(tree.contains_key("opt/conda/envs/tools/bin/python3.13"));
}

fn both_installers_give_the_same_files(store: Store) {
    let program = micromamba();
    let native = Project::new(store);
    native.lock(&SPECS);
    native.build(&[]).expect_success();
    let other = Project::new(store);
    other.write(LOCK, lock_of(&native));
    let hash = serve_package(&other, "2.8.1-0", package_of(&program));
    build_with_package(&other, &format!("2.8.1#sha256:{hash}"), &[]).expect_success();
    let requested = other.packages_requested();
    assert!(
        requested
            .iter()
            .any(|path| path.contains("/micromamba-2.8.1-0")),
        "{requested:?}"
    );
    let different = differences(&tree(&native), &tree(&other));
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_both_installers_give_the_same_files_on_the_containerd_store() {
    both_installers_give_the_same_files(Store::Containerd);
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_both_installers_give_the_same_files_on_the_classic_store() {
    both_installers_give_the_same_files(Store::Classic);
}
