//! A small change costs little: only what it affects is downloaded, run and pushed again.

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::{self, Store};
use condafront_testkit::server::Server;

use crate::project::{GZIP, LOCK, Project, base};
use crate::pushed::{Pushed, blobs_fetched};
use crate::{
    bake, dates, environments, locks, pip, pip_lists, pip_resolve, recipes, shards, solve,
};

/// An environment with every kind of package, and this version of `bumpme`.
fn specs(bumpme: &str) -> Vec<String> {
    let others = [
        "python",
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

/// The paths of these packages on the channel's server, sorted.
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

fn a_second_build_requests_nothing(store: Store) {
    let project = Project::with_own_channel(store);
    // `packages_change` shows what python's packages cost on the other store.
    let python: &[&str] = match store {
        Store::Classic => &["python", "noarch-demo"],
        _ => &[],
    };
    let others = ["bumpme", "activate-demo", "post-link-demo", "prefix-demo"];
    project.lock(&[python, &others].concat());
    project.build(&[]).expect_success();
    project.packages_requested();

    project.build(&[]).expect_success();
    assert_eq!(project.packages_requested(), [""; 0]);

    // This server has nothing, so a request would also be an error.
    let empty = Server::start();
    let mirror = format!(
        "CONDA_MIRRORS={}={}",
        project.server.url(""),
        empty.url("/mirror")
    );
    project.build(&["--build-arg", &mirror]).expect_success();
    let moved = std::fs::read_to_string(project.path(LOCK))
        .unwrap()
        .replace(project.channel(), &empty.url("/elsewhere"));
    project.write(LOCK, moved);
    project.build(&[]).expect_success();
    assert_eq!(project.packages_requested(), [""; 0]);
    assert_eq!(empty.requests(), []);
}

#[test]
fn a_second_build_requests_nothing_on_the_containerd_store() {
    a_second_build_requests_nothing(Store::Containerd);
}

#[test]
fn a_second_build_requests_nothing_on_the_classic_store() {
    a_second_build_requests_nothing(Store::Classic);
}

/// These run in sequence on their own engine: shared engines have already downloaded these packages, and do not show a
/// step as cached while another test is running it.
#[test]
fn a_change_costs_only_what_changed() {
    let project = &Project::fresh(Store::Containerd);
    lock(project, &specs("1.0"));
    let before = project.push("before", &[]);
    assert_eq!(project.packages_requested(), paths(&specs("1.0")));
    packages_change(project, &before);
    the_base_changes(project, &before);
    pip::a_wheel_changes(project);
    environments::one_package_of_several_environments_changes(project);
    locks::a_lock_of_another_kind_installs_nothing_again(project);
    let solved = solve::the_same_question_is_solved_once(project);
    shards::answers_for_newer_shards_are_kept(project, &solved);
}

fn packages_change(project: &Project, before: &Pushed) {
    // Another version of one package.
    lock(project, &specs("2.0"));
    let bumped = project.push("bumped", &[]);
    assert_eq!(project.packages_requested(), [path("bumpme=2.0")]);
    assert_eq!(bumped.layers.len(), before.layers.len());
    assert_eq!(bumped.layers_not_in(before).len(), 1, "{}", bumped.progress);
    assert_ne!(bumped.config, before.config);
    let installed = install_steps(bumped.steps_run());
    assert!(
        matches!(installed[..], [name] if name.contains("bumpme")),
        "{installed:?}"
    );

    // One more package, and its dependencies.
    let mut more = specs("2.0");
    more.push("metapackage".to_owned());
    lock(project, &more);
    let added = project.push("added", &[]);
    let new: Vec<String> = paths(&more)
        .into_iter()
        .filter(|path| !paths(&specs("2.0")).contains(path))
        .collect();
    assert_eq!(project.packages_requested(), new);
    // metapackage and file-kinds: each has its own layer.
    assert_eq!(bumped.layers_not_in(&added).len(), 0, "{}", added.progress);
    assert_eq!(added.layers_not_in(&bumped).len(), 2, "{}", added.progress);

    // And removed again.
    lock(project, &specs("2.0"));
    let removed = project.push("removed", &[]);
    assert_eq!(project.packages_requested(), [""; 0]);
    assert_eq!(removed.layers, bumped.layers);
}

/// A new base image does not reinstall packages of `before`.
fn the_base_changes(project: &Project, before: &Pushed) {
    lock(project, &specs("1.0"));
    project.packages_requested();
    let build_on = |tag: &str, change: &str| {
        let name = format!("{}/{}-base:{tag}", engine::registry(), project.name());
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
    // Steps that read the base image or run in it run again; steps that only join packages do not.
    let steps = [
        "[activate] run",
        "[base] account",
        "[conda] collect",
        "[conda] python",
        "[install] files",
        "[install] run",
    ];
    let mut run = patched.steps_run();
    run.retain(|name| steps.iter().any(|step| name.starts_with(step)));
    let expected = [
        "[activate] run the packages' activation scripts",
        "[base] account",
        "[conda] python 3.13 for compiling modules",
        "[install] run the packages' post-link scripts",
    ];
    assert!(run.iter().eq(&expected), "{run:?}\n{}", patched.progress);
    assert_eq!(patched.layers_not_in(before).len(), 1);

    // Modules are compiled by a python that runs on the base image's C library, so a change to that compiles them
    // again, to the same bytes.
    let library = build_on("library", "printf x >> /lib/x86_64-linux-gnu/libm.so.6");
    let installed = install_steps(library.steps_run());
    let alone = |name: &str| name.ends_with("] python");
    assert!(
        installed.iter().any(|name| name.contains("bumpme")),
        "{installed:?}"
    );
    assert!(!installed.iter().any(|name| alone(name)), "{installed:?}");
    assert_eq!(library.layers_not_in(before).len(), 1);
    assert_eq!(project.packages_requested(), [""; 0]);
}

/// What a solve or pip has found is not looked for again, and what was tried is not tried again. These run in sequence on their own engine: while other builds run the
/// same steps, BuildKit may run one once more, or may not find in its cache what follows it.
#[test]
fn what_was_found_is_not_looked_for_again() {
    let project = &Project::fresh(Store::Containerd);
    pip::a_list_is_resolved_once_and_installed(project);
    pip_lists::lists_name_files_folders_and_repositories(project);
    pip_resolve::pip_sees_what_it_needs(project);
    pip_resolve::environments_have_their_own_pip(project);
    dates::another_days_lists_change_nothing_and_build_args_override_the_file(project);
    recipes::an_image_is_tried_once(project);
}

/// Packages' scripts see all files of the image, so when a package changes, an empty builder downloads all layers for
/// them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scripts {
    Some,
    None,
}

/// On its own engine, because the shared ones have built these packages: first for an environment that is solved, then
/// for locks, and for the caches of a bake file.
#[test]
fn a_registry_cache_serves_an_empty_builder() {
    let fresh = Project::fresh(Store::Containerd);
    nothing_is_solved_again(&fresh);
    a_registry_cache_serves(Scripts::None, &fresh);
    prune(&fresh);
    a_registry_cache_serves(Scripts::Some, &fresh);
    bake::with_a_cache_another_builder_downloads_no_packages(&fresh);
}

fn nothing_is_solved_again(fresh: &Project) {
    solve::write(fresh, &solve::env(fresh, &["bumpme"]));
    let cache = registry_cache(fresh);
    let solved = fresh.push(
        "first",
        &["--cache-to", &format!("{cache},mode=max,{GZIP}")],
    );
    assert_eq!(solve::solves(&solved), ["1"], "{}", solved.progress);

    prune(fresh);
    let again = fresh.push("second", &["--cache-from", &cache]);
    assert_eq!(solve::solves(&again), [""; 0], "{}", again.progress);
    assert_eq!(again.layers, solved.layers);
    prune(fresh);
}

/// Empties the builder's cache.
fn prune(project: &Project) {
    let all = ["builder", "prune", "--all", "--force"];
    project.docker(&all).expect_success();
}

/// The location in the registry of the cache of the project's builds.
fn registry_cache(project: &Project) -> String {
    format!(
        "type=registry,ref={}/{}-cache",
        engine::registry(),
        project.name()
    )
}

fn a_registry_cache_serves(scripts: Scripts, fresh: &Project) {
    let first = Project::with_own_channel(Store::Containerd);
    let mut all = specs("1.0");
    // What needs python, or has scripts.
    let without = match scripts {
        Scripts::None => &["post-link-demo", "activate-demo"][..],
        Scripts::Some => &["python", "noarch-demo", "annotated-types", "pycparser"],
    };
    all.retain(|spec| !without.contains(&spec.as_str()));
    lock(&first, &all);
    let cache = registry_cache(&first);
    let whole = first.push(
        "whole",
        &["--cache-to", &format!("{cache},mode=max,{GZIP}")],
    );
    first.packages_requested();

    // Nothing has changed.
    fresh.write(LOCK, std::fs::read(first.path(LOCK)).unwrap());
    let same = fresh.push("same", &["--cache-from", &cache]);
    assert_eq!(first.packages_requested(), [""; 0]);
    assert_eq!(same.layers, whole.layers);
    let repository = format!("{}-cache", first.name());
    let fetched = |image: &Pushed| {
        let blobs = blobs_fetched(&repository);
        let layers = image.layers.iter().filter(|layer| blobs.contains(*layer));
        layers.count()
    };
    assert_eq!(fetched(&same), 0, "{}", same.progress);

    // One package has.
    *all.last_mut().unwrap() = "bumpme=2.0".to_owned();
    lock(&first, &all);
    fresh.write(LOCK, std::fs::read(first.path(LOCK)).unwrap());
    let changed = fresh.push("changed", &["--cache-from", &cache]);
    assert_eq!(first.packages_requested(), [path("bumpme=2.0")]);
    assert_eq!(changed.layers_not_in(&whole).len(), 1);
    if scripts == Scripts::None {
        assert_eq!(fetched(&changed), 0, "{}", changed.progress);
    }
}
