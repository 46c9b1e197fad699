//! Examples of where environments come from.

use std::fs;

use condafront_testkit::channel;
use condafront_testkit::engine::{Store, registry};
use condafront_testkit::needs::micromamba;
use sha2::{Digest as _, Sha256};

use super::example::Example;
use crate::image::Image;
use crate::installers::package_of;
use crate::project::{Project, base, on_both_stores};

fn quick_start(store: Store) {
    let project = Project::new(store);
    let mut example = Example::new(&project, "quick-start");
    example.run("docker build");
    assert_eq!(example.run("docker run").stdout, "10\n");
    example.finish();
}

/// The mirror has stand-ins for the lock's packages. They are refused because their hashes differ, until the lock has
/// the stand-ins' hashes.
#[test]
fn a_regional_mirror() {
    const MIRROR: &str = "https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud";
    const PYTHON: &str = "#!/bin/sh\necho 'Python 3.10.2 (a stand-in)'\n";
    let project = Project::new(Store::Containerd);
    let mirrors = format!("{MIRROR}={}", project.server.url("/mirror"));
    let (mut example, folder) = Example::new(&project, "regional-mirror")
        .build_arg("CONDA_MIRRORS", &mirrors)
        .copied();
    let lock = folder.join("conda-linux-64.lock");
    let mut text = fs::read_to_string(&lock).expect("the example's lock");
    let lines: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with(MIRROR))
        .map(str::to_owned)
        .collect();
    assert_eq!(lines.len(), 20);
    for line in &lines {
        let (url, md5) = line.split_once('#').expect("a hash");
        assert_eq!(md5.len(), 32, "{line}");
        let path = url.strip_prefix(MIRROR).unwrap_or_default();
        let name = path.strip_prefix("/conda-forge/").expect("the channel");
        let files: &[_] = match name {
            name if name.contains("/python-") => &[("bin/python", PYTHON, 0o755)],
            _ => &[],
        };
        let (package, archive) = channel::package_named(name, files);
        project.server.put(&format!("/mirror{path}"), archive);
        text = text.replace(md5, &package.md5);
    }
    let refused = example.rehearse("docker build").expect_failure();
    for part in ["md5 expected", "conda-linux-64.lock:"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    fs::write(&lock, text).expect("the lock is written");
    example.run("docker build");
    let said = example.run("docker run").stdout;
    assert_eq!(said, "Python 3.10.2 (a stand-in)\n");
    example.finish();
}

#[test]
fn one_tool() {
    let project = Project::new(Store::Containerd);
    let registry = registry();
    let team = format!("{registry}/{}", project.name());
    let image = format!("{team}/qualimap:2.3");
    let mut example = Example::new(&project, "one-tool")
        .replace("ghcr.io/my-team", &team)
        .replace(
            "docker buildx bake",
            &format!(
                "repository={registry} project={} docker buildx bake",
                project.name()
            ),
        );
    example.run("docker buildx bake");
    example.run("docker buildx bake");
    // Another engine must pull the image from the registry it was pushed to.
    let elsewhere = Project::new(Store::Classic);
    example.continue_on(&elsewhere);
    // No sequences in the input, so no lines in the output.
    assert_eq!(example.run("docker run").stdout, "");
    let run = [
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "qualimap",
    ];
    let said = elsewhere.docker(&[&run[..], &[&image]].concat());
    let expected = "Java home: /opt/conda/lib/jvm\nopenjdk version \"21.0.8\" (a stand-in)\nQualiMap v.2.3 (a stand-in)\n";
    assert_eq!(said.expect_success().stdout, expected);
    example.finish();
}

/// The package that the example `micromamba-version` names, and the hash it gives.
const MICROMAMBA_2_9: &str = "/conda-forge/linux-64/micromamba-2.9.0-0.tar.bz2";
const KNOWN_HASH: &str = "8761c382127e6363bd9e0a2451aa3ef90d071a79133f736e2f759a3bf13040dd";

/// A file that is not the package in the example is not used.
#[test]
fn another_micromamba_is_checked() {
    let project = Project::new(Store::Containerd);
    project.server.put(MICROMAMBA_2_9, b"another file".to_vec());
    let mut refused = Example::new(&project, "micromamba-version").with_its_installer();
    let output = refused.try_run("docker build").expect_failure();
    for part in ["micromamba-2.9.0-0 cannot be downloaded", KNOWN_HASH] {
        assert!(output.stderr.contains(part), "{}", output.stderr);
    }
}

/// A real micromamba stands in for the two that are not available here.
#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_another_micromamba_installs() {
    let program = micromamba();
    let project = Project::new(Store::Containerd);
    let image = format!("{}/{}-micromamba", registry(), project.name());
    let package = package_of(&program);
    let hash = hex::encode(Sha256::digest(&package));
    project.server.put(MICROMAMBA_2_9, package);
    let folder = project.path("micromamba");
    fs::create_dir(&folder).expect("a folder");
    fs::copy(&program, folder.join("micromamba")).expect("a copy of micromamba");
    fs::write(
        folder.join("Dockerfile"),
        "FROM scratch\nCOPY micromamba /bin/micromamba\n",
    )
    .expect("a Dockerfile");
    let folder = folder.display().to_string();
    project
        .docker(&["build", "--push", "-t", &image, &folder])
        .expect_success();
    let mut example = Example::new(&project, "micromamba-version")
        .with_its_installer()
        .replace("mambaorg/micromamba:2.3.3", &image)
        .replace(KNOWN_HASH, &hash);
    for _ in 0..2 {
        example.run("docker build");
    }
    assert!(example.run("docker run").stdout.starts_with("Python 3.13."));
    example.finish();
}

#[test]
fn a_gpu_environment() {
    let project = Project::new(Store::Containerd);
    let cuda = Image::from_dockerfile(
        &project,
        &format!("FROM {}\nENV CUDA_VERSION=12.8.1\n", base()),
    );
    let mut example =
        Example::new(&project, "gpu").base("nvidia/cuda:12.8.1-base-ubuntu24.04", cuda.tag());
    example.run("docker build");
    assert_eq!(example.run("docker run").stdout, "12.8\n");
    example.run("docker build");
    example.finish();
}

on_both_stores!(quick_start);
