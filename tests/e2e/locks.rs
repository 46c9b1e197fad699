//! Every kind of lock gives an image with exactly the packages that it lists.

use condafront_input as input;
use condafront_input::InputSettings;
use condafront_input::explicit_lock::{self, ExplicitLock};
use condafront_model::platform::Platform;
use condafront_model::source::SourceFile;
use condafront_testkit::channel::{Channel, Package};
use condafront_testkit::engine::Store;

use crate::project::{LOCK, Project, frontend};

const SPECS: &[&str] = &[
    "activate-demo",
    "clash-a",
    "clash-b",
    "metapackage",
    "text-prefix",
];

/// A conda-lock.yml of these packages in reverse order, plus `other` in another category and on another platform.
pub(crate) fn conda_lock(project: &Project, packages: &[&Package], other: &Package) -> String {
    let mut text = format!(
        "# syntax={}\nversion: 1\nmetadata:\n  platforms: [linux-64, osx-64]\n  sources: [environment.yml]\npackage:\n",
        frontend()
    );
    let entries = packages
        .iter()
        .rev()
        .map(|package| (*package, "main", "linux-64"))
        .chain([(other, "dev", "linux-64"), (other, "main", "osx-64")]);
    for (package, category, platform) in entries {
        let depends: Vec<String> = package
            .depends
            .iter()
            .filter_map(|spec| spec.split_whitespace().next())
            .map(|name| format!("{name}: ''"))
            .collect();
        let Package {
            name,
            version,
            md5,
            sha256,
            ..
        } = package;
        let url = project.package_url(package);
        text.push_str(&format!(
            "- name: {name}\n  version: '{version}'\n  manager: conda\n  platform: {platform}\n  dependencies: {{{}}}\n  url: {url}\n  hash: {{md5: '{md5}', sha256: '{sha256}'}}\n  category: {category}\n  optional: false\n",
            depends.join(", ")
        ));
    }
    text
}

/// A pixi.lock, version 6, with these packages in the environment `lab` and `other` in `default`.
pub(crate) fn pixi_lock(project: &Project, packages: &[&Package], other: &Package) -> String {
    let url = |package: &Package| project.package_url(package);
    let selector = |package: &&Package| format!("      - conda: {}\n", url(package));
    let mut text = format!(
        "# syntax={}\nversion: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n{}  lab:\n    channels: []\n    packages:\n      linux-64:\n{}packages:\n",
        frontend(),
        selector(&other),
        packages.iter().rev().map(selector).collect::<String>()
    );
    for package in packages.iter().chain([&other]) {
        text.push_str(&format!(
            "- conda: {}\n  sha256: '{}'\n  md5: '{}'\n  depends: {}\n  size: {}\n",
            url(package),
            package.sha256,
            package.md5,
            serde_json::Value::from(package.depends.clone()),
            package.size
        ));
    }
    text
}

/// Builds the project's lock and checks that exactly `packages` are installed.
fn holds_exactly(project: &Project, packages: &[&Package], args: &[&str]) {
    project.build(args).expect_success();
    let list = ["env", "LC_ALL=C", "ls", "-A", "/opt/conda/conda-meta"];
    let output = project.run(&[], &list).expect_success();
    let mut expected: Vec<String> = packages
        .iter()
        .map(|package| {
            format!(
                "{}-{}-{}.json",
                package.name, package.version, package.build
            )
        })
        .chain(["history".to_owned()])
        .collect();
    expected.sort();
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn an_image_has_what_a_conda_lock_lists() {
    let project = Project::new(Store::Containerd);
    let channel = Channel::open();
    let packages = channel.closure(SPECS);
    let other = channel.find("prefix-demo");
    project.write(LOCK, conda_lock(&project, &packages, other));
    holds_exactly(&project, &packages, &[]);
    let all: Vec<&Package> = packages.into_iter().chain([other]).collect();
    let dev = ["--build-arg", "CONDA_LOCK_CATEGORIES=dev"];
    holds_exactly(&project, &all, &dev);
}

/// On an engine that nothing else uses: an image has what a pixi.lock lists, and the equivalent explicit lock gives the
/// same layers.
pub(crate) fn a_lock_of_another_kind_installs_nothing_again(project: &Project) {
    let channel = Channel::open();
    let packages = channel.closure(SPECS);
    let other = channel.find("prefix-demo");
    let text = pixi_lock(project, &packages, other);
    project.write(LOCK, &text);
    let lab = ["--build-arg", "ENVIRONMENT=lab"];
    holds_exactly(project, &packages, &lab);
    let pixi = project.push("pixi", &lab);

    let settings = InputSettings {
        environment: Some("lab".to_owned()),
        ..InputSettings::default()
    };
    let file = SourceFile::new("pixi.lock", text);
    let input = input::read(&file, Platform::LinuxAmd64, &settings).unwrap();
    let syntax = frontend();
    let explicit = explicit_lock::render(&ExplicitLock {
        syntax: Some(&syntax),
        platform: Platform::LinuxAmd64,
        name: None,
        variables: &input.variables,
        packages: input.locked().unwrap(),
        pip: &[],
        repositories: &[],
        source: Some("pixi.lock"),
    });
    project.write(LOCK, explicit);
    let explicit = project.push("explicit", &[]);
    assert_eq!(explicit.layers, pixi.layers);
    let steps = explicit.steps_run();
    assert!(
        !steps.iter().any(|step| step.starts_with("[install")),
        "{steps:?}"
    );
}
