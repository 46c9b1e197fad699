//! The cost of a change is the size of the change: what is fetched, run and pushed again.

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::{self, Store};
use condafront_testkit::server::Server;

use crate::project::{LOCK, Project, base};
use crate::pushed::{Pushed, blobs_fetched};

/// The packages that share a layer with `bumpme`, itself among them.
const CHANGED_GROUP: [&str; 3] = ["annotated-types", "pycparser", "bumpme"];

/// An environment with something of everything, and this version of `bumpme`.
fn specs(bumpme: &str) -> Vec<String> {
    let others = [
        "python",
        "numpy",
        "activate-demo",
        "clash-a",
        "clash-b",
        "noarch-demo",
        "prefix-demo",
        "post-link-demo",
        "annotated-types",
        "pycparser",
    ];
    let mut specs: Vec<String> = others.map(str::to_owned).into();
    specs.push(format!("bumpme={bumpme}"));
    specs
}

fn lock(project: &Project, specs: &[String]) {
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    project.lock(&specs);
}

/// The paths on the channel's server of these packages, sorted.
fn paths(specs: &[String]) -> Vec<String> {
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    let mut paths: Vec<String> = Channel::open()
        .closure(&specs)
        .iter()
        .map(|package| format!("/conda-forge/{}", package.path()))
        .collect();
    paths.sort();
    paths
}

fn path(spec: &str) -> String {
    format!("/conda-forge/{}", Channel::open().find(spec).path())
}

fn install_steps<'a>(steps: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let is_install = |name: &&str| name.starts_with("[install ");
    steps.into_iter().filter(is_install).collect()
}

fn a_second_build_asks_for_nothing(store: Store) {
    let project = Project::new(store);
    lock(&project, &specs("1.0"));
    project.build(&[]).expect_success();
    project.packages_requested();

    project.build(&[]).expect_success();
    assert_eq!(project.packages_requested(), [""; 0]);

    // Nothing is there, so a request would be an error, too.
    let empty = Server::start();
    let mirror = format!(
        "CONDA_MIRRORS={}={}",
        project.server.url(""),
        empty.url("/mirror")
    );
    project.build(&["--build-arg", &mirror]).expect_success();
    let moved = std::fs::read_to_string(project.path(LOCK))
        .unwrap()
        .replace(
            &project.server.url("/conda-forge"),
            &empty.url("/elsewhere"),
        );
    project.write(LOCK, moved);
    project.build(&[]).expect_success();
    assert_eq!(project.packages_requested(), [""; 0]);
    assert_eq!(empty.requests(), []);
}

#[test]
fn a_second_build_asks_for_nothing_on_the_containerd_store() {
    a_second_build_asks_for_nothing(Store::Containerd);
}

#[test]
fn a_second_build_asks_for_nothing_on_the_classic_store() {
    a_second_build_asks_for_nothing(Store::Classic);
}

#[test]
fn a_change_costs_what_has_changed() {
    let project = Project::fresh(Store::Containerd);
    lock(&project, &specs("1.0"));
    let before = project.push("before", &[]);
    assert_eq!(project.packages_requested(), paths(&specs("1.0")));

    // Another version of one package.
    lock(&project, &specs("2.0"));
    let bumped = project.push("bumped", &[]);
    assert_eq!(project.packages_requested(), [path("bumpme=2.0")]);
    assert_eq!(bumped.layers.len(), before.layers.len());
    assert_eq!(
        bumped.layers_not_in(&before).len(),
        1,
        "{}",
        bumped.progress
    );
    assert_ne!(bumped.config, before.config);
    let installed = install_steps(bumped.steps_run());
    assert!(
        matches!(installed[..], [name] if name.contains("bumpme")),
        "{installed:?}"
    );

    // One package more, and what it needs.
    let mut more = specs("2.0");
    more.push("metapackage".to_owned());
    lock(&project, &more);
    let added = project.push("added", &[]);
    let new: Vec<String> = paths(&more)
        .into_iter()
        .filter(|path| !paths(&specs("2.0")).contains(path))
        .collect();
    assert_eq!(project.packages_requested(), new);
    // metapackage joins clash-a, and file-kinds has a layer of its own.
    assert_eq!(bumped.layers_not_in(&added).len(), 1, "{}", added.progress);
    assert_eq!(added.layers_not_in(&bumped).len(), 2, "{}", added.progress);

    // And away again.
    lock(&project, &specs("2.0"));
    let removed = project.push("removed", &[]);
    assert_eq!(project.packages_requested(), [""; 0]);
    assert_eq!(removed.layers, bumped.layers);
}

#[test]
fn another_base_links_nothing_again() {
    // What another test builds at the same time, without a cache even, would not be shown as cached.
    let project = Project::fresh(Store::Containerd);
    lock(&project, &specs("1.0"));
    let before = project.push("before", &[]);
    project.packages_requested();
    let build_on = |tag: &str, change: &str| {
        let name = format!("{}/{}-base:{tag}", engine::registry(), project.tag());
        let dockerfile = format!("FROM {}\nRUN {change}\n", base());
        project.write("Dockerfile", dockerfile);
        let output = format!("type=image,name={name},push=true,store=false");
        project
            .docker(&["build", "--provenance=false", "--output", &output, "."])
            .expect_success();
        project.push(tag, &["--build-arg", &format!("BASE_IMAGE={name}")])
    };

    let patched = build_on("patched", "touch /patched");
    assert_eq!(install_steps(patched.steps_run()), [""; 0]);
    // What looks at the base, or runs in it, runs again; what only joins the packages does not.
    let steps = [
        "[activate] run",
        "[base] account",
        "[conda] gather",
        "[conda] python",
        "[install] files",
        "[install] run",
    ];
    let mut run = patched.steps_run();
    run.retain(|name| steps.iter().any(|step| name.starts_with(step)));
    let expected = [
        "[activate] run the packages' activation scripts",
        "[base] account",
        "[conda] python 3.13 to compile modules with",
        "[install] run the packages' post-link scripts",
    ];
    assert!(run.iter().eq(&expected), "{run:?}\n{}", patched.progress);
    assert_eq!(patched.layers_not_in(&before).len(), 1);

    // Modules are compiled with a python that runs on the base's C library, so with another one they are compiled
    // anew, to the same bytes.
    let library = build_on("library", "printf x >> /lib/x86_64-linux-gnu/libm.so.6");
    let installed = install_steps(library.steps_run());
    let alone = |name: &str| name.ends_with("] python") || name.ends_with("] numpy");
    assert!(
        installed.iter().any(|name| name.contains("bumpme")),
        "{installed:?}"
    );
    assert!(!installed.iter().any(|name| alone(name)), "{installed:?}");
    assert_eq!(library.layers_not_in(&before).len(), 1);
    assert_eq!(project.packages_requested(), [""; 0]);
}

/// Packages' scripts see all files of the image. When a package changes, a builder that has nothing fetches all layers
/// for them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scripts {
    Some,
    None,
}

#[test]
fn a_registry_cache_serves_a_builder_that_has_nothing() {
    a_registry_cache_serves(Scripts::None);
}

#[test]
fn a_registry_cache_serves_an_environment_with_scripts() {
    a_registry_cache_serves(Scripts::Some);
}

fn a_registry_cache_serves(scripts: Scripts) {
    let first = Project::new(Store::Containerd);
    let mut all = specs("1.0");
    if scripts == Scripts::None {
        all.retain(|spec| !["post-link-demo", "activate-demo"].contains(&spec.as_str()));
    }
    lock(&first, &all);
    let repository = format!("{}-cache", first.tag());
    let cache = format!("type=registry,ref={}/{repository}", engine::registry());
    let whole = first.push("whole", &["--cache-to", &format!("{cache},mode=max")]);
    first.packages_requested();

    // Nothing has changed.
    let fresh = Project::fresh(Store::Containerd);
    fresh.write(LOCK, std::fs::read(first.path(LOCK)).unwrap());
    let same = fresh.push("same", &["--cache-from", &cache]);
    assert_eq!(first.packages_requested(), [""; 0]);
    assert_eq!(same.layers, whole.layers);
    let fetched = |image: &Pushed| {
        let blobs = blobs_fetched(&fresh.engine, &repository);
        let layers = image.layers.iter().filter(|layer| blobs.contains(*layer));
        layers.count()
    };
    assert_eq!(fetched(&same), 0, "{}", same.progress);

    // One package has.
    *all.last_mut().unwrap() = "bumpme=2.0".to_owned();
    lock(&first, &all);
    fresh.write(LOCK, std::fs::read(first.path(LOCK)).unwrap());
    let changed = fresh.push("changed", &["--cache-from", &cache]);
    let mut group = CHANGED_GROUP.map(path);
    group.sort();
    assert_eq!(first.packages_requested(), group);
    assert_eq!(changed.layers_not_in(&whole).len(), 1);
    if scripts == Scripts::None {
        assert_eq!(fetched(&changed), 0, "{}", changed.progress);
    }
}
