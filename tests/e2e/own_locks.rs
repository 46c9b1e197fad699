//! An env.yml that names its lock is built from that lock, and `--target lock` writes that very file.

use std::fs;

use condafront_testkit::engine::Store;

use crate::failure::Failures;
use crate::project::{Project, frontend};
use crate::solve;

/// An env.yml with these dependencies that names this lock.
fn env(project: &Project, dependencies: &[&str], lock: &str) -> String {
    let text = solve::env(project, dependencies);
    format!("{text}condafront:\n  lock: {lock}\n")
}

/// Writes the lock, and returns it.
fn renew(project: &Project, args: &[&str]) -> String {
    let lock = ["--target", "lock", "-o", "."];
    project.build(&[&lock, args].concat()).expect_success();
    fs::read_to_string(project.path("locks/conda-linux-64.lock")).expect("the lock")
}

/// The packages of a lock, with their versions, sorted.
fn packages(lock: &str) -> Vec<&str> {
    let urls = lock.lines().filter(|line| line.starts_with("http"));
    let names = urls.filter_map(|url| {
        let file = url.split('#').next()?.rsplit('/').next()?;
        Some(file.rsplit_once('-')?.0)
    });
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn a_lock_is_installed_and_only_what_must_change_changes_in_it() {
    const NAME: &str = "locks/conda-{platform}.lock";
    let project = Project::new(Store::Containerd);
    solve::write(&project, &env(&project, &["bumpme=1.0"], NAME));
    let lock = renew(&project, &[]);
    assert_eq!(packages(&lock), ["bumpme-1.0"]);

    // There are newer ones.
    let wider = env(&project, &["bumpme"], NAME);
    solve::write(&project, &wider);
    let first = project.push("first", &[]);
    assert_eq!(solve::solves(&first), [""; 0], "{}", first.progress);
    project.write("alone.lock", &lock);
    let syntax = format!("BUILDKIT_SYNTAX={}", frontend());
    let alone = project.push_file("alone.lock", "alone", &["--build-arg", &syntax]);
    assert_eq!(alone.layers, first.layers);
    assert_eq!(packages(&renew(&project, &[])), ["bumpme-1.0"]);

    solve::write(&project, &env(&project, &["bumpme", "metapackage"], NAME));
    let more = renew(&project, &[]);
    assert_eq!(
        packages(&more),
        ["bumpme-1.0", "file-kinds-1.0", "metapackage-1.0"]
    );
    let added = project.push("added", &[]);
    assert_eq!(added.layers_not_in(&first).len(), 2, "{}", added.progress);

    let upgraded = renew(&project, &["--build-arg", "UPGRADE=bumpme"]);
    assert_eq!(
        packages(&upgraded),
        ["bumpme-2.0", "file-kinds-1.0", "metapackage-1.0"]
    );
    project.write("locks/conda-linux-64.lock", &more);
    assert_eq!(renew(&project, &["--build-arg", "UPGRADE=*"]), upgraded);
}

#[test]
fn locks_that_do_not_fit_the_file_are_reported_at_its_lines() {
    let project = Project::new(Store::Containerd);
    let url = |package: &str| format!("{}/noarch/{package}", project.channel());
    let sha256 = "0".repeat(64);
    let explicit = format!("@EXPLICIT\n{}#{sha256}\n", url("bumpme-1.0-0.conda"));
    project.write("conda-linux-64.lock", &explicit);
    let elsewhere = explicit.replace("/noarch/", "/more/noarch/");
    project.write("elsewhere.lock", elsewhere);
    let arm = explicit.replace("/noarch/", "/linux-aarch64/");
    project.write("arm.lock", arm);
    let pip = url("pip-25.0-0.conda");
    let pypi = "# pip demo @ https://files.example/demo-1.2.tar.gz";
    project.write("pypi.lock", format!("{explicit}{pip}#{sha256}\n{pypi}\n"));
    project.write("other.yml", "dependencies: [bumpme]\n");
    project.write(
        "conda-lock.yml",
        format!(
            "version: 1\nmetadata: {{platforms: [linux-64]}}\npackage:\n- {{name: bumpme, version: '1.0', manager: conda, platform: linux-64, url: '{}', hash: {{sha256: '{sha256}'}}}}\n",
            url("bumpme-1.0-0.conda")
        ),
    );
    let mut failures = Failures::new(&project);
    let names = |dependency: &str, lock: &str| env(&project, &[dependency], lock);
    let lock = ["--target", "lock"];
    let both = ["--target", "lock", "--platform", "linux/amd64,linux/arm64"];
    failures
        .add(
            "a version that the lock does not have",
            names("bumpme >=2", "conda-{platform}.lock"),
            &[],
        )
        .add(
            "a package that the lock does not have",
            names("metapackage", "conda-lock.yml"),
            &[],
        )
        .add("another channel", names("bumpme", "elsewhere.lock"), &[])
        .add(
            "another PyPI package",
            names("bumpme\n  - pip:\n    - demo >=2", "pypi.lock"),
            &[],
        )
        .add("another platform", names("bumpme", "arm.lock"), &[])
        .add("a missing lock", names("bumpme", "mising.lock"), &[])
        .add("a lock outside", names("bumpme", "../conda.lock"), &[])
        .add("something else", names("bumpme", "other.yml"), &[])
        .add(
            "a lock that only another tool writes",
            names("bumpme", "conda-lock.yml"),
            &lock,
        )
        .add(
            "something else to write",
            names("bumpme", "other.yml"),
            &lock,
        )
        .add(
            "one file for two platforms",
            names("bumpme", "new.lock"),
            &both,
        );
    insta::assert_snapshot!(failures.text());
}
