//! The files are the same on every store and with every installer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use condafront_testkit::channel;
use condafront_testkit::engine::{Engine, Output, Store, run};
use condafront_testkit::needs::micromamba;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::activation::PACKAGES as ACTIVATED;
use crate::environments;
use crate::image::{history, inspect};
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
pub(crate) struct Entry {
    pub(crate) kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    mtime: u64,
    pub(crate) size: u64,
    link: Option<String>,
    content: String,
}

impl Entry {
    /// Whether it is set-uid or set-gid, or everyone can write it.
    pub(crate) fn gives_rights(&self) -> bool {
        self.kind != tar::EntryType::Symlink && self.mode & 0o6002 != 0
    }
}

/// The files of the project's image, as a container sees them.
fn tree(project: &Project) -> BTreeMap<String, Entry> {
    tree_of(project, project.tag())
}

/// The files of an image, as a container sees them.
pub(crate) fn tree_of(project: &Project, image: &str) -> BTreeMap<String, Entry> {
    // A buildkitd runs nothing.
    let engine = match project.engine.store() {
        Store::Buildkitd => &Engine::shared(Store::Containerd),
        Store::Containerd | Store::Classic => &project.engine,
    };
    let docker = |args: &[&str]| run(&mut engine.docker(args)).expect_success();
    let container = docker(&["create", image]).stdout;
    let container = container.trim();
    let archive = project.path("image.tar");
    let file = archive.to_str().expect("a UTF-8 path");
    docker(&["export", "--output", file, container]);
    docker(&["rm", container]);
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

/// The inventory has the base image's digest. The classic store does not know that of an image that was loaded.
const INVENTORY: &str = "opt/conda/share/sbom/condafront.spdx.json";

/// The differences, one per line.
pub(crate) fn differences(
    left: &BTreeMap<String, Entry>,
    right: &BTreeMap<String, Entry>,
) -> Vec<String> {
    let mut paths: Vec<&String> = left.keys().chain(right.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| !is_of_the_container(path) && *path != INVENTORY)
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
    // Packages that claim to be large have several layers where engines can merge them.
    const LARGE: [&str; 3] = ["/numpy-", "/clash-b-", "/file-kinds-"];
    let tree = same_on_both_stores(|project| {
        project.lock(&[&SPECS[..], ACTIVATED, &["pip"]].concat());
        let wheel = pip::serve(project, "hello.world", &pip::hello("1.0"));
        let lock = String::from_utf8(lock_of(project)).expect("text");
        let lock: String = lock
            .lines()
            .map(|line| {
                let is_large = LARGE.iter().any(|name| line.contains(name));
                let size = if is_large { "# size: 400000000\n" } else { "" };
                format!("{size}{line}\n")
            })
            .collect();
        let output = project.write(LOCK, lock + &wheel).build(&[]);
        let layers = history(project, project.tag());
        let parts = layers.iter().filter(|name| name.contains(" (part "));
        let expected = match project.engine.store() {
            Store::Classic => 0,
            _ => 3 * LARGE.len(),
        };
        assert_eq!(parts.count(), expected, "{layers:?}");
        output
    });
    assert!(tree.len() > 1000 && tree.contains_key("opt/conda/bin/python3.13"));
    assert!(tree.contains_key("opt/conda/bin/hello"));
}

#[test]
fn both_stores_give_the_same_image_of_a_section() {
    let text = format!(
        "channels: [{}]
dependencies: [activate-demo, prefix-demo, text-prefix]
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

/// What one of two packages has in the folder of their pair: files with content and mode, and links.
type Claims = (
    &'static [(&'static str, &'static str, u32)],
    &'static [(&'static str, &'static str)],
);

/// Files and links at the same path; the content `OWN` is the package's name.
const AT_A_PATH: [Claims; 9] = [
    (&[("x", "OWN", 0o644)], &[]),
    (&[("x", "OWN", 0o755)], &[]),
    (&[("x", "the same", 0o644)], &[]),
    (&[("x", "the same", 0o755)], &[]),
    (&[], &[("x", "OWN")]),
    (&[], &[("x", "missing")]),
    (&[], &[("x", "folder")]),
    (&[("folder/in", "OWN", 0o644)], &[("x", "folder")]),
    (&[], &[("x", "middle"), ("middle", "folder")]),
];

/// How many of them, from the end, are links to a folder.
const LINKS_TO_A_FOLDER: usize = 3;

/// Paths below it, which a link to a folder leads elsewhere.
const BELOW: [Claims; 3] = [
    (&[("x/in", "OWN", 0o644)], &[]),
    (&[("x/in", "OWN", 0o755), ("x/deep/in", "OWN", 0o644)], &[]),
    (&[("x/more", "OWN", 0o644)], &[("x/link", "../folder/in")]),
];

/// Pairs of packages that have the same paths, one after the other in a lock. Serves them, and returns the lock's lines.
fn clashing_pairs(project: &Project) -> Vec<String> {
    let mut pairs = Vec::new();
    for one in &AT_A_PATH {
        pairs.extend(AT_A_PATH.iter().map(|other| [one, other]));
    }
    for link in &AT_A_PATH[AT_A_PATH.len() - LINKS_TO_A_FOLDER..] {
        pairs.extend(
            BELOW
                .iter()
                .flat_map(|below| [[link, below], [below, link]]),
        );
    }
    for one in &BELOW {
        pairs.extend(BELOW.iter().map(|other| [one, other]));
    }
    let mut lines = Vec::new();
    for (number, pair) in pairs.into_iter().enumerate() {
        for (name, (files, links)) in ["first", "second"].into_iter().zip(pair) {
            let own = |text: &'static str| if text == "OWN" { name } else { text };
            let place = |path: &str| format!("share/{number}/{path}");
            let mut all = vec![(place("folder/in"), name, 0o644)];
            let files = files.iter();
            all.extend(files.map(|(path, content, mode)| (place(path), own(content), *mode)));
            let links = links
                .iter()
                .map(|(path, target)| (place(path), own(target)));
            let links: Vec<_> = links.collect();
            let name = format!("pair-{number:03}-{name}");
            let (package, archive) = channel::package_with_links(&name, &all, &links);
            let path = format!("/clashes/{}", package.path());
            project.server.put(&path, archive);
            lines.push(format!("https://conda.example{path}#{}\n", package.sha256));
        }
    }
    lines
}

#[test]
fn a_hundred_clashing_pairs_give_the_same_tree_in_any_layers_on_both_stores() {
    let mut trees = Vec::new();
    for (store, layers) in [
        (Store::Containerd, &["1", "2", "60"][..]),
        (Store::Classic, &["1"]),
    ] {
        let project = Project::new(store);
        let lines = clashing_pairs(&project);
        assert!(lines.len() >= 200);
        let lock = format!("# syntax={}\n@EXPLICIT\n{}", frontend(), lines.concat());
        project.write(LOCK, lock);
        let mirror = project.server.url("");
        let mirror = format!(
            "CONDA_MIRRORS=https://conda.example={}",
            mirror.trim_end_matches('/')
        );
        for count in layers {
            let count = format!("CONDAFRONT_LAYERS={count}");
            let args = ["--build-arg", &mirror, "--build-arg", &count];
            let built = project.build(&args).expect_success();
            let warning = "OverwrittenFile: 2 files of pair-000-second 1.0 replace those of pair-000-first 1.0: share/0/folder/in and share/0/x (env.lock:4)";
            assert!(built.stderr.contains(warning), "{}", built.stderr);
            trees.push((format!("{store} {count}"), tree(&project)));
        }
    }
    let (_, single) = &trees[0];
    for (name, tree) in &trees[1..] {
        let different = differences(single, tree);
        assert!(different.is_empty(), "{name}: {}", different.join("\n"));
    }
    let content = |path: &str| &single[&format!("opt/conda/share/{path}")].content;
    assert_eq!(*content("0/x"), hex::encode(Sha256::digest("second")));
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
