//! The same file gives the same image on any day: the digests of one image are part of this repository.

use condafront_testkit::channel::{self, Channel, Package};
use condafront_testkit::engine::{self, Store};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::pip::hello;
use crate::project::{LOCK, NATIVE, Project, frontend};
use crate::pushed::Pushed;

/// The layer with condafront's own program, which every change to it, and every compiler, makes differ.
const PROGRAM: &str = "[activate] entrypoint and shell hooks";
/// What stands for that layer's digest.
const ANY: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Adds a package to a lock. Its address is always the same; the server that has it is a mirror.
fn add(project: &Project, lock: &mut String, (package, archive): (&Package, Vec<u8>)) {
    let path = package.path();
    project.server.put(&format!("/golden/{path}"), archive);
    lock.push_str(&format!(
        "https://conda.example/{path}#{}\n",
        package.sha256
    ));
}

/// A lock of conda packages that are the same on every machine: nothing in them is compiled or downloaded. The python cannot
/// run, so there is no bytecode, which would be the work of a real one.
fn lock(project: &Project) -> String {
    let mut lock = format!("# syntax={}\n# platform: linux-64\n@EXPLICIT\n", frontend());
    let (python, archive) = channel::package_named(
        "linux-64/python-3.13.5-0.tar.bz2",
        &[("bin/python3.13", "not a program\n", 0o755)],
    );
    add(project, &mut lock, (&python, archive));
    let channel = Channel::open();
    for name in [
        "noarch-demo",
        "file-kinds",
        "text-prefix",
        "env-vars-demo",
        "clash-a",
        "clash-b",
    ] {
        let package = channel.find(name);
        let archive = std::fs::read(channel.archive(package)).expect("the package");
        add(project, &mut lock, (package, archive));
    }
    lock
}

/// The line in a lock for a wheel.
fn wheel(project: &Project) -> String {
    let wheel = hello("1.0");
    let (content, path) = (wheel.build(), wheel.file_name());
    let hash = hex::encode(Sha256::digest(&content));
    project.server.put(&format!("/golden/{path}"), content);
    format!("# pip hello.world @ https://conda.example/{path}#sha256={hash}\n")
}

/// Pushes the image of a target without a base. Nothing compresses its layers: compressors differ.
fn push(project: &Project, target: &str) -> Pushed {
    let reference = format!("{}/golden:{}-{target}", engine::registry(), project.name());
    let plain = "compression=uncompressed,force-compression=true";
    let output = format!("type=image,name={reference},push=true,store=false,{plain}");
    let mirror = format!(
        "CONDA_MIRRORS=https://conda.example={}",
        project.server.url("golden")
    );
    let args = [
        &[
            "build",
            "--progress=plain",
            "--provenance=false",
            "-f",
            LOCK,
        ][..],
        &[
            "--target",
            target,
            "--output",
            &output,
            "--build-arg",
            &mirror,
        ],
        &["--build-arg", "BASE_IMAGE=scratch"],
        &["--build-arg", "SOURCE_DATE_EPOCH=1700000000"],
        &NATIVE,
        &["."],
    ];
    let built = project.docker(&args.concat()).expect_success();
    Pushed::new(built.stderr, &reference)
}

/// The names of an image's layers, each with its digest, and the digest of its configuration.
fn digests(title: &str, image: &Pushed) -> String {
    let mut config = image.config_file();
    let parsed: Value = serde_json::from_str(&config).expect("a configuration is JSON");
    let history = parsed["history"].as_array().expect("a history");
    let names = history
        .iter()
        .map(|step| step["created_by"].as_str().unwrap_or_default());
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), image.layers.len(), "{names:?}");
    let mut layers = String::new();
    for (name, layer) in names.iter().zip(&image.layers) {
        let digest = if *name == PROGRAM {
            config = config.replace(layer, ANY);
            ANY
        } else {
            layer
        };
        layers.push_str(&format!("{digest} {name}\n"));
    }
    let config = hex::encode(Sha256::digest(config));
    format!("{title}\nsha256:{config} configuration\n{layers}")
}

/// The digests were written on one day, and are compared on every other.
///
/// Change them (`INSTA_UPDATE=always`) together with what explains the change: the version of condafront, what it writes
/// into images, the packages above, or the engine that writes the configuration. If there is no such change, an image has
/// become different without a reason, which is a fault.
#[test]
fn an_image_is_the_same_on_any_other_day() {
    let project = Project::new(Store::Containerd);
    let conda = lock(&project);
    let with_wheel = format!("{conda}{}", wheel(&project));
    let images = [
        ("prefix", "prefix", &conda),
        ("prefix with a wheel", "prefix", &with_wheel),
        ("image", "image", &with_wheel),
    ];
    let found = images.map(|(title, target, lock)| {
        project.write(LOCK, lock);
        digests(title, &push(&project, target))
    });
    insta::assert_snapshot!(found.join("\n"));
}
