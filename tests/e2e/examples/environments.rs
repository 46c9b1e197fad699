//! Examples of what an environment is made from.

use std::fs;

use condafront_testkit::channel;
use condafront_testkit::engine::{Store, registry};
use sha2::{Digest as _, Sha256};

use super::example::Example;
use crate::image::Image;
use crate::installers::{micromamba, package_of};
use crate::project::{Project, base, on_both_stores};

fn quick_start(store: Store) {
    let project = Project::new(store);
    let mut example = Example::new(&project, "quick-start").makes(&["quick-start"]);
    example.run("docker build");
    assert_eq!(example.run("docker run").stdout, "10\n");
    example.finish();
}

/// The mirror has stand-ins for the lock's packages, which cannot have those hashes: they are refused, until the lock has
/// theirs.
fn a_regional_mirror(store: Store) {
    const MIRROR: &str = "https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud";
    const PYTHON: &str = "#!/bin/sh\necho 'Python 3.10.2 (a stand-in)'\n";
    let project = Project::new(store);
    let mirrors = format!("{MIRROR}={}", project.server.url("/mirror"));
    let (mut example, folder) = Example::new(&project, "regional-mirror")
        .build_arg("CONDA_MIRRORS", &mirrors)
        .makes(&["regional-mirror"])
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

fn one_tool(store: Store) {
    let project = Project::new(store);
    let registry = registry();
    let team = format!("{registry}/{}", project.tag());
    let images = [format!("{team}/seqtk:1.4"), format!("{team}/qualimap:2.3")];
    let mut example = Example::new(&project, "one-tool")
        .replace("ghcr.io/my-team", &team)
        .replace(
            "docker buildx bake",
            &format!(
                "repository={registry} project={} docker buildx bake",
                project.tag()
            ),
        )
        .makes(&[&images[0], &images[1]]);
    example.run("docker buildx bake");
    example.run("docker buildx bake");
    // From the registry, where it was pushed to.
    for image in &images {
        project.engine.remove_image(image);
    }
    // No sequences, no lines.
    assert_eq!(example.run("docker run").stdout, "");
    let run = [
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "qualimap",
    ];
    let said = project.docker(&[&run[..], &[&images[1]]].concat());
    let expected = "Java home: /opt/conda/lib/jvm\nopenjdk version \"21.0.8\" (a stand-in)\nQualiMap v.2.3 (a stand-in)\n";
    assert_eq!(said.expect_success().stdout, expected);
    example.finish();
}

#[test]
fn another_micromamba() {
    let project = Project::new(Store::Containerd);
    let path = "/conda-forge/linux-64/micromamba-2.9.0-0.tar.bz2";
    let known = "8761c382127e6363bd9e0a2451aa3ef90d071a79133f736e2f759a3bf13040dd";
    project.server.put(path, b"another file".to_vec());
    let from = "mambaorg/micromamba:2.3.3";
    let image = format!("{}/{}-micromamba", registry(), project.tag());
    let example = || {
        Example::new(&project, "micromamba-version")
            .with_its_installer()
            .replace(from, &image)
            .makes(&["micromamba-version"])
    };
    // What is not the package that the example names is not used.
    let mut refused = example();
    let output = refused.try_run("docker build").expect_failure();
    for part in ["micromamba-2.9.0-0 cannot be downloaded", known] {
        assert!(output.stderr.contains(part), "{}", output.stderr);
    }

    // A real micromamba in place of both that cannot be had here.
    let Some(program) = micromamba() else { return };
    let package = package_of(&program);
    let hash = hex::encode(Sha256::digest(&package));
    project.server.put(path, package);
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
    let mut example = example().replace(known, &hash);
    for _ in 0..2 {
        example.run("docker build");
    }
    assert!(example.run("docker run").stdout.starts_with("Python 3.13."));
    example.finish();
}

fn a_gpu_environment(store: Store) {
    let project = Project::new(store);
    let cuda = Image::from_dockerfile(
        &project,
        &format!("FROM {}\nENV CUDA_VERSION=12.8.1\n", base()),
    );
    let mut example = Example::new(&project, "gpu")
        .base("nvidia/cuda:12.8.1-base-ubuntu24.04", cuda.tag())
        .makes(&["gpu", "gpu:slim"]);
    example.run("docker build");
    assert_eq!(example.run("docker run").stdout, "12.8\n");
    example.run("docker build");
    example.finish();
}

on_both_stores!(quick_start, a_regional_mirror, one_tool, a_gpu_environment,);
